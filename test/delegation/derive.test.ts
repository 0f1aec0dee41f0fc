import { describe, expect, it } from 'vitest'
import { decodeAssertion, maxDerivedSeconds } from '../../runtime/delegation/assertion.js'
import { type DerivationRequest, deriveAssertion } from '../../runtime/delegation/derive.js'
import { parseToolGrants } from '../../runtime/delegation/tools.js'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import type { ErrorCode } from '../../runtime/errors.js'
import type { SigningKey } from '../../runtime/keys/signing-key.js'
import { attack } from '../support/attack.js'
import { agentKey, chainOf, chainTime, chainTools, hashOf, rootToken } from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { issuer } from '../support/intent-claims.js'

const clock = fakeClock()
const proof = { agentChecksum: `sha256:${'4'.repeat(64)}`, registrationId: 'registration-1' }

function request(changes: Partial<DerivationRequest> = {}): DerivationRequest {
  return {
    delegatee: agentKey(1).publicKey,
    tools: parseToolGrants(chainTools),
    scope: ['repo:read'],
    agentProof: proof,
    intent: { workflowStep: 'step-1', activationId: 'activation-1', taskDigest: 'sha256:5' },
    ...changes,
  }
}

function derive(
  chain: readonly string[],
  changes: Partial<DerivationRequest> = {},
  key: SigningKey = agentKey(chain.length - 1),
  at = clock,
): string {
  return deriveAssertion({ chain }, request(changes), key, { clock: at })
}

const rules = { trustedKeys: [fixedKey('authority').publicKey], issuer, now: chainTime, keyring }

describe('what no verifier would read', () => {
  const wildcards = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`a${index}`, { constraint_type: 'wildcard' }]),
    )
  const details = [{ type: 'attenuating_agent_token', tools: { shell: {} } }]
  const open = () => [rootToken({ authorization_details: details })]

  it.each<[string, Partial<DerivationRequest>, ErrorCode]>([
    ['a fraction for a depth', { maxDepth: 1.5 }, 'ERR_CLAIM_INVALID'],
    ['an id with a space', { agentProof: { ...proof, registrationId: 'a b' } }, 'ERR_CLAIM_INVALID'],
    ['an empty activation', { intent: { workflowStep: 'step-1', activationId: '' } }, 'ERR_CLAIM_INVALID'],
    [
      'a constraint nobody knows',
      { tools: { shell: { a: { constraint_type: 'magic' } } } as never },
      'ERR_CONSTRAINT_INVALID',
    ],
    ['too much for one token', { tools: { shell: wildcards(400) } as never }, 'ERR_TOKEN_TOO_LARGE'],
  ])('is not signed: %s', async (_what, changes, code) => {
    const tools = parseToolGrants({ shell: {} })
    await expectCode(() => derive(open(), { tools, ...changes }), code)
    verifyChain([...open(), derive(open(), { tools })], rules)
  })
})

describe('what a delegator signs', () => {
  it('verifies below the root, and says what was asked', () => {
    const root = rootToken()
    const verified = verifyChain([root, derive([root])], rules)
    expect(verified.leaf).toMatchObject({
      iss: `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${agentKey(0).publicKey.thumbprint}`,
      iat: chainTime,
      exp: chainTime + 3600,
      depth: 1,
      maxDepth: 31,
      parentHash: hashOf(root),
      scope: ['repo:read'],
      agentProof: proof,
      intent: {
        executionId: 'execution-1',
        workflowId: 'patching',
        workflowStep: 'step-1',
        activationId: 'activation-1',
        taskDigest: 'sha256:5',
        intentHash: `sha256:${'2'.repeat(64)}`,
      },
    })
    expect(verified.key.thumbprint).toBe(agentKey(1).publicKey.thumbprint)
  })

  it('can be passed on, hop after hop', () => {
    const chain = [rootToken()]
    for (let place = 1; place <= 6; place++) {
      chain.push(derive(chain, { delegatee: agentKey(place).publicKey }))
    }
    expect(verifyChain(chain, rules).hops).toHaveLength(7)
  })

  it('has another `jti` each time', () => {
    const [one, other] = [derive([rootToken()]), derive([rootToken()])].map(decodeAssertion)
    expect(one?.jti).not.toBe(other?.jti)
  })

  it('may be narrower, and may end the delegation', () => {
    const root = rootToken()
    const tools = parseToolGrants({ 'repo/read': { path: { constraint_type: 'exact', value: '/src/a.ts' } } })
    const leaf = decodeAssertion(derive([root], { tools, scope: [], maxDepth: 1, lifetimeSeconds: 60 }))
    expect(leaf).toMatchObject({ toolGrants: tools, scope: [], maxDepth: 1, exp: chainTime + 60 })
  })
})

describe('what a delegator cannot sign', () => {
  const shell = { ...chainTools, shell: {} }
  const open = { 'repo/read': {} }
  const refusals: [what: string, changes: Partial<DerivationRequest>, code: ErrorCode][] = [
    ['a tool it does not hold', { tools: parseToolGrants(shell) }, 'ERR_CHAIN_TOOL_WIDENED'],
    ['a tool without its constraints', { tools: parseToolGrants(open) }, 'ERR_CHAIN_CONSTRAINT_WIDENED'],
    ['a scope it does not hold', { scope: ['repo:read', 'repo:admin'] }, 'ERR_CHAIN_SCOPE_WIDENED'],
    ['a greater depth', { maxDepth: 32 }, 'ERR_CHAIN_DEPTH'],
    ['a depth that does not reach it', { maxDepth: 0 }, 'ERR_CHAIN_DEPTH'],
  ]
  for (const [what, changes, code] of refusals) {
    attack(['T7', 'T9'], `${what} is refused before anything is signed`, async () => {
      await expectCode(() => derive([rootToken()], changes), code)
      derive([rootToken()])
    })
  }

  attack('T7', 'an assertion that names another agent’s key is no one else’s to pass on', async () => {
    await expectCode(() => derive([rootToken()], {}, fixedKey('stranger')), 'ERR_CHAIN_ISSUER')
    derive([rootToken()], {}, agentKey(0))
  })

  attack('X1', 'another run or another intent cannot be slipped in', async () => {
    for (const slipped of [{ executionId: 'execution-2' }, { intentHash: 'x' }, { workflowId: 'other' }]) {
      const intent = { workflowStep: 'step-1', ...slipped } as DerivationRequest['intent']
      await expectCode(() => derive([rootToken()], { intent }), 'ERR_CHAIN_INTENT')
    }
  })

  it('a hop below the last one that is allowed', async () => {
    const chain = chainOf(2, { 0: { del_max_depth: 1 }, 1: { del_max_depth: 1 } })
    await expectCode(() => derive(chain), 'ERR_CHAIN_DEPTH')
    derive(chain.slice(0, 1))
  })

  it('anything from nothing', async () => {
    await expectCode(() => derive([], {}, agentKey(0)), 'ERR_CHAIN_EMPTY')
    await expectCode(() => derive(['a.b.c'], {}, agentKey(0)), 'ERR_BASE64URL_INVALID')
  })
})

describe('the life of what is derived', () => {
  it('is at most its parent’s, and at most a day', () => {
    const week = { exp: chainTime + 7 * 24 * 3600 }
    expect(decodeAssertion(derive([rootToken()], { lifetimeSeconds: 7200 })).exp).toBe(chainTime + 3600)
    expect(decodeAssertion(derive([rootToken(week)])).exp).toBe(chainTime + maxDerivedSeconds)
    const long = { lifetimeSeconds: 2 * maxDerivedSeconds }
    expect(decodeAssertion(derive([rootToken(week)], long)).exp).toBe(chainTime + maxDerivedSeconds)
  })

  it('begins with its parent’s, when that lies ahead of this clock', () => {
    const ahead = rootToken({ iat: chainTime + 20 })
    expect(decodeAssertion(derive([ahead])).iat).toBe(chainTime + 20)
    verifyChain([ahead, derive([ahead])], rules)
  })

  it('is over when its parent’s is', async () => {
    const late = fakeClock()
    late.advanceSeconds(3600)
    await expectCode(() => derive([rootToken()], {}, agentKey(0), late), 'ERR_TOKEN_EXPIRED')
    const lastSecond = fakeClock()
    lastSecond.advanceSeconds(3599)
    derive([rootToken()], {}, agentKey(0), lastSecond)
  })
})
