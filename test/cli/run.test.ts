import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
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
beforeEach(() => {
  place = workplace()
})
afterEach(() => place.dispose())

const patching = ['run', 'vulnerability-patching', '--input', 'repo=shop']

describe('baton run', { timeout: 180_000 }, () => {
  it('patches a project in place and ends with one JSON object, and finds nothing the second time', async () => {
    const shop = writeVulnerableProject(place.path('shop'))
    const first = await baton([...patching, '--approve-all', '--json'], { cwd: place.folder })
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.lines).toHaveLength(1)
    const outcome = lastObject(first)
    expect(outcome).toMatchObject({
      run: expect.stringMatching(/^[0-9a-f-]{36}$/),
      workflow: 'vulnerability-patching',
      status: 'completed',
      audit: { records: expect.any(Number), root: expect.any(String), verified: true },
    })
    const steps = outcome['steps'] as readonly Record<string, unknown>[]
    expect(steps.map(({ step, agent, hops }) => [step, agent, hops])).toEqual([
      ['supervise', 'supervisor', 1],
      ['scan', 'scanner', 2],
      ['classify', 'classifier', 2],
      ['plan', 'planner', 2],
      ['patch', 'patcher', 3],
      ['verify', 'verifier', 2],
    ])
    for (const step of steps) {
      expect(step).toMatchObject({
        agent_checksum: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        scope: expect.any(String),
        attempt: 1,
        ms: expect.any(Number),
      })
    }
    const result = outcome['result'] as Record<string, unknown>
    expect(result).toMatchObject({ findings_after: 0, unfixable: [] })
    expect(result['findings_before']).toBeGreaterThanOrEqual(2)
    const patched = result['patched'] as readonly Record<string, unknown>[]
    expect(patched.map(({ package: name, from }) => [name, from])).toEqual([
      ['lodash', '4.17.15'],
      ['minimist', '1.2.0'],
    ])
    expect(patched[0]?.['advisories']).toEqual(expect.arrayContaining([expect.stringMatching(/^GHSA-/)]))
    expect(lockedVersions(shop)).toEqual({ lodash: patched[0]?.['to'], minimist: patched[1]?.['to'] })

    const before = contentOf(shop)
    const second = await baton([...patching, '--approve-all', '--json'], { cwd: place.folder })
    expect(second.code).toBe(0)
    expect(lastObject(second)).toMatchObject({
      status: 'completed',
      result: { findings_before: 0, findings_after: 0, patched: [] },
    })
    expect(contentOf(shop)).toEqual(before)
  })

  it('prints plain lines in a pipe and a report, and --approve opens the gate it names', async () => {
    const shop = writeVulnerableProject(place.path('shop'))
    const { code, stdout, lines } = await baton([...patching, '--approve', 'approve'], { cwd: place.folder })
    expect(code).toBe(0)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    expect(lines[0]).toBe('run started')
    expect(stdout).toMatch(/^patch +patcher +sha256:[0-9a-f]{12} +repo:write +3 /m)
    expect(stdout).toMatch(/^approve +\(gate\) /m)
    expect(stdout).toMatch(/^audit: \d+ records under a signed checkpoint, verified/m)
    expect(lockedVersions(shop)['lodash']).not.toBe('4.17.15')
  })

  it('refuses a misspelt gate before anything starts', async () => {
    const shop = writeVulnerableProject(place.path('shop'))
    const before = contentOf(shop)
    const { code, stderr } = await baton([...patching, '--approve', 'aprove'], { cwd: place.folder })
    expect(code).toBe(2)
    expect(stderr).toBe('baton: --approve "aprove": this workflow has no such gate; its gates: approve\n')
    expect(contentOf(shop)).toEqual(before)
  })

  it('takes the advisories of a folder in place of its own', async () => {
    const shop = writeVulnerableProject(place.path('shop'))
    mkdirSync(place.path('osv'))
    const record = {
      id: 'TEST-1',
      modified: '2024-01-01T00:00:00Z',
      affected: [
        {
          package: { ecosystem: 'npm', name: 'minimist' },
          ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.2.9' }] }],
        },
      ],
    }
    writeFileSync(place.path('osv', 'TEST-1.json'), JSON.stringify(record))
    const args = [...patching, '--advisories', 'osv', '--approve-all', '--json', '--state', 'kept']
    const run = await baton(args, { cwd: place.folder })
    expect(run.code).toBe(0)
    expect(lastObject(run)).toMatchObject({
      result: { patched: [{ package: 'minimist', from: '1.2.0', to: '1.2.9', advisories: ['TEST-1'] }] },
    })
    expect(lockedVersions(shop)).toEqual({ lodash: '4.17.15', minimist: '1.2.9' })
    expect(readFileSync(place.path('kept', 'audit', 'verifier.vkey'), 'utf8')).toContain('+')
  })
})
