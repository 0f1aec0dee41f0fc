import { describe, expect, it } from 'vitest'
import {
  checkArguments,
  createLinkCache,
  deriveAssertion,
  exportJwkSet,
  issueRootAssertion,
  type RootRequest,
  subsumes,
  type ToolGrants,
  type VerifiedLink,
  verifyChain,
} from '../../runtime/index.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey, smallOrderJwk } from '../support/fixed-keys.js'
import { issuer } from '../support/intent-claims.js'
import { withPolluted } from '../support/polluted.js'

const [authority, planner, patcher, stranger] = ['authority', 'planner', 'patcher', 'stranger'].map(
  fixedKey,
) as [
  ReturnType<typeof fixedKey>,
  ReturnType<typeof fixedKey>,
  ReturnType<typeof fixedKey>,
  ReturnType<typeof fixedKey>,
]
const agentProof = { agentChecksum: `sha256:${'a'.repeat(64)}`, registrationId: 'registration-1' }
const tools = { 'files/write': { path: { constraint_type: 'path_containment', root: '/srv' } } } as const
const unknown = {
  'files/write': { path: { constraint_type: 'regex', value: '.*' } },
} as unknown as ToolGrants

const rootRequest: RootRequest = {
  issuer,
  initiatedBy: 'user:ada',
  auth: { method: 'password', time: 1_700_000_000 },
  executionId: 'execution-1',
  workflowId: 'patching',
  workflowStep: 'plan',
  intentHash: `sha256:${'b'.repeat(64)}`,
  agentProof,
  delegatee: planner.publicKey,
  tools,
  scope: ['files:write'],
  maxDepth: 2,
  lifetimeSeconds: 3600,
}
const handOver = {
  delegatee: patcher.publicKey,
  tools,
  scope: ['files:write'],
  agentProof,
  intent: { workflowStep: 'patch', activationId: 'activation-1' },
}
const root = (changes: Partial<RootRequest> = {}) =>
  issueRootAssertion({ ...rootRequest, ...changes }, authority)
const rules = { issuer, trustedKeys: [authority.publicKey] }

describe('a chain made by a program', () => {
  const chain = [root()]
  chain.push(deriveAssertion({ chain }, handOver, planner))

  it('verifies now, and says what is left, what was checked and what is open', () => {
    const cache = createLinkCache()
    const verified = verifyChain(chain, { ...rules, cache })
    expect(cache.size).toBe(2)
    expect(verified.toolGrants).toEqual(tools)
    expect(verified.scope).toEqual(['files:write'])
    expect(verified.key.thumbprint).toBe(patcher.publicKey.thumbprint)
    expect(verified.checked).toEqual(['I1', 'I2', 'I3', 'I4', 'I5', 'I7'])
    expect(verified.open).toEqual(['I6', 'I8', 'I9'])
  })

  it('verifies under a JWK Set, and not under a stranger’s', async () => {
    const setOf = (key: typeof authority) => exportJwkSet([key.publicKey])
    expect(verifyChain(chain, { ...rules, trustedKeys: setOf(authority) }).hops).toHaveLength(2)
    await expectCode(
      () => verifyChain(chain, { ...rules, trustedKeys: setOf(stranger) }),
      'ERR_CHAIN_ROOT_UNTRUSTED',
    )
  })

  attack('T2', 'long ago is over when nobody says what time it is', async () => {
    const clock = { nowMs: () => Date.now() - 7_200_000 }
    const old = issueRootAssertion(rootRequest, authority, { clock })
    await expectCode(() => verifyChain([old], rules), 'ERR_TOKEN_EXPIRED')
    const now = Math.floor(clock.nowMs() / 1000)
    expect(verifyChain([old], { ...rules, now }).hops).toHaveLength(1)
    await expectCode(() => deriveAssertion({ chain: [old] }, handOver, planner), 'ERR_TOKEN_EXPIRED')
    expect(deriveAssertion({ chain: [old] }, handOver, planner, { clock })).toBeTypeOf('string')
  })

  attack('T9', 'grants nothing that no verifier would understand', async () => {
    await expectCode(() => root({ tools: unknown }), 'ERR_CONSTRAINT_INVALID')
    await expectCode(
      () => deriveAssertion({ chain }, { ...handOver, tools: unknown }, patcher),
      'ERR_CONSTRAINT_INVALID',
    )
    await expectCode(() => root({ workflowId: 'no identifier' }), 'ERR_CLAIM_INVALID')
    for (const scope of [['files:write files:read'], [['files:write']], [7], 'files:write'])
      expect(() => root({ scope: scope as string[] })).toThrow(TypeError)
    expect(root({ scope: ['files:write', 'files:read'] })).toBeTypeOf('string')
  })
})

describe('a hop that no verifier would read is not signed', () => {
  const chain = [root()]
  const { jwk } = patcher.publicKey

  attack('X16', 'with a private key in it', async () => {
    const secret = { ...patcher.publicKey, jwk: { ...jwk, d: jwk.x } } as never
    await expectCode(() => root({ delegatee: secret }), 'ERR_KEY_INVALID')
    await expectCode(
      () => deriveAssertion({ chain }, { ...handOver, delegatee: secret }, planner),
      'ERR_KEY_INVALID',
    )
  })

  attack('X9', 'for a key that is none, or that anybody can sign with', async () => {
    const small = { ...patcher.publicKey, jwk: smallOrderJwk } as never
    await expectCode(() => root({ delegatee: small }), 'ERR_KEY_SMALL_ORDER')
    for (const odd of [jwk, patcher, undefined, null, {}]) {
      const delegatee = odd as never
      await expectCode(() => root({ delegatee }), 'ERR_KEY_INVALID')
      await expectCode(
        () => deriveAssertion({ chain }, { ...handOver, delegatee }, planner),
        'ERR_KEY_INVALID',
      )
    }
    expect(deriveAssertion({ chain }, handOver, planner)).toBeTypeOf('string')
  })

  it('when it does not say who asked, and how that is known', () => {
    for (const name of ['initiatedBy', 'auth']) expect(() => root({ [name]: undefined })).toThrow(TypeError)
    expect(verifyChain([root()], rules).root.initiatedBy).toBe('user:ada')
  })
})

describe('the rules of a chain', () => {
  const chain = [root()]
  chain.push(deriveAssertion({ chain }, handOver, planner))

  it('say whose it is', () => {
    for (const nothing of [undefined, null, '', [issuer]])
      expect(() => verifyChain(chain, { ...rules, issuer: nothing } as never)).toThrow(TypeError)
    for (const odd of [undefined, null, Object.create(rules)])
      expect(() => verifyChain(chain, odd as never)).toThrow(TypeError)
    expect(verifyChain(chain, rules).hops).toHaveLength(2)
  })

  attack('X10', 'are those that were given, whatever every object inherits', async () => {
    const clock = { nowMs: () => Date.now() - 7_200_000 }
    const old = issueRootAssertion(rootRequest, authority, { clock })
    const now = Math.floor(clock.nowMs() / 1000)
    await withPolluted('now', now, () => expectCode(() => verifyChain([old], rules), 'ERR_TOKEN_EXPIRED'))
    withPolluted('cache', {}, () => expect(verifyChain(chain, rules).hops).toHaveLength(2))
    const wider = withPolluted('lifetimeSeconds', 60, () => deriveAssertion({ chain }, handOver, patcher))
    const { leaf, root: first } = verifyChain([...chain, wider], rules)
    expect(leaf.exp).toBe(first.exp)
  })

  attack('X8', 'are asked of a list of texts alone', async () => {
    for (const odd of [undefined, null, chain[0], { length: 1 }, { 0: chain[0], length: 1 }, Array(2), [7]])
      await expectCode(() => verifyChain(odd as never, rules), 'ERR_TOKEN_MALFORMED')
    await expectCode(() => verifyChain([], rules), 'ERR_CHAIN_EMPTY')
    await expectCode(() => verifyChain(Array(2 ** 31), rules), 'ERR_CHAIN_TOO_LONG')
  })

  it('give facts that nobody can change, whether they are remembered or not', () => {
    const cache = createLinkCache()
    for (const verified of [
      verifyChain(chain, { ...rules, cache }),
      verifyChain(chain, { ...rules, cache }),
    ]) {
      const { hops, checked, open, toolGrants, scope, leaf } = verified
      for (const part of [verified, hops, checked, open, toolGrants, scope, leaf, leaf.intent, leaf.jwk])
        expect(Object.isFrozen(part)).toBe(true)
    }
    const kept: VerifiedLink[] = []
    const own = { get: () => undefined, set: (_: string, link: VerifiedLink) => kept.push(link), size: 0 }
    verifyChain(chain, { ...rules, cache: own })
    expect(kept.map((link) => Object.isFrozen(link))).toEqual([true, true])
  })
})

describe('arguments', () => {
  it('are checked against a grant from outside', async () => {
    const path = (path: string) => () => checkArguments(tools, 'files/write', { path })
    path('/srv/shop')()
    await expectCode(path('/etc'), 'ERR_ARGUMENT_REFUSED')
    await expectCode(() => checkArguments(tools, 'files/read', {}), 'ERR_TOOL_NOT_GRANTED')
  })

  it.each([undefined, null, 'files/write', [], unknown, { 'files/write': { path: {} } }])(
    'are refused under %o',
    async (grants) => {
      await expectCode(
        () => checkArguments(grants, 'files/write', { path: '/srv/shop' }),
        'ERR_CONSTRAINT_INVALID',
      )
    },
  )

  attack('X10', 'pass under no grant of a prototype', async () => {
    const inherited = Object.create({ 'files/write': {} })
    await expectCode(() => checkArguments(inherited, 'files/write', {}), 'ERR_CONSTRAINT_INVALID')
    await expectCode(() => checkArguments({}, 'constructor', {}), 'ERR_TOOL_NOT_GRANTED')
  })

  attack('X16', 'for a tool with a name that is none are refused without the name', () => {
    for (const name of ['a secret', '', 'x'.repeat(129), undefined as unknown as string])
      expect(() => checkArguments(tools, name, { path: '/srv/shop' })).toThrow(
        expect.objectContaining({ code: 'ERR_TOOL_NOT_GRANTED', message: 'the tool is not granted' }),
      )
  })
})

describe('a constraint', () => {
  const upTo = (max: number) => ({ constraint_type: 'range', max })

  it('is narrower than another, or it is not', () => {
    expect(subsumes(upTo(100), upTo(50))).toBe(true)
    expect(subsumes(upTo(50), upTo(100))).toBe(false)
    expect(subsumes({ constraint_type: 'wildcard' }, upTo(50))).toBe(true)
  })

  attack('T9', 'that is not understood is narrower than nothing, and nothing than it', () => {
    const wildcard = { constraint_type: 'wildcard' }
    for (const odd of [
      undefined,
      null,
      'wildcard',
      [],
      {},
      { constraint_type: 'regex', value: 'a' },
      { constraint_type: 'one_of' },
      { constraint_type: 'wildcard', extra: 1 },
      { constraint_type: 'exact', value: Number.NaN },
      Object.create(wildcard),
    ]) {
      expect(subsumes(wildcard, odd)).toBe(false)
      expect(subsumes(odd, upTo(50))).toBe(false)
    }
    expect(subsumes(wildcard, upTo(50))).toBe(true)
  })

  attack('X14', 'of more clauses than a grant may hold is narrower than nothing, and nothing than it', () => {
    const all = (count: number) => ({ constraint_type: 'all', constraints: Array(count).fill(upTo(50)) })
    expect(subsumes(all(1023), all(1023))).toBe(true)
    expect(subsumes(all(1024), all(1023))).toBe(false)
    expect(subsumes(all(1), all(100_000))).toBe(false)
    expect(subsumes({ constraint_type: 'wildcard' }, all(100_000))).toBe(false)
  })
})
