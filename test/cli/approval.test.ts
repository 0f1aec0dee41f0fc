import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { baton, lastObject } from '../support/cli.js'
import {
  contentOf,
  lockedVersions,
  type Workplace,
  workplace,
  writeVulnerableProject,
} from '../support/vulnerable-project.js'

let place: Workplace
let shop: string
let before: Readonly<Record<string, string>>
beforeEach(() => {
  place = workplace()
  shop = writeVulnerableProject(place.path('shop'))
  before = contentOf(shop)
})
afterEach(() => place.dispose())

const command = (...args: readonly string[]) => baton(args, { cwd: place.folder })

/** Runs up to the gate, which nobody answers. */
async function waitingRun(): Promise<string> {
  const started = await command('run', 'vulnerability-patching', '--input', 'repo=shop', '--json')
  expect(started.code).toBe(4)
  const outcome = lastObject(started)
  expect(outcome).toMatchObject({ status: 'waiting', waiting_for: ['approve'], result: null })
  expect(outcome['gates']).toEqual([expect.objectContaining({ step: 'approve' })])
  expect(contentOf(shop)).toEqual(before)
  return String(outcome['run'])
}

describe('a gate without a terminal', { timeout: 180_000 }, () => {
  it('waits with nothing written, and after an approval the run goes on', async () => {
    const run = await waitingRun()

    const stillWaiting = await command('resume', run)
    expect(stillWaiting.code).toBe(4)
    expect(stillWaiting.stdout).toContain(`baton approve ${run} approve`)
    expect(contentOf(shop)).toEqual(before)

    const unconfirmed = await command('approve', run, 'approve')
    expect(unconfirmed.code).toBe(2)
    expect(unconfirmed.stderr).toBe('baton: approving needs a terminal to show what is approved, or --yes\n')

    const approved = await command('approve', run, 'approve', '--yes')
    expect(approved.code).toBe(0)
    expect(approved.stdout).toContain('repository/apply_patch')
    expect(approved.stdout).toContain('"4.17.15"')
    expect(contentOf(shop)).toEqual(before)

    const again = await command('approve', run, 'approve', '--yes', '--json')
    expect(again.code).toBe(3)
    expect(lastObject(again)).toMatchObject({ status: 'refused', error: { code: 'ERR_APPROVAL_USED' } })

    const resumed = await command('resume', run, '--json')
    expect(resumed.code).toBe(0)
    expect(lastObject(resumed)).toMatchObject({ run, status: 'completed', result: { findings_after: 0 } })
    expect(lockedVersions(shop)['minimist']).not.toBe('1.2.0')

    const after = contentOf(shop)
    const ended = await command('resume', run, '--json')
    expect(ended.code).toBe(3)
    expect(lastObject(ended)).toMatchObject({ error: { code: 'ERR_EXECUTION_ENDED' } })
    expect(contentOf(shop)).toEqual(after)
  })

  it('refuses the run after a denial, with nothing written', async () => {
    const run = await waitingRun()
    const denied = await command('deny', run, 'approve', '--reason', 'not on a Friday', '--json')
    expect(denied.code).toBe(0)
    expect(lastObject(denied)).toMatchObject({ run, gate: 'approve', decision: 'denied' })

    const changedMind = await command('approve', run, 'approve', '--yes', '--json')
    expect(changedMind.code).toBe(3)

    const resumed = await command('resume', run, '--json')
    expect(resumed.code).toBe(3)
    expect(lastObject(resumed)).toMatchObject({
      status: 'refused',
      failure: { code: 'ERR_APPROVAL_DENIED' },
      audit: { verified: true },
    })
    expect(contentOf(shop)).toEqual(before)

    const unknown = await command('approve', run, 'nowhere', '--yes', '--json')
    expect(unknown.code).toBe(2)
    expect(lastObject(unknown)).toMatchObject({ error: { code: 'ERR_APPROVAL_UNKNOWN' } })
  })
})
