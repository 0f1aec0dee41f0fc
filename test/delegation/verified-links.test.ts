import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxHops } from '../../runtime/delegation/assertion.js'
import {
  createLinkCache,
  type LinkCache,
  linkKey,
  type VerifiedLink,
} from '../../runtime/delegation/verified-links.js'
import { type ChainRules, verifyChain } from '../../runtime/delegation/verify-chain.js'
import type { Keyring } from '../../runtime/keys/keyring.js'
import type { PublicKey } from '../../runtime/keys/public-key.js'
import { attack } from '../support/attack.js'
import {
  agentKey,
  chainOf,
  chainRules,
  chainTime,
  grown,
  hopToken,
  rootToken,
} from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { issuer } from '../support/intent-claims.js'

/** Counts the signatures that are really verified. */
function counting() {
  let verified = 0
  const count = <Key extends PublicKey>(key: Key): Key => ({
    ...key,
    verify(message: Uint8Array | string, signature: Uint8Array) {
      verified++
      return key.verify(message, signature)
    },
  })
  const counted: Keyring = { ...keyring, publicKey: (jwk) => count(keyring.publicKey(jwk)) }
  const trustedKeys = [count(fixedKey('authority').publicKey)]
  return { keyring: counted, trustedKeys, taken: () => verified }
}

function setting(cache: LinkCache = createLinkCache()) {
  const { taken, ...keys } = counting()
  const rules: ChainRules = { ...keys, issuer, now: chainTime, cache }
  return { rules, taken, cache }
}

describe('a remembered chain', () => {
  it('costs no signature the second time, and only the new one when it grows', () => {
    const { rules, taken } = setting()
    const chain = chainOf(5)
    const first = verifyChain(chain, rules)
    expect(taken()).toBe(5)
    expect(verifyChain(chain, rules)).toEqual(first)
    expect(taken()).toBe(5)
    verifyChain([...chain, hopToken(chain[4] ?? '', 5)], rules)
    expect(taken()).toBe(6)
  })

  it('is verified whole each time without a cache', () => {
    const { rules, taken } = setting()
    const { cache: _, ...without } = rules
    for (let round = 0; round < 2; round++) verifyChain(chainOf(3), without)
    expect(taken()).toBe(6)
  })

  attack('T2', 'is held against the clock at every hit', async () => {
    const { rules, taken } = setting()
    const chain = chainOf(3, { 1: { exp: chainTime + 60 }, 2: { exp: chainTime + 60 } })
    verifyChain(chain, rules)
    await expectCode(() => verifyChain(chain, { ...rules, now: chainTime + 60 }), 'ERR_TOKEN_EXPIRED')
    verifyChain(chain, { ...rules, now: chainTime + 59 })
    expect(taken()).toBe(3)
  })

  attack('T11', 'never serves whoever trusts other keys, or another authority', async () => {
    const { rules } = setting()
    const chain = chainOf(3)
    verifyChain(chain, rules)
    const others = [fixedKey('stranger').publicKey]
    await expectCode(() => verifyChain(chain, { ...rules, trustedKeys: others }), 'ERR_CHAIN_ROOT_UNTRUSTED')
    await expectCode(() => verifyChain(chain, { ...rules, trustedKeys: [] }), 'ERR_CHAIN_ROOT_UNTRUSTED')
    await expectCode(
      () => verifyChain(chain, { ...rules, issuer: 'https://other.example' }),
      'ERR_CHAIN_ROOT_UNTRUSTED',
    )
    verifyChain(chain, rules)
  })

  attack('T11', 'says nothing about other bytes', async () => {
    const { rules, taken } = setting()
    const chain = chainOf(3)
    verifyChain(chain, rules)
    const [, hop = ''] = chain
    const [head, claims] = hop.split('.')
    const foreign = hopToken(chain[0] ?? '', 1, {}, fixedKey('stranger'))
      .split('.')
      .at(-1)
    const resigned = chain.toSpliced(1, 1, `${head}.${claims}.${foreign}`)
    await expectCode(() => verifyChain(resigned, rules), 'ERR_SIGNATURE_INVALID')
    expect(taken()).toBe(4)
  })

  attack(['T11', 'X1'], 'does not carry a hop over to another parent', async () => {
    const { rules } = setting()
    const chain = chainOf(3)
    verifyChain(chain, rules)
    const otherRoot = rootToken({ jti: 'another-root' })
    verifyChain([otherRoot], rules)
    await expectCode(() => verifyChain([otherRoot, ...chain.slice(1)], rules), 'ERR_CHAIN_LINK')
    await expectCode(() => verifyChain(chain.slice(1), rules), 'ERR_CHAIN_ROOT_UNTRUSTED')
    await expectCode(() => verifyChain(chain.toSpliced(1, 1), rules), 'ERR_SIGNATURE_INVALID')
  })

  it('is not remembered where it failed', async () => {
    const { rules, cache } = setting()
    const widened = chainOf(3, { 1: { scope: 'repo:admin' } })
    for (let round = 0; round < 2; round++) {
      await expectCode(() => verifyChain(widened, rules), 'ERR_CHAIN_SCOPE_WIDENED')
    }
    expect(cache.size).toBe(1)
  })
})

describe('the memory of links', () => {
  const link = {} as VerifiedLink

  attack('X14', 'is bounded, and drops what was used longest ago', () => {
    const cache = createLinkCache(3)
    for (const key of ['a', 'b', 'c']) cache.set(key, link)
    cache.get('a')
    cache.set('d', link)
    expect(cache.size).toBe(3)
    expect(['a', 'b', 'c', 'd'].filter((key) => cache.get(key))).toEqual(['a', 'c', 'd'])
    expect(createLinkCache().size).toBe(0)
  })

  it('keeps apart what only together reads the same', () => {
    expect(linkKey('a', 'b.c')).toBe(linkKey('a', 'b.c'))
    const keys = [linkKey('a', 'b'), linkKey(linkKey('a', 'b'), 'c'), linkKey('a', 'bc'), linkKey('b', 'a')]
    expect(new Set(keys).size).toBe(4)
  })
})

describe('the size of the memory', () => {
  attack('X14', 'is never exceeded, and never changes an answer', async () => {
    const chain = chainOf(maxHops)
    const forged = grown(chain.slice(0, 30), maxHops, () => ({ scope: 'admin' }))
    for (const maxLinks of [1, 2, 31, 32, 33]) {
      const real = createLinkCache(maxLinks)
      let largest = 0
      const watched: LinkCache = {
        get: (key) => real.get(key),
        set(key, link) {
          real.set(key, link)
          largest = Math.max(largest, real.size)
        },
        get size() {
          return real.size
        },
      }
      for (let round = 0; round < 2; round++) {
        const verified = verifyChain(chain, chainRules({ cache: watched }))
        expect(verified.key.thumbprint).toBe(agentKey(31).publicKey.thumbprint)
        await expectCode(() => verifyChain(forged, chainRules({ cache: watched })), 'ERR_CHAIN_SCOPE_WIDENED')
      }
      expect(largest).toBe(Math.min(maxLinks, maxHops))
    }
  })

  it('holds what was used last, whatever is asked in whatever order', () => {
    const link = {} as VerifiedLink
    const keys = fc.array(fc.integer({ min: 0, max: 7 }).map(String), { size: 'max', maxLength: 60 })
    let dropped = 0
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), keys, (maxLinks, asked) => {
        const cache = createLinkCache(maxLinks)
        let recent: string[] = [] // newest last
        for (const key of asked) {
          // As `verifyChain` does: what is not known is made and remembered.
          const known = cache.get(key) !== undefined
          expect(known).toBe(recent.includes(key))
          if (!known) cache.set(key, link)
          recent = [...recent.filter((other) => other !== key), key]
          if (recent.length > maxLinks) dropped++
          recent = recent.slice(-maxLinks)
          expect(cache.size).toBe(recent.length)
        }
      }),
      { seed: 53, numRuns: 500 },
    )
    expect(dropped).toBeGreaterThan(1000)
  })
})
