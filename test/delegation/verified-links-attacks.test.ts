import { describe, expect } from 'vitest'
import { createLinkCache, type LinkCache } from '../../runtime/delegation/verified-links.js'
import { type ChainRules, verifyChain } from '../../runtime/delegation/verify-chain.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { attack } from '../support/attack.js'
import {
  type Changes,
  chainOf,
  chainRules,
  chainTime,
  grown,
  hopToken,
  rootToken,
} from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey, smallOrderJwk } from '../support/fixed-keys.js'
import { issuer } from '../support/intent-claims.js'
import { granted, longest, places } from './forged-chains.js'

const chain = chainOf(longest)
const everyPlace = [0, ...places]
const authority = fixedKey('authority').publicKey

/** A cache that holds the whole chain. */
function warm(of: readonly string[] = chain): LinkCache {
  const cache = createLinkCache()
  verifyChain(of, chainRules({ cache }))
  return cache
}

/** Refused twice alike, so that the first refusal left nothing behind. */
async function refusedTwice(tokens: readonly string[], rules: ChainRules, code: ErrorCode): Promise<void> {
  for (let round = 0; round < 2; round++) await expectCode(() => verifyChain(tokens, rules), code)
}

describe('the clock, on a hit, at every place,', () => {
  attack('T2', 'ends a chain with the hop that ends first', async () => {
    for (const place of everyPlace) {
      const ends = (at: number): Changes => (at >= place ? { exp: chainTime + 60 } : {})
      const ending = chainOf(longest, ends)
      const cache = warm(ending)
      verifyChain(ending, chainRules({ cache, now: chainTime + 59 }))
      await refusedTwice(ending, chainRules({ cache, now: chainTime + 60 }), 'ERR_TOKEN_EXPIRED')
      if (place > 0) verifyChain(ending.slice(0, place), chainRules({ cache, now: chainTime + 60 }))
      verifyChain(ending, chainRules({ cache }))
    }
  })

  attack('T2', 'holds back a chain that is not yet', async () => {
    for (const place of everyPlace) {
      const begins = (at: number): Changes => (at >= place ? { iat: chainTime } : { iat: chainTime - 600 })
      const beginning = chainOf(longest, begins)
      const cache = warm(beginning)
      verifyChain(beginning, chainRules({ cache, now: chainTime - 30 }))
      await refusedTwice(beginning, chainRules({ cache, now: chainTime - 31 }), 'ERR_TOKEN_FROM_FUTURE')
      if (place > 0) verifyChain(beginning.slice(0, place), chainRules({ cache, now: chainTime - 31 }))
    }
  })

  attack('T2', 'is asked by whoever remembers a link that was late from the start', async () => {
    const cache = createLinkCache()
    const late = chainOf(3, { 1: { iat: chainTime, exp: chainTime }, 0: { iat: chainTime - 1 } })
    await refusedTwice(late, chainRules({ cache }), 'ERR_TOKEN_EXPIRED')
    const long = chainOf(2, { 0: { exp: chainTime + 172_800 }, 1: { exp: chainTime + 86_401 } })
    await refusedTwice(long, chainRules({ cache }), 'ERR_TOKEN_LIFETIME')
  })
})

describe('a hop that fails, at every place,', () => {
  const failures: readonly [what: string, changes: Changes, code: ErrorCode][] = [
    ['names another issuer', { iss: issuer }, 'ERR_CHAIN_ISSUER'],
    ['names another parent', { par_hash: 'x' }, 'ERR_CHAIN_LINK'],
    ['is too deep', { del_depth: 99 }, 'ERR_CHAIN_DEPTH'],
    ['outlives its parent', { exp: chainTime + 3601 }, 'ERR_CHAIN_LIFETIME'],
    ['widens', { scope: 'admin' }, 'ERR_CHAIN_SCOPE_WIDENED'],
    ['serves another run', { 'intent.execution_id': 'execution-2' }, 'ERR_CHAIN_INTENT'],
    ['is not understood', { authorization_details: granted({ x: { y: {} } }) }, 'ERR_CONSTRAINT_INVALID'],
    ['lacks a claim', { exp: undefined }, 'ERR_CLAIM_INVALID'],
    ['delegates to no key', { 'cnf.jwk': smallOrderJwk }, 'ERR_KEY_SMALL_ORDER'],
  ]
  for (const [what, changes, code] of failures) {
    attack('T11', `because it ${what}, leaves nothing behind`, async () => {
      const cache = createLinkCache()
      for (const place of places) {
        const wrong = grown(chain.slice(0, place), Math.min(place + 2, longest), () => changes)
        await refusedTwice(wrong, chainRules({ cache }), code)
        expect(cache.size).toBe(place)
      }
      verifyChain(chain, chainRules({ cache }))
    })
  }

  attack('T11', 'because of its signature, leaves nothing behind, nor hides what is right', async () => {
    const cache = createLinkCache()
    for (const place of everyPlace) {
      const token = chain[place] ?? ''
      const dot = token.lastIndexOf('.') + 1
      const other = token.slice(0, dot) + (chain[place === 0 ? 1 : 0] ?? '').split('.')[2]
      await refusedTwice(chain.with(place, other), chainRules({ cache }), 'ERR_SIGNATURE_INVALID')
      expect(cache.size).toBe(place)
    }
    verifyChain(chain, chainRules({ cache }))
  })
})

describe('a whole chain in memory', () => {
  attack('X8', 'answers for its own bytes alone', async () => {
    const cache = warm()
    for (const place of everyPlace) {
      const token = chain[place] ?? ''
      for (const other of [
        ` ${token}`,
        `${token} `,
        `${token}.`,
        `${token}=`,
        `${token}\n`,
        token.slice(0, -1),
      ]) {
        await expect(async () =>
          verifyChain(chain.with(place, other), chainRules({ cache })),
        ).rejects.toThrow()
        await expect(async () => verifyChain(chain.with(place, other), chainRules())).rejects.toThrow()
      }
    }
    expect(cache.size).toBe(longest)
  })

  attack(['T11', 'X1'], 'lends no hop to another parent or another place', async () => {
    const twins = chainOf(longest, { 0: { jti: 'another-root' } })
    const cache = warm()
    verifyChain(twins, chainRules({ cache }))
    for (const place of places) {
      const spliced = [...chain.slice(0, place), ...twins.slice(place)]
      await refusedTwice(spliced, chainRules({ cache }), 'ERR_CHAIN_LINK')
      await refusedTwice(chain.slice(place), chainRules({ cache }), 'ERR_CHAIN_ROOT_UNTRUSTED')
      const moved = [...chain.slice(0, place), ...chain.slice(place - 1, -1)]
      await refusedTwice(moved, chainRules({ cache }), 'ERR_SIGNATURE_INVALID')
    }
    expect(cache.size).toBe(2 * longest)
  })

  attack('T11', 'still has each assertion once', async () => {
    const cache = createLinkCache()
    for (const place of places) {
      const again = hopToken(chain[place - 1] ?? '', place, { jti: 'hop-0' })
      await refusedTwice([...chain.slice(0, place), again], chainRules({ cache }), 'ERR_CHAIN_DUPLICATE')
    }
  })

  attack('X14', 'still ends at its 32nd hop', async () => {
    const cache = warm()
    const last = hopToken(chain[31] ?? '', 32)
    await refusedTwice([...chain, last], chainRules({ cache }), 'ERR_CHAIN_TOO_LONG')
  })

  attack('T11', 'serves nobody who trusts others, at any length', async () => {
    const cache = warm()
    const stranger = fixedKey('stranger').publicKey
    for (let length = 1; length <= longest; length++) {
      const tokens = chain.slice(0, length)
      const untrusted = 'ERR_CHAIN_ROOT_UNTRUSTED'
      await refusedTwice(tokens, chainRules({ cache, trustedKeys: [stranger] }), untrusted)
      await refusedTwice(tokens, chainRules({ cache, trustedKeys: [] }), untrusted)
      await refusedTwice(tokens, chainRules({ cache, issuer: `${issuer}/t/other` }), untrusted)
      await refusedTwice(tokens, chainRules({ cache, issuer: '' }), untrusted)
      verifyChain(tokens, chainRules({ cache }))
    }
  })

  attack('T11', 'ends with the trust in its key: rotated out, and in again', async () => {
    const next = fixedKey('the next authority').publicKey
    const cache = createLinkCache()
    const before = { cache, trustedKeys: [authority] }
    const overlap = { cache, trustedKeys: [next, authority] }
    verifyChain(chain, chainRules(before))
    verifyChain(chain, chainRules(overlap))
    await refusedTwice(chain, chainRules({ cache, trustedKeys: [next] }), 'ERR_CHAIN_ROOT_UNTRUSTED')
    verifyChain(chain, chainRules(before))
    const newer = grown([rootToken({}, fixedKey('the next authority'))], 3, () => ({}))
    verifyChain(newer, chainRules(overlap))
    await refusedTwice(newer, chainRules(before), 'ERR_CHAIN_ROOT_UNTRUSTED')
  })
})

describe('what is remembered', () => {
  attack('T9', 'cannot be widened through what it was handed out as', () => {
    const cache = warm()
    const { leaf, toolGrants, hops } = verifyChain(chain, chainRules({ cache }))
    const parts = [leaf, leaf.scope, leaf.intent, leaf.agentProof, leaf.jwk, toolGrants, hops[0]?.auth]
    for (const part of parts) expect(Object.isFrozen(part)).toBe(true)
    expect(() => (leaf.scope as string[]).push('repo:admin')).toThrow(TypeError)
    expect(verifyChain(chain, chainRules({ cache })).scope).toEqual(leaf.scope)
  })

  attack('X14', 'has a bound, and no bound that is none', () => {
    for (const bound of [Number.NaN, Number.POSITIVE_INFINITY, 0, 1.5])
      expect(() => createLinkCache(bound)).toThrow(TypeError)
    verifyChain(chain, chainRules({ cache: createLinkCache(1) }))
  })
})
