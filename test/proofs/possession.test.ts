import { describe, expect, it } from 'vitest'
import {
  createDpopProof,
  createInvocationProof,
  createMemorySingleUse,
  verifyDpopProof,
  verifyInvocationProof,
} from '../../runtime/index.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey } from '../support/fixed-keys.js'
import { withPolluted } from '../support/polluted.js'

const agent = fixedKey('scanner')
const key = agent.publicKey
const longAgo = { clock: { nowMs: () => Date.now() - 3_600_000 } }

describe('a DPoP proof made by a program', () => {
  const call = { method: 'POST', url: 'https://orders.example/read', accessToken: 'token' }

  it('verifies now, by the system clock, and once', async () => {
    const singleUse = createMemorySingleUse()
    const proof = createDpopProof({ ...call, ordinal: 3 }, agent)
    const { ordinal, key: proven } = await verifyDpopProof(proof, { ...call, key, singleUse })
    expect([ordinal, proven.thumbprint]).toEqual([3, key.thumbprint])
    await expectCode(verifyDpopProof(proof, { ...call, key, singleUse }), 'ERR_PROOF_REPLAYED')
  })

  it('verifies at the time that is given', async () => {
    const clock = fakeClock()
    const now = Math.floor(clock.nowMs() / 1000)
    const proof = createDpopProof(call, agent, { clock })
    await expectCode(
      verifyDpopProof(proof, { ...call, key, now: now + 61, singleUse: createMemorySingleUse({ clock }) }),
      'ERR_PROOF_STALE',
    )
    await verifyDpopProof(proof, { ...call, key, now: now + 60, singleUse: createMemorySingleUse({ clock }) })
  })

  attack('T2', 'long ago is stale when nobody says what time it is', async () => {
    const proof = createDpopProof(call, agent, longAgo)
    await expectCode(
      verifyDpopProof(proof, { ...call, key, singleUse: createMemorySingleUse() }),
      'ERR_PROOF_STALE',
    )
  })
})

describe('the rules of a DPoP proof', () => {
  const call = { method: 'POST', url: 'https://orders.example/read', accessToken: 'token' }
  const request = { query: '', contentType: 'application/json', body: Buffer.from('{}') }
  const verify = (changes: object, proof = createDpopProof(call, agent)) =>
    verifyDpopProof(proof, { ...call, key, singleUse: createMemorySingleUse(), ...changes } as never)

  attack(['T2', 'T3'], 'are no weaker where one was forgotten: given, and nothing', async () => {
    const forgotten = ['accessToken', 'key', 'request', 'nonces', 'singleUse', 'method', 'url']
    for (const name of forgotten)
      for (const nothing of [undefined, null, false, 0])
        await expect(verify({ [name]: nothing }), `${name}: ${nothing}`).rejects.toThrow(TypeError)
    await verify({})
  })

  attack('T3', 'ask for the key of a token, and take a key without a token', async () => {
    const { accessToken, ...untied } = call
    const rules = { ...untied, singleUse: createMemorySingleUse() }
    const stolen = createDpopProof(call, fixedKey('stranger'))
    // @ts-expect-error: nor does the compiler take a token without its key
    await expect(verifyDpopProof(stolen, { ...rules, accessToken })).rejects.toThrow(TypeError)
    await expectCode(verifyDpopProof(stolen, { ...rules, accessToken, key }), 'ERR_PROOF_KEY')
    // At a token endpoint there is no token yet: the proof tells the key, or a registered one is demanded.
    const first = () => createDpopProof(untied, agent)
    expect((await verifyDpopProof(first(), rules)).key.thumbprint).toBe(key.thumbprint)
    expect((await verifyDpopProof(first(), { ...rules, key })).key.thumbprint).toBe(key.thumbprint)
    for (const nothing of [undefined, null, false])
      await expect(verifyDpopProof(first(), { ...rules, key: nothing } as never)).rejects.toThrow(TypeError)
  })

  attack('T2', 'are not met by a promise, or by anything else that only looks like yes', async () => {
    const proof = createDpopProof({ ...call, nonce: 'made up' }, agent)
    for (const answer of [Promise.resolve(false), 1, 'no', {}]) {
      await expectCode(verify({ nonces: { accepts: () => answer } }, proof), 'ERR_PROOF_NONCE')
      const settled = await answer
      await expectCode(verify({ singleUse: { claim: async () => settled } }, proof), 'ERR_PROOF_REPLAYED')
    }
    await verify({ nonces: { accepts: () => true } }, proof)
  })

  attack('X10', 'are those that were given, whatever every object inherits', async () => {
    const old = createDpopProof(call, agent, longAgo)
    const now = Math.floor(longAgo.clock.nowMs() / 1000)
    await expectCode(
      withPolluted('now', now, () => verify({}, old)),
      'ERR_PROOF_STALE',
    )
    await withPolluted('accessToken', 'another', () => verify({}))
    for (const rules of [Object.create({ method: 'POST' }), new (class Rules {})(), [], undefined])
      await expect(verifyDpopProof(old, rules as never)).rejects.toThrow(TypeError)
  })

  attack('T2', 'are all in the object itself: what its prototype asks for would be lost', async () => {
    const rules = { ...call, key, singleUse: createMemorySingleUse() }
    const asking = Object.setPrototypeOf({ ...rules }, { request })
    await expect(verifyDpopProof(createDpopProof(call, agent), asking)).rejects.toThrow(TypeError)
    const bare = Object.setPrototypeOf({ ...rules }, null)
    await verifyDpopProof(createDpopProof(call, agent), bare)
  })

  attack('X18', 'are read once, before the first pause', async () => {
    const rules = { ...call, key, singleUse: createMemorySingleUse() }
    const answers = [key, fixedKey('stranger').publicKey]
    const shifting = Object.defineProperty({ ...rules }, 'key', {
      enumerable: true,
      get: () => answers.shift(),
    })
    const verified = await verifyDpopProof(createDpopProof(call, agent), shifting)
    expect(verified.key.thumbprint).toBe(key.thumbprint)
    expect(answers).toHaveLength(1)
    expect(Object.isFrozen(verified)).toBe(true)
  })

  it('name a key that was read, and a request whole', async () => {
    await expect(verify({ key: key.jwk })).rejects.toThrow(TypeError)
    await expect(verify({ key: { thumbprint: key.thumbprint } })).rejects.toThrow(TypeError)
    const proof = createDpopProof({ ...call, request }, agent)
    for (const changes of [
      { query: undefined },
      { contentType: undefined },
      { body: new ArrayBuffer(2) },
      { body: '{}' },
    ]) {
      const odd = { ...request, ...changes } as never
      await expect(verify({ request: odd }, proof)).rejects.toThrow(TypeError)
      expect(() => createDpopProof({ ...call, request: odd }, agent)).toThrow(TypeError)
    }
    await verify({ request }, proof)
    const body = Uint8Array.from(request.body)
    await verify({ request: { ...request, body } }, createDpopProof({ ...call, request }, agent))
  })

  it('take a time between two seconds, and no milliseconds', async () => {
    await verify({ now: Date.now() / 1000 })
    await expectCode(verify({ now: Date.now() }), 'ERR_PROOF_STALE')
    for (const now of [Number.NaN, Infinity, null, '1', 1n])
      await expect(verify({ now })).rejects.toThrow(TypeError)
  })

  attack('T2', 'let one of many callers at once through', async () => {
    const singleUse = createMemorySingleUse()
    const proof = createDpopProof(call, agent)
    const outcomes = await Promise.allSettled(Array.from({ length: 25 }, () => verify({ singleUse }, proof)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})

it('a proof that no verifier would read is not made', () => {
  const call = { method: 'POST', url: 'https://orders.example/read' }
  const invocation = { leafId: 'leaf-1', tool: 't', audience: 'urn:tools', args: {}, accessToken: 'token' }
  for (const ordinal of [-1, 1.5, Number.NaN, '0', null]) {
    expect(() => createDpopProof({ ...call, ordinal } as never, agent)).toThrow(TypeError)
    expect(() => createInvocationProof({ ...invocation, ordinal } as never, agent)).toThrow(TypeError)
  }
  for (const nothing of [undefined, null, '', 7]) {
    for (const name of ['method', 'url'])
      expect(() => createDpopProof({ ...call, [name]: nothing } as never, agent)).toThrow(TypeError)
    for (const name of ['leafId', 'tool', 'audience'])
      expect(() => createInvocationProof({ ...invocation, [name]: nothing } as never, agent)).toThrow(
        TypeError,
      )
  }
  expect(() => createDpopProof({ ...call, nonce: 7 } as never, agent)).toThrow(TypeError)
  for (const args of [[], 'path', null, undefined])
    expect(() => createInvocationProof({ ...invocation, args } as never, agent)).toThrow(TypeError)
  expect(createDpopProof({ ...call, ordinal: 0 }, agent)).toBeTypeOf('string')
  expect(createInvocationProof({ ...invocation, ordinal: 0 }, agent)).toBeTypeOf('string')
})

describe('an invocation proof made by a program', () => {
  const call = {
    leafId: 'leaf-1',
    tool: 'files/write',
    audience: 'urn:tools',
    args: { path: '/srv' },
    accessToken: 'token',
  }

  it('verifies now, by the system clock, and once', async () => {
    const singleUse = createMemorySingleUse()
    const proof = createInvocationProof(call, agent)
    expect((await verifyInvocationProof(proof, { ...call, key, singleUse })).ordinal).toBe(0)
    await expectCode(verifyInvocationProof(proof, { ...call, key, singleUse }), 'ERR_PROOF_REPLAYED')
  })

  it('verifies at the time that is given', async () => {
    const clock = fakeClock()
    const now = Math.floor(clock.nowMs() / 1000)
    const proof = createInvocationProof(call, agent, { clock })
    const singleUse = createMemorySingleUse({ clock })
    await expectCode(
      verifyInvocationProof(proof, { ...call, key, singleUse, now: now + 31 }),
      'ERR_PROOF_STALE',
    )
    await verifyInvocationProof(proof, { ...call, key, singleUse, now: now + 30 })
  })

  attack('T2', 'long ago is stale when nobody says what time it is', async () => {
    const proof = createInvocationProof(call, agent, longAgo)
    await expectCode(
      verifyInvocationProof(proof, { ...call, key, singleUse: createMemorySingleUse() }),
      'ERR_PROOF_STALE',
    )
    const now = Math.floor(longAgo.clock.nowMs() / 1000)
    const rules = { ...call, key, singleUse: createMemorySingleUse() }
    await expectCode(
      withPolluted('now', now, () => verifyInvocationProof(proof, rules)),
      'ERR_PROOF_STALE',
    )
  })

  attack('T3', 'is held to every rule: none can be forgotten, and a key answers at once', async () => {
    const proof = createInvocationProof(call, agent)
    const rules = { ...call, key, singleUse: createMemorySingleUse() }
    for (const name of ['leafId', 'tool', 'audience', 'accessToken', 'key', 'singleUse'])
      for (const nothing of [undefined, null, 0])
        await expect(
          verifyInvocationProof(proof, { ...rules, [name]: nothing } as never),
          `${name}: ${nothing}`,
        ).rejects.toThrow(TypeError)
    const late = { ...fixedKey('stranger').publicKey, verify: async () => false }
    await expectCode(verifyInvocationProof(proof, { ...rules, key: late as never }), 'ERR_SIGNATURE_INVALID')
    await verifyInvocationProof(proof, rules)
  })

  attack(
    'X18',
    'gives the arguments that were proven, whatever becomes of those that were passed',
    async () => {
      const args = { path: '/srv', flags: { force: false } }
      const proof = createInvocationProof({ ...call, args }, agent)
      const pending = verifyInvocationProof(proof, { ...call, args, key, singleUse: createMemorySingleUse() })
      args.path = '/etc'
      args.flags.force = true
      const verified = await pending
      expect(verified.args).toEqual({ path: '/srv', flags: { force: false } })
      for (const frozen of [verified, verified.args, verified.args['flags']])
        expect(Object.isFrozen(frozen)).toBe(true)
    },
  )
})
