import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { baton, canRunUnprivileged, lastObject } from '../support/cli.js'
import {
  contentOf,
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
afterEach(() => {
  chmodSync(shop, 0o755)
  place.dispose()
})

const patch = (unprivileged = false) =>
  baton(['run', 'vulnerability-patching', '--input', 'repo=shop', '--approve-all', '--json'], {
    cwd: place.folder,
    unprivileged,
  })

describe('a project that cannot be patched stays as it was', { timeout: 120_000 }, () => {
  it('without a package.json', async () => {
    rmSync(place.path('shop', 'package.json'))
    const before = contentOf(shop)
    const run = await patch()
    expect(run.code).toBe(1)
    expect(lastObject(run)).toMatchObject({
      status: 'failed',
      failure: { code: 'ERR_TOOL_FAILED', message: 'there is no package.json in the project folder' },
      audit: { verified: true },
    })
    expect(contentOf(shop)).toEqual(before)
  })

  it('with a broken package.json, whose fault is named by line and column', async () => {
    writeFileSync(place.path('shop', 'package.json'), '{\n  "name": "x",\n  "dependencies": {,}\n}\n')
    const before = contentOf(shop)
    const run = await patch()
    expect(run.code).toBe(1)
    const { failure } = lastObject(run) as { failure: { message: string } }
    expect(failure.message).toBe('package.json is not valid JSON (line 3, column 20)')
    expect(contentOf(shop)).toEqual(before)
  })

  it('with a symbolic link for package.json', async () => {
    renameSync(place.path('shop', 'package.json'), place.path('elsewhere.json'))
    symlinkSync('../elsewhere.json', place.path('shop', 'package.json'))
    const before = contentOf(place.folder)
    const run = await patch()
    expect(run.code).toBe(1)
    const { failure } = lastObject(run) as { failure: { message: string } }
    expect(failure.message).toMatch(/package\.json.* is a symbolic link, which is not followed/)
    const after = contentOf(place.folder)
    for (const [file, content] of Object.entries(before)) expect(after[file], file).toBe(content)
  })

  it.skipIf(!canRunUnprivileged())('in a folder that may only be read', async () => {
    chmodSync(place.folder, 0o777)
    chmodSync(shop, 0o555)
    const before = contentOf(shop)
    const run = await patch(true)
    expect(run.code).toBe(1)
    expect(lastObject(run)).toMatchObject({ status: 'failed', failure: { code: 'ERR_TOOL_FAILED' } })
    const { failure } = lastObject(run) as { failure: { message: string } }
    expect(failure.message).toMatch(/not accessible to this user$/)
    expect(contentOf(shop)).toEqual(before)
  })
})

describe('a state folder that cannot be used', { timeout: 120_000 }, () => {
  it('is refused in one sentence when a file is in its place', async () => {
    writeFileSync(place.path('.baton'), 'a file')
    const before = contentOf(place.folder)
    const { code, stdout, stderr } = await baton(
      ['run', 'vulnerability-patching', '--input', 'repo=shop', '--approve-all'],
      { cwd: place.folder },
    )
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^baton: [^\n]*a file is in its place[^\n]*\n$/)
    expect(contentOf(place.folder)).toEqual(before)
  })

  it.skipIf(!canRunUnprivileged())('is refused in one sentence when it may not be written', async () => {
    mkdirSync(place.path('.baton'), { mode: 0o555 })
    chmodSync(place.folder, 0o755)
    const before = contentOf(place.folder)
    const run = await patch(true)
    expect(run.code).toBe(1)
    expect(run.stderr).toMatch(/^baton: [^\n]+\n$/)
    expect(lastObject(run)).toMatchObject({ status: 'failed', error: { message: expect.any(String) } })
    expect(contentOf(place.folder)).toEqual(before)
  })
})
