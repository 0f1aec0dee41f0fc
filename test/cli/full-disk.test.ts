import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CliResult, lastObject } from '../support/cli.js'
import { batonOnSmallDisk, canMount } from '../support/small-disk.js'
import {
  contentOf,
  lockedVersions,
  type Workplace,
  workplace,
  writeVulnerableProject,
} from '../support/vulnerable-project.js'

let place: Workplace
let shop: string
beforeEach(() => {
  place = workplace()
  shop = writeVulnerableProject(place.path('shop'))
})
afterEach(() => place.dispose())

const run = ['run', 'vulnerability-patching', '--input', 'repo=shop', '--approve-all', '--json']
const small = (name: string, sizeKib: number) =>
  batonOnSmallDisk(run, place.folder, {
    folder: place.path(name),
    sizeKib,
    copyTo: place.path('after'),
  })

/** What stopped it, whether the run had begun or not. */
function sentenceOf(result: CliResult): string {
  const { status, failure, error } = lastObject(result) as Record<string, { message: string } | undefined>
  expect(status).toBe('failed')
  return (failure ?? error)?.message ?? ''
}

describe.skipIf(!canMount())('a disk that is really full', { timeout: 120_000 }, () => {
  // The two files of the project take a block of 4 KiB each.
  it.each([
    ['from the start', 8],
    ['after the first of two files', 12],
  ])('leaves the files of the project as they were: %s', async (_when, sizeKib) => {
    const before = contentOf(shop)
    const result = await small('shop', sizeKib)
    expect(result.code).toBe(1)
    expect(sentenceOf(result)).toMatch(/^nothing was changed: the disk is full, package(-lock)?\.json cannot/)
    expect(lastObject(result)).toMatchObject({ audit: { verified: true } })
    expect(contentOf(place.path('after'))).toEqual(before)
  })

  it('patches the same project where two more files have room', async () => {
    const result = await small('shop', 16)
    expect(result.code).toBe(0)
    expect(lockedVersions(place.path('after'))).not.toEqual(lockedVersions(shop))
  })

  // From no room for the database up to no room for the end of a run under way.
  it.each([4, 16, 64, 256, 400, 512, 640])('stops a run whose state has %i KiB', async (sizeKib) => {
    const before = contentOf(shop)
    const result = await small('.baton', sizeKib)
    expect(result.code).toBe(1)
    expect(sentenceOf(result)).toMatch(/disk is full/)
    expect(result.stderr.split('\n').length).toBeLessThanOrEqual(2)
    expect(contentOf(shop)).toEqual(before)
  })
})
