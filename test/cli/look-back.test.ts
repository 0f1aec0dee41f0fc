/** What is told about a run afterwards: one run, then every command that looks back. */
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { baton, lastObject } from '../support/cli.js'
import { type Workplace, workplace, writeVulnerableProject } from '../support/vulnerable-project.js'

let place: Workplace
let run: string
beforeAll(async () => {
  place = workplace()
  writeVulnerableProject(place.path('shop'))
  const args = ['run', 'vulnerability-patching', '--input', 'repo=shop', '--approve-all', '--json']
  run = String(lastObject(await baton(args, { cwd: place.folder }))['run'])
}, 120_000)
afterAll(() => place.dispose())

const command = (...args: readonly string[]) => baton(args, { cwd: place.folder })
const piped = (input: string, ...args: readonly string[]) => baton(args, { cwd: place.folder, input })

async function chainOf(step: string): Promise<readonly string[]> {
  const { steps } = lastObject(await command('runs', run, '--json')) as {
    steps: readonly { step: string; chain: readonly string[] }[]
  }
  return steps.find((report) => report.step === step)?.chain ?? []
}

describe('baton runs and baton agents', { timeout: 60_000 }, () => {
  it('list the run, and show it with its steps and events', async () => {
    const list = await command('runs')
    expect(list.code).toBe(0)
    expect(list.stdout).toMatch(new RegExp(`^${run}  vulnerability-patching  completed  `, 'm'))
    const shown = await command('runs', run)
    expect(shown.code).toBe(0)
    expect(shown.stdout).toMatch(/^patch +patcher +completed +1 +repo:write +3 /m)
    expect(shown.stdout).toMatch(/Z {2}patch called repository\/apply_patch$/m)
    expect((await command('runs', 'nix')).code).toBe(2)
  })

  it('list the six agents with their checksums', async () => {
    const { code, stdout } = await command('agents', '--json')
    expect(code).toBe(0)
    const agents = JSON.parse(stdout) as readonly { agentId: string; agentChecksum: string }[]
    expect(agents.map(({ agentId }) => agentId).sort()).toEqual([
      'classifier',
      'patcher',
      'planner',
      'scanner',
      'supervisor',
      'verifier',
    ])
    expect((await command('agents')).stdout).toContain(agents[0]?.agentChecksum.slice(0, 23))
  })
})

describe('baton graph', { timeout: 60_000 }, () => {
  it('draws the workflow as Mermaid text, and as an SVG file', async () => {
    const { code, stdout } = await command('graph', 'vulnerability-patching')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^(flowchart|graph) /m)
    for (const step of ['supervise', 'scan', 'classify', 'plan', 'approve', 'patch', 'verify']) {
      expect(stdout).toContain(step)
    }
    expect((await command('graph', 'vulnerability-patching', '--svg', 'graph.svg')).code).toBe(0)
    expect(readFileSync(place.path('graph.svg'), 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\s*$/)
  })
})

describe('baton inspect', { timeout: 60_000 }, () => {
  it('explains the chain of a step: who, for whom, what, until when, and that each signature holds', async () => {
    const { code, stdout } = await command('inspect', run, 'patch')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^0\. root: os:\S+ \(local\) lets step "supervise" act: agent "supervisor"/m)
    expect(stdout).toMatch(/^1\. step "supervise" lets step "plan" act: agent "planner"/m)
    expect(stdout).toMatch(/^2\. step "plan" lets step "patch" act: agent "patcher"/m)
    expect(stdout).toMatch(/what +scope repo:write; no longer repo:plan$/m)
    expect(stdout).toMatch(/repository is exactly "/)
    expect(stdout.match(/^ {3}until +\d{4}-\d\d-\d\dT\S+Z, in /gm)).toHaveLength(3)
    expect(stdout.match(/^ {3}signature +holds, under the key of /gm)).toHaveLength(3)
    expect(stdout).toMatch(/^As a whole: holds/m)
  })

  it('says which signature does not hold when one byte of it was changed', async () => {
    const chain = await chainOf('patch')
    const whole = await piped(chain.join(','), 'inspect', '-')
    expect(whole.code).toBe(0)
    expect(whole.stdout).not.toContain('DOES NOT HOLD')

    const [root, middle = '', leaf] = chain
    const at = middle.lastIndexOf('.') + 10
    const forged = `${middle.slice(0, at)}${middle[at] === 'A' ? 'B' : 'A'}${middle.slice(at + 1)}`
    const { code, stdout } = await piped([root, forged, leaf].join(','), 'inspect', '-')
    expect(code).toBe(1)
    const signatures = stdout.split('\n').filter((line) => line.startsWith('   signature'))
    expect(signatures.map((line) => line.includes('DOES NOT HOLD'))).toEqual([false, true, false])
    expect(stdout).toMatch(/^As a whole: DOES NOT HOLD/m)
  })

  it('explains a single assertion, and under a stranger’s key it does not hold', async () => {
    const [root = ''] = await chainOf('supervise')
    const own = await command('inspect', root)
    expect(own.code).toBe(0)
    expect(own.stdout).toMatch(/signature +holds/)
    const stranger = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
    writeFileSync(place.path('stranger.json'), JSON.stringify(stranger))
    const foreign = await command('inspect', root, '--key', 'stranger.json')
    expect(foreign.code).toBe(1)
    expect(foreign.stdout).toMatch(/signature +DOES NOT HOLD/)
  })

  it('refuses what is no token, and a step that holds no chain', async () => {
    expect((await command('inspect', 'nonsense')).stderr).toMatch(/^baton: [^\n]+ERR_TOKEN_MALFORMED\)\n$/)
    const gate = await command('inspect', run, 'approve')
    expect(gate.code).toBe(2)
    expect(gate.stderr).toBe('baton: step "approve" of this run holds no chain\n')
  })
})

describe('baton audit verify', { timeout: 60_000 }, () => {
  it('verifies the log, and does not once a byte of it was flipped', async () => {
    const sound = await command('audit', 'verify', '--json')
    expect(sound.code).toBe(0)
    const verdict = lastObject(sound)
    expect(verdict).toEqual({ records: expect.any(Number), root: expect.any(String), ok: true })
    expect(verdict['records']).toBeGreaterThan(20)

    const file = place.path('.baton', 'audit', '00000000.log')
    const bytes = readFileSync(file)
    const flipped = Buffer.from(bytes)
    const at = Math.floor(bytes.length / 2)
    flipped[at] = (flipped[at] ?? 0) ^ 1
    writeFileSync(file, flipped)
    const broken = await command('audit', 'verify', '--json')
    expect(broken.code).toBe(1)
    expect(lastObject(broken)).toMatchObject({ ok: false, first_bad: expect.anything() })
    expect((await command('audit', 'verify')).stdout).toMatch(/^THE LOG DOES NOT VERIFY/)

    writeFileSync(file, bytes)
    expect((await command('audit', 'verify')).code).toBe(0)
  })

  it('does not verify under another key, nor against a checkpoint of another log', async () => {
    const vkey = readFileSync(place.path('.baton', 'audit', 'verifier.vkey'), 'utf8').trim()
    expect((await command('audit', 'verify', '--key', vkey)).code).toBe(0)
    const missing = await command('audit', 'verify', '--checkpoint', 'gone')
    expect(missing.code).toBe(2)
  })
})
