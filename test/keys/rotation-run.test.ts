/** The authority's key changes while a run goes on: at the authority, at a guard, and in a whole runtime. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createRuntime } from '../../runtime/compose.js'
import { defineAgent, defineTool } from '../../runtime/identity/define.js'
import { createAuthorityKeys } from '../../runtime/keys/authority-keys.js'
import type { SigningKey } from '../../runtime/keys/signing-key.js'
import type { RuntimeOptions } from '../../runtime/parts.js'
import { createDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { defineWorkflow } from '../../runtime/workflow/define.js'
import { attack } from '../support/attack.js'
import { type House, openHouse, startRun, tokenRequest } from '../support/authority-house.js'
import { expectCode } from '../support/expect-code.js'
import { type FakeClock, fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { changed, claimsOf, forge } from '../support/forger.js'
import { type Counter, counter } from '../support/guard-house.js'
import { issuer } from '../support/intent-claims.js'

const start = fakeClock().nowMs() / 1000
/** When the second key begins to sign, in seconds from the start. */
const turn = 100
const first = fixedKey('authority')
// The second signs otherwise, so that both algorithms are in use at once.
const second = keyring.es256FromSeed(new Uint8Array(48).fill(5))
const epochs = [
  { epoch: 0, from: 0 },
  { epoch: 1, from: start + turn, algorithm: 'ES256' },
] as const

interface Setting extends Counter {
  at(seconds: number): void
  /** The code of the refusal, undefined when the call went through. */
  codeOf(token?: string, chain?: readonly string[]): Promise<unknown>
  /** The step's token with other times, under this key of the authority. */
  signedBy(key: SigningKey, iat: number): string
}

/** A run that starts before the change, in which a step holds a token. */
async function runBefore(step = 'look'): Promise<Setting> {
  const house = await rotatingHouse()
  const guard = { trustedKeys: house.deps.keys.trustedKeys }
  const tool = step === 'look' ? 'stock/read' : 'stock/count'
  const setting = await counter(step, tool, { item: 'apples' }, { house, guard })
  return {
    ...setting,
    at: (seconds) => moveTo(house.clock, seconds),
    async codeOf(token, chain) {
      const response = await setting.send({ ...(token && { token }), ...(chain && { chain }) })
      return response.status === 200 ? undefined : ((await response.json()) as { code?: unknown }).code
    },
    signedBy: (key, iat) =>
      forge(
        { alg: key.publicKey.alg, typ: 'at+jwt', kid: key.publicKey.thumbprint },
        changed(claimsOf(setting.token), { iat: start + iat, exp: start + iat + 300 }),
        key,
      ),
  }
}

function moveTo(clock: FakeClock, seconds: number): void {
  clock.advanceSeconds(start + seconds - clock.nowMs() / 1000)
}

async function rotatingHouse(): Promise<House> {
  let house: House | undefined
  const clock = { nowMs: () => house?.clock.nowMs() ?? start * 1000 }
  const keyAt = ({ epoch }: { epoch: number }) => (epoch === 0 ? first : second)
  house = await openHouse({ keys: createAuthorityKeys({ epochs, keyAt, clock }) })
  return house
}

function headerOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
}

function requestNow({ house, activation }: Counter, tool = 'stock/read') {
  const proof = createDpopProof(
    { method: 'POST', url: `${issuer}/token` },
    fixedKey(activation.agentId ?? ''),
    house,
  )
  return house.authority.issue(tokenRequest(activation, tool, { proof }))
}

describe('a change of the authority’s key', () => {
  it('interrupts no call and no run: old token, then old root with a new token', async () => {
    const run = await runBefore()
    expect(headerOf(run.token)).toMatchObject({ alg: 'Ed25519', kid: first.publicKey.thumbprint })
    for (const second of [turn - 1, turn, turn + 199]) {
      run.at(second)
      expect(await run.codeOf()).toBeUndefined()
    }
    // Far beyond what an intent token's key is believed for: the root is older than that.
    run.at(turn + 2000)
    const { accessToken } = await requestNow(run)
    expect(headerOf(accessToken)).toMatchObject({ alg: 'ES256', kid: second.publicKey.thumbprint })
    expect(headerOf(run.activation.chain[0] ?? '')).toMatchObject({ kid: first.publicKey.thumbprint })
    expect(await run.codeOf(accessToken)).toBeUndefined()
  })

  it('signs new roots with the new key from the second of the change on', async () => {
    const house = await rotatingHouse()
    const rootAt = async (seconds: number) => {
      moveTo(house.clock, seconds)
      return headerOf((await startRun(house)).execution.root)
    }
    expect(await rootAt(turn - 1)).toMatchObject({ alg: 'Ed25519', kid: first.publicKey.thumbprint })
    expect(await rootAt(turn)).toMatchObject({ alg: 'ES256', kid: second.publicKey.thumbprint })
  })

  attack('X8', 'a token of the epoch before is believed in the overlap and not after', async () => {
    const run = await runBefore()
    run.at(turn + 929)
    expect(await run.codeOf(run.signedBy(first, turn + 900))).toBeUndefined()
    run.at(turn + 930)
    expect(await run.codeOf(run.signedBy(first, turn + 900))).toBe('ERR_SIGNATURE_INVALID')
    expect(await run.codeOf(run.signedBy(second, turn + 900))).toBeUndefined()
  })

  attack('X8', 'a token of an epoch to come is refused, save for the skew of a clock', async () => {
    const run = await runBefore()
    run.at(turn - 31)
    expect(await run.codeOf(run.signedBy(second, turn - 31))).toBe('ERR_SIGNATURE_INVALID')
    expect(await run.codeOf(run.signedBy(first, turn - 31))).toBeUndefined()
    run.at(turn - 30)
    expect(await run.codeOf(run.signedBy(second, turn - 30))).toBeUndefined()
  })

  attack('T11', 'a root of an epoch to come is refused, save for the skew of a clock', async () => {
    const run = await runBefore()
    const [root = '', leaf = ''] = run.activation.chain
    const { thumbprint: kid, alg } = second.publicKey
    const early = forge({ alg, typ: 'delegation+jwt', kid }, claimsOf(root), second)
    run.at(turn - 31)
    expect(await run.codeOf(undefined, [early, leaf])).toBe('ERR_CHAIN_ROOT_UNTRUSTED')
    expect(await run.codeOf()).toBeUndefined()
    run.at(turn - 30)
    // Now its root is believed; the leaf was made under the other one.
    expect(await run.codeOf(undefined, [early, leaf])).toBe('ERR_CHAIN_LINK')
  })

  it('leaves an approval good that was given before it, for as long as approvals are', async () => {
    const run = await runBefore('write')
    run.at(turn + 2000)
    const { accessToken } = await requestNow(run, 'stock/write')
    expect(claimsOf(accessToken)).toMatchObject({ intent: { use: 'once' } })
    await expectCode(() => requestNow(run, 'stock/write'), 'ERR_APPROVAL_USED')
  })
})

describe('a runtime', () => {
  const clock = fakeClock()
  const add = defineTool({
    name: 'sum/add',
    description: 'Adds two numbers.',
    parameters: z.object({ a: z.number(), b: z.number() }),
    scope: 'sum:add',
    run: ({ a, b }: { a: number; b: number }) => ({ sum: a + b }),
  })
  const adder = defineAgent({
    id: 'adder',
    prompt: 'Add.',
    tools: [add],
    scopes: ['sum:add'],
    async run(context) {
      const one = await context.tool('sum/add')({ a: 1, b: 2 })
      clock.advanceSeconds(500) // beyond the token's life, so that the second call is made under another
      const two = await context.tool('sum/add')({ a: 3, b: 4 })
      return { one, two }
    },
  })
  const workflow = defineWorkflow({
    id: 'adding',
    version: '1.0.0',
    description: 'Adds twice.',
    parameters: {},
    entry: 'add',
    grant: { scope: ['sum:add'], tools: { 'sum/add': {} } },
    steps: [{ id: 'add', agent: 'adder' }],
    result: 'add',
  })
  const masterSecret = new Uint8Array(32).fill(9)
  const open = (options: RuntimeOptions = {}) => createRuntime({ clock, masterSecret, ...options })
  const kidsOf = async (options: RuntimeOptions) => {
    const runtime = await open(options)
    const { keys } = runtime.jwkSet()
    await runtime.close()
    return keys.map(({ alg, kid }) => `${alg} ${kid}`)
  }
  const result = { one: { sum: 3 }, two: { sum: 7 } }

  async function addTwice(options: RuntimeOptions) {
    const runtime = await open(options)
    await runtime.register({ agents: [adder] })
    const run = await runtime.start(workflow, { input: {} })
    const { output, failure } = await run.result()
    const { execution } = await runtime.run(run.id)
    await runtime.close()
    return { output, failure, root: headerOf(execution.root) }
  }

  it('signs with ES256 where that is configured, and its agents with Ed25519 as ever', async () => {
    const { output, failure, root } = await addTwice({ authorityAlgorithm: 'ES256' })
    expect(failure).toBeUndefined()
    expect(output).toEqual(result)
    expect(root).toMatchObject({ alg: 'ES256' })
  })

  it('comes to the same keys after a restart, and needs nothing but secret, issuer and schedule for it', async () => {
    const soon = [
      { epoch: 0, from: 0 },
      { epoch: 1, from: clock.nowMs() / 1000 + 200, algorithm: 'ES256' },
    ] as const
    const kids = await kidsOf({ authorityKeyEpochs: soon })
    expect(kids.map((kid) => kid.split(' ')[0])).toEqual(['ES256', 'Ed25519'])
    expect(await kidsOf({ authorityKeyEpochs: soon, store: 'memory:' })).toEqual(kids)
    expect(await kidsOf({})).toEqual(kids.slice(1))
    expect(await kidsOf({ masterSecret: new Uint8Array(32).fill(8) })).not.toEqual(kids.slice(1))
    expect(await kidsOf({ issuer: 'https://another.example' })).not.toEqual(kids.slice(1))
  })

  it('goes through a change in the middle of a step', async () => {
    const options = {
      authorityKeyEpochs: [
        { epoch: 0, from: 0 },
        { epoch: 1, from: clock.nowMs() / 1000 + 400, algorithm: 'ES256' },
      ] as const,
    }
    const { output, failure, root } = await addTwice(options)
    expect(failure).toBeUndefined()
    expect(output).toEqual(result)
    expect(root).toMatchObject({ alg: 'Ed25519' })
  })

  it('does not open with a schedule that is none, or an algorithm there is not', async () => {
    for (const options of [
      { authorityKeyEpochs: [] },
      { authorityKeyEpochs: [{ epoch: 0, from: clock.nowMs() / 1000 + 1 }] },
      { authorityAlgorithm: 'RS256' as 'ES256' },
    ]) {
      await expect(open(options)).rejects.toThrow(TypeError)
    }
  })
})
