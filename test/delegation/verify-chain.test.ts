import { describe, expect, it } from 'vitest'
import { type ChainRules, verifyChain } from '../../runtime/delegation/verify-chain.js'
import { attack } from '../support/attack.js'
import {
  agentKey,
  chainOf,
  chainTime,
  chainTools,
  hashOf,
  hopToken,
  rootToken,
} from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey, keyring, smallOrderJwk } from '../support/fixed-keys.js'
import { issuer } from '../support/intent-claims.js'

const authority = fixedKey('authority')

function verify(chain: readonly string[], changes: Partial<ChainRules> = {}) {
  const rules = { trustedKeys: [authority.publicKey], issuer, now: chainTime, keyring }
  return verifyChain(chain, { ...rules, ...changes })
}

describe('a chain', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 32])('of %i verifies, and leaves what its leaf holds', (length) => {
    const chain = chainOf(length)
    const verified = verify(chain)
    expect(verified.hops.map((hop) => hop.jti)).toEqual(chain.map((_, place) => `hop-${place}`))
    expect(verified.root.initiatedBy).toBe('os:1000')
    expect(verified.leaf).toBe(verified.hops.at(-1))
    expect(verified.key.thumbprint).toBe(agentKey(length - 1).publicKey.thumbprint)
    expect(verified.chainHash).toBe(hashOf(chain.at(-1) ?? ''))
    expect(verified.scope).toEqual(['repo:read', 'repo:write'])
    expect(verified.toolGrants).toEqual(chainTools)
  })

  it('says what it has not checked', () => {
    expect(verify(chainOf(2)).checked).toEqual(['I1', 'I2', 'I3', 'I4', 'I5', 'I7'])
    expect(verify(chainOf(2)).open).toEqual(['I6', 'I8', 'I9'])
  })

  it('narrows along the way, and the leaf counts', () => {
    const tools = { 'repo/read': { path: { constraint_type: 'path_containment', root: '/src/lib' } } }
    const narrower = {
      authorization_details: [{ type: 'attenuating_agent_token', tools }],
      scope: 'repo:read',
    }
    const verified = verify(chainOf(3, { 2: narrower }))
    expect(verified.toolGrants).toEqual(tools)
    expect(verified.scope).toEqual(['repo:read'])
  })
})

describe('the size of a chain', () => {
  attack('X14', 'none, 33 hops and 256 KiB are refused before anything is read', async () => {
    await expectCode(() => verify([]), 'ERR_CHAIN_EMPTY')
    await expectCode(() => verify(Array(33).fill('x')), 'ERR_CHAIN_TOO_LONG')
    await expectCode(() => verify(['x'.repeat(256 * 1024 + 1)]), 'ERR_CHAIN_TOO_LONG')
    await expectCode(() => verify(['x'.repeat(256 * 1024)]), 'ERR_TOKEN_TOO_LARGE')
    await expectCode(() => verify(Array(32).fill('x')), 'ERR_TOKEN_MALFORMED')
  })
})

describe('the root of a chain', () => {
  attack(
    ['T10', 'T11'],
    'a root by a key that is not trusted is refused, whatever `kid` it claims',
    async () => {
      const stranger = fixedKey('stranger')
      await expectCode(() => verify([rootToken({}, stranger)]), 'ERR_CHAIN_ROOT_UNTRUSTED')
      const root = rootToken()
      await expectCode(
        () => verify([root], { trustedKeys: [stranger.publicKey] }),
        'ERR_CHAIN_ROOT_UNTRUSTED',
      )
      await expectCode(() => verify([root], { trustedKeys: [] }), 'ERR_CHAIN_ROOT_UNTRUSTED')
      // The authority's `kid` over the stranger's signature.
      const [head] = root.split('.')
      const [, claims, signature] = rootToken({}, stranger).split('.')
      await expectCode(() => verify([`${head}.${claims}.${signature}`]), 'ERR_SIGNATURE_INVALID')
      verify([root], { trustedKeys: [stranger.publicKey, authority.publicKey] })
    },
  )

  attack('T11', 'an agent cannot make its own hop a root', async () => {
    const [, hop = ''] = chainOf(2)
    await expectCode(() => verify([hop]), 'ERR_CHAIN_ROOT_UNTRUSTED')
  })

  it('names its authority, and no parent', async () => {
    await expectCode(() => verify([rootToken({ iss: `${issuer}/` })]), 'ERR_CHAIN_ROOT_UNTRUSTED')
    await expectCode(() => verify([rootToken({ par_hash: hashOf(rootToken()) })]), 'ERR_CHAIN_LINK')
  })

  it('has depth 0, and allows at most 31 below it', async () => {
    await expectCode(() => verify([rootToken({ del_depth: 1 })]), 'ERR_CHAIN_DEPTH')
    await expectCode(() => verify([rootToken({ del_max_depth: 32 })]), 'ERR_CHAIN_DEPTH')
    verify([rootToken({ del_max_depth: 0 })])
  })

  attack('T10', 'a root that does not say who asked, and how that is known, is refused', async () => {
    await expectCode(() => verify([rootToken({ initiated_by: undefined })]), 'ERR_CLAIM_INVALID')
    await expectCode(() => verify([rootToken({ auth: undefined })]), 'ERR_CLAIM_INVALID')
    verify([rootToken()])
  })
})

describe('times along a chain', () => {
  it('end with the first hop that ends', async () => {
    const chain = chainOf(4, { 2: { exp: chainTime + 60 }, 3: { exp: chainTime + 60 } })
    verify(chain, { now: chainTime + 59 })
    await expectCode(() => verify(chain, { now: chainTime + 60 }), 'ERR_TOKEN_EXPIRED')
  })

  it('are looked at in the middle, too', async () => {
    const chain = chainOf(3, { 1: { iat: chainTime - 60, exp: chainTime }, 0: { iat: chainTime - 60 } })
    await expectCode(() => verify(chain), 'ERR_TOKEN_EXPIRED')
    await expectCode(() => verify(chainOf(3, { 1: { iat: chainTime + 31 } })), 'ERR_TOKEN_FROM_FUTURE')
  })

  it('give a root seven days and a hop one', async () => {
    const day = 24 * 3600
    verify(chainOf(2, { 0: { exp: chainTime + 7 * day }, 1: { exp: chainTime + day } }))
    const long = { 0: { exp: chainTime + 7 * day + 1 } }
    await expectCode(() => verify(chainOf(1, long)), 'ERR_TOKEN_LIFETIME')
    const longHop = { 0: { exp: chainTime + 7 * day }, 1: { exp: chainTime + day + 1 } }
    await expectCode(() => verify(chainOf(2, longHop)), 'ERR_TOKEN_LIFETIME')
  })
})

describe('keys along a chain', () => {
  attack('X9', 'a small-order key is refused at the root, and below it', async () => {
    for (const place of [0, 1]) {
      const chain = chainOf(2, { [place]: { 'cnf.jwk': smallOrderJwk } }).slice(0, place + 1)
      await expectCode(() => verify(chain), 'ERR_KEY_SMALL_ORDER')
    }
    verify(chainOf(2))
  })

  attack('T11', 'an assertion that occurs twice by its `jti` is refused', async () => {
    const chain = chainOf(4, { 3: { jti: 'hop-1' } })
    await expectCode(() => verify(chain), 'ERR_CHAIN_DUPLICATE')
    verify(chain.slice(0, 3))
  })

  it('may be the same for two hops: an agent may narrow for itself', () => {
    const own = { 'cnf.jwk': { ...agentKey(0).publicKey.jwk } }
    const root = rootToken()
    expect(verify([root, hopToken(root, 1, own)]).key.thumbprint).toBe(agentKey(0).publicKey.thumbprint)
  })
})

describe('a chain that is no list of texts', () => {
  it.each([[[1]], [[undefined]], [[null]], [[{}]], [[['a.b.c']]]])(
    'is refused with a code: %j',
    async (tokens) => {
      const malformed = () => verify(tokens as never)
      await expectCode(malformed, 'ERR_TOKEN_MALFORMED')
      verify(chainOf(1))
    },
  )
})
