import { describe, expect, it } from 'vitest'
import { maxDerivedSeconds, maxHops, maxRootSeconds } from '../../runtime/delegation/assertion.js'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import type { ErrorCode } from '../../runtime/errors.js'
import type { SigningKey } from '../../runtime/keys/signing-key.js'
import { attack } from '../support/attack.js'
import {
  agentKey,
  agentUri,
  chainOf,
  chainRules,
  chainTime,
  grown,
  hashOf,
  hopToken,
} from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey, smallOrderJwk } from '../support/fixed-keys.js'
import { issuer } from '../support/intent-claims.js'
import {
  everywhere,
  expectRefused,
  type Forgery,
  held,
  honest,
  longest,
  narrowing,
  places,
  sweep,
} from './forged-chains.js'

/** One agent with its true key, wrong in one thing; those below it, consistent with that. `near` is the closest
 * that must pass. Where a hop narrows, `p - 2` is what its parent's parent had and its parent gave up. */
const forgeries: readonly [what: string, code: ErrorCode, wrong: Forgery, near?: Forgery][] = [
  ['I1: names the authority as issuer', 'ERR_CHAIN_ISSUER', { at: () => ({ iss: issuer }) }],
  ['I1: names its delegatee as issuer', 'ERR_CHAIN_ISSUER', { at: (p) => ({ iss: agentUri(p) }) }],
  ['I1: names its delegator as issuer', 'ERR_CHAIN_ISSUER', { at: (p) => ({ iss: agentUri(p - 2) }) }],
  [
    'I1: names its bare thumbprint',
    'ERR_CHAIN_ISSUER',
    { at: (p) => ({ iss: agentKey(p - 1).publicKey.thumbprint }) },
    { at: (p) => ({ iss: agentUri(p - 1) }) },
  ],
  ['I5: names no parent', 'ERR_CHAIN_LINK', { at: () => ({ par_hash: undefined }) }],
  ['I5: names an unknown parent', 'ERR_CHAIN_LINK', { at: () => ({ par_hash: hashOf('a.b.c') }) }],
  [
    'I5: names its parent’s parent',
    'ERR_CHAIN_LINK',
    { at: (p) => ({ par_hash: hashOf(honest[p - 2] ?? 'a.b.c') }) },
    { at: (p) => ({ par_hash: hashOf(honest[p - 1] ?? '') }) },
  ],
  [
    'I5: hashes the signature, too',
    'ERR_CHAIN_LINK',
    { at: (p) => ({ par_hash: hashOf(`${honest[p - 1]}.`) }) },
  ],
  [
    'I2: skips a depth',
    'ERR_CHAIN_DEPTH',
    { at: (p) => ({ del_depth: p + 1 }), below: (q) => ({ del_depth: q + 1 }) },
  ],
  [
    'I2: keeps its parent’s depth',
    'ERR_CHAIN_DEPTH',
    { at: (p) => ({ del_depth: p - 1 }), below: (q) => ({ del_depth: q - 1 }) },
  ],
  [
    'I2: raises the greatest depth',
    'ERR_CHAIN_DEPTH',
    everywhere({ del_max_depth: maxHops }),
    everywhere({ del_max_depth: maxHops - 1 }),
  ],
  [
    'I3: outlives its parent',
    'ERR_CHAIN_LIFETIME',
    { at: (p) => ({ exp: held.exp(p - 1) + 1 }) },
    { at: (p) => ({ exp: held.exp(p - 1) }) },
  ],
  [
    'I3: is older than its parent',
    'ERR_CHAIN_LIFETIME',
    { at: (p) => ({ iat: held.iat(p - 1) - 1 }) },
    { at: (p) => ({ iat: held.iat(p - 1) }) },
  ],
  [
    'times: has expired',
    'ERR_TOKEN_EXPIRED',
    everywhere({ exp: chainTime }),
    everywhere({ exp: chainTime + 1 }),
  ],
  [
    'times: comes from the future',
    'ERR_TOKEN_FROM_FUTURE',
    everywhere({ iat: chainTime + 31 }),
    everywhere({ iat: chainTime + 30 }),
  ],
  [
    'times: ends when it begins',
    'ERR_TOKEN_LIFETIME',
    everywhere({ iat: chainTime + 20, exp: chainTime + 20 }),
    everywhere({ iat: chainTime + 20, exp: chainTime + 21 }),
  ],
  ['keys: names a key of small order', 'ERR_KEY_SMALL_ORDER', { at: () => ({ 'cnf.jwk': smallOrderJwk }) }],
  [
    'keys: gives a private key away',
    'ERR_KEY_INVALID',
    { at: () => ({ 'cnf.jwk.d': 'A'.repeat(43) }) },
    { at: () => ({ 'cnf.jwk.use': 'sig' }) },
  ],
]

describe('an agent with its true key, at every place of chains of every length,', () => {
  for (const [what, code, wrong, near] of forgeries) {
    attack('T11', `is refused when its hop ${what}`, () => sweep(code, wrong, near))
  }

  it('is believed when it narrows, at every length', () => {
    for (let length = 1; length <= longest; length++) {
      expect(verifyChain(honest.slice(0, length), chainRules()).hops).toHaveLength(length)
    }
  })

  const strangers: readonly [whose: string, key: (place: number) => SigningKey][] = [
    ['its delegatee’s', (place) => agentKey(place)],
    ['its delegator’s', (place) => (place === 1 ? fixedKey('authority') : agentKey(place - 2))],
    ['the authority’s', () => fixedKey('authority')],
    ['a stranger’s', () => fixedKey('stranger')],
  ]
  for (const [whose, key] of strangers) {
    attack('T11', `is refused when its hop is signed with ${whose} key`, async () => {
      for (const place of places) {
        const hop = hopToken(honest[place - 1] ?? '', place, narrowing(place), key(place))
        const chain = grown([...honest.slice(0, place), hop], longest, narrowing)
        await expectRefused(chain, place, 'ERR_SIGNATURE_INVALID')
      }
    })
  }
})

describe('the greatest depth', () => {
  attack('T11', 'that a parent lowered is not raised again, at any place', async () => {
    for (const place of places.slice(1, -1)) {
      const lowered = { ...narrowing(place - 1), del_max_depth: 30 }
      const begun = [...honest.slice(0, place - 1), hopToken(honest[place - 2] ?? '', place - 1, lowered)]
      const grow = (depth: number) =>
        grown(begun, place + 1, (at) => ({ ...narrowing(at), del_max_depth: depth }))
      await expectRefused(grow(31), place, 'ERR_CHAIN_DEPTH')
      verifyChain(grow(30), chainRules())
    }
  })

  attack('T11', 'ends the delegation where it says, at every place', async () => {
    for (const last of [0, ...places.slice(0, -1)]) {
      const chain = chainOf(last + 2, () => ({ del_max_depth: last }))
      await expectRefused(chain, last + 1, 'ERR_CHAIN_DEPTH')
    }
  })
})

describe('a lifetime', () => {
  attack('T11', 'is seven days at the root and one day below it, at every place', async () => {
    const lasting = (seconds: number) => ({ iat: chainTime, exp: chainTime + seconds })
    const at = (place: number) => lasting(place === 0 ? maxRootSeconds : maxDerivedSeconds)
    // One agent after another lasts as long as it may; only below the root can a day be too long.
    verifyChain(chainOf(longest, at), chainRules())
    const long = chainOf(longest, (place) => lasting(place === 0 ? maxRootSeconds : maxDerivedSeconds + 1))
    await expectRefused(long, 1, 'ERR_TOKEN_LIFETIME')
    await expectCode(
      () => verifyChain([chainOf(1, { 0: lasting(maxRootSeconds + 1) })[0] ?? ''], chainRules()),
      'ERR_TOKEN_LIFETIME',
    )
  })
})
