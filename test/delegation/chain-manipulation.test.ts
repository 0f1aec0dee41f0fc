import { describe, expect, it } from 'vitest'
import { createLinkCache } from '../../runtime/delegation/verified-links.js'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { attack } from '../support/attack.js'
import {
  chainOf,
  chainRules,
  chainTime,
  grown,
  hashOf,
  hopToken,
  rootToken,
} from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { issuer } from '../support/intent-claims.js'
import { granted, honest, longest, narrowing, places } from './forged-chains.js'

const stranger = fixedKey('stranger')
const lengths = [1, ...places.map((place) => place + 1)]
const links = createLinkCache()
verifyChain(honest, chainRules({ cache: links }))

/** Refused with this code, whether the honest beginning is remembered or not. */
async function expectRefused(chain: readonly string[], code: ErrorCode): Promise<void> {
  await expectCode(() => verifyChain(chain, chainRules({ cache: links })), code)
  // Whole only for some lengths: every hop before the fault costs a signature.
  if ([2, 3, longest].includes(chain.length)) await expectCode(() => verifyChain(chain, chainRules()), code)
}

type Manipulation = (chain: readonly string[], place: number) => readonly string[]

/** Applies it at each place of the honest chain of every length. */
async function atEveryPlace(
  from: number,
  untilEnd: number,
  manipulate: Manipulation,
  code: (place: number, length: number) => ErrorCode,
): Promise<void> {
  for (const length of lengths) {
    const chain = honest.slice(0, length)
    for (let place = from; place < length - untilEnd; place++) {
      await expectRefused(manipulate(chain, place), code(place, length))
    }
    verifyChain(chain, chainRules({ cache: links }))
  }
}

const atRoot = (place: number): ErrorCode =>
  place === 0 ? 'ERR_CHAIN_ROOT_UNTRUSTED' : 'ERR_SIGNATURE_INVALID'
const bySignature = (): ErrorCode => 'ERR_SIGNATURE_INVALID'

describe('a chain without the keys of its agents, at every place and length,', () => {
  attack('T11', 'cannot lose a hop', async () => {
    await atEveryPlace(0, 1, (chain, place) => chain.toSpliced(place, 1), atRoot)
  })

  attack('T11', 'cannot lose its beginning', async () => {
    await atEveryPlace(
      1,
      0,
      (chain, place) => chain.slice(place),
      () => 'ERR_CHAIN_ROOT_UNTRUSTED',
    )
  })

  attack('T11', 'cut at its end is a valid chain, of another agent and with another hash', () => {
    const ends = lengths.map((length) => verifyChain(honest.slice(0, length), chainRules({ cache: links })))
    expect(new Set(ends.map((end) => end.chainHash)).size).toBe(longest)
    expect(new Set(ends.map((end) => end.key.thumbprint)).size).toBe(longest)
  })

  attack('T11', 'cannot have two hops change places', async () => {
    const swap: Manipulation = (chain, place) =>
      chain.toSpliced(place, 2, chain[place + 1] ?? '', chain[place] ?? '')
    await atEveryPlace(0, 1, swap, atRoot)
  })

  attack('T11', 'cannot be turned round', async () => {
    for (const length of lengths.slice(1)) {
      await expectRefused(honest.slice(0, length).reverse(), 'ERR_CHAIN_ROOT_UNTRUSTED')
    }
  })

  attack('T11', 'cannot have a hop twice', async () => {
    const double: Manipulation = (chain, place) => chain.toSpliced(place, 0, chain[place] ?? '')
    const code = (_: number, length: number) =>
      length === longest ? ('ERR_CHAIN_TOO_LONG' as const) : bySignature()
    await atEveryPlace(0, 0, double, code)
  })

  attack('T11', 'cannot get a stranger’s hop, in its place or between', async () => {
    const hops = honest.map((_, place) =>
      place === 0
        ? rootToken(narrowing(0), stranger)
        : hopToken(honest[place - 1] ?? '', place, narrowing(place), stranger),
    )
    await atEveryPlace(0, 0, (chain, place) => chain.with(place, hops[place] ?? ''), atRoot)
    const insert: Manipulation = (chain, place) => chain.toSpliced(place, 0, hops[place] ?? '')
    const code = (place: number, length: number) =>
      length === longest ? 'ERR_CHAIN_TOO_LONG' : atRoot(place)
    await atEveryPlace(0, 0, insert, code)
  })

  attack('X8', 'cannot have another hop’s claims or signature', async () => {
    const neighbours = honest.map((_, place) => (honest[place === 0 ? 1 : place - 1] ?? '').split('.'))
    const mixed = honest.map((token, place) => {
      const [head, claims, signature] = token.split('.')
      const [, otherClaims, otherSignature] = neighbours[place] ?? []
      return [`${head}.${otherClaims}.${signature}`, `${head}.${claims}.${otherSignature}`]
    })
    for (const part of [0, 1]) {
      await atEveryPlace(0, 0, (chain, place) => chain.with(place, mixed[place]?.[part] ?? ''), bySignature)
    }
  })
})

describe('the root of a chain, at every length,', () => {
  const roots: readonly [what: string, root: string, code: ErrorCode][] = [
    ['a stranger’s', rootToken(narrowing(0), stranger), 'ERR_CHAIN_ROOT_UNTRUSTED'],
    [
      'a stranger’s under the authority’s `kid`',
      rootToken(narrowing(0), stranger).replace(/^[^.]*/, honest[0]?.split('.')[0] ?? ''),
      'ERR_SIGNATURE_INVALID',
    ],
    [
      'another authority’s',
      rootToken({ ...narrowing(0), iss: `${issuer}/other` }),
      'ERR_CHAIN_ROOT_UNTRUSTED',
    ],
    ['one with a parent', rootToken({ ...narrowing(0), par_hash: hashOf('a.b.c') }), 'ERR_CHAIN_LINK'],
    ['one of depth 1', rootToken({ ...narrowing(0), del_depth: 1 }), 'ERR_CHAIN_DEPTH'],
    [
      'one that allows 32 hops below it',
      rootToken({ ...narrowing(0), del_max_depth: 32 }),
      'ERR_CHAIN_DEPTH',
    ],
    [
      'one that nobody initiated',
      rootToken({ ...narrowing(0), initiated_by: undefined }),
      'ERR_CLAIM_INVALID',
    ],
    ['one of an unknown initiator', rootToken({ ...narrowing(0), auth: undefined }), 'ERR_CLAIM_INVALID'],
    ['one that is over', rootToken({ ...narrowing(0), exp: chainTime }), 'ERR_TOKEN_EXPIRED'],
    ['one that is to come', rootToken({ ...narrowing(0), iat: chainTime + 31 }), 'ERR_TOKEN_FROM_FUTURE'],
  ]
  for (const [what, root, code] of roots) {
    attack(['T10', 'T11'], `is not ${what}, with everything below it made for it`, async () => {
      const chain = grown([root], longest, narrowing)
      for (const length of lengths) await expectRefused(chain.slice(0, length), code)
    })
  }

  attack('T11', 'is not another trusted root of the same agent', async () => {
    const wider = rootToken({ ...narrowing(0), jti: 'another', scope: 'admin' })
    const link = (): ErrorCode => 'ERR_CHAIN_LINK'
    await atEveryPlace(1, 0, (chain) => [wider, ...chain.slice(1)], link)
    verifyChain([wider], chainRules())
  })

  attack('T11', 'stands first and nowhere else', async () => {
    await atEveryPlace(1, 0, (chain, place) => chain.with(place, honest[0] ?? ''), bySignature)
  })
})

describe('the reasons against a hop', () => {
  it('are answered in the order signature, I1, I5, I2, I3, I4, I7, times, at every place', async () => {
    const wrong: readonly [name: string, value: unknown, code: ErrorCode][] = [
      ['iss', issuer, 'ERR_CHAIN_ISSUER'],
      ['par_hash', 'x', 'ERR_CHAIN_LINK'],
      ['del_depth', 99, 'ERR_CHAIN_DEPTH'],
      ['iat', 0, 'ERR_CHAIN_LIFETIME'],
      ['authorization_details', granted({ shell: {} }), 'ERR_CHAIN_TOOL_WIDENED'],
      ['scope', 'admin', 'ERR_CHAIN_SCOPE_WIDENED'],
      ['intent.intent_hash', 'x', 'ERR_CHAIN_INTENT'],
      ['exp', chainTime - 60, 'ERR_TOKEN_EXPIRED'],
    ]
    for (const place of places) {
      for (const [index, [, , code]] of wrong.entries()) {
        const changes = Object.fromEntries(wrong.slice(index).map(([name, value]) => [name, value]))
        const parent = honest[place - 1] ?? ''
        const begun = honest.slice(0, place)
        const hop = hopToken(parent, place, { ...narrowing(place), ...changes })
        await expectRefused([...begun, hop], code)
        if (index > 0) continue
        const unsigned = hopToken(parent, place, { ...narrowing(place), ...changes }, stranger)
        await expectRefused([...begun, unsigned], 'ERR_SIGNATURE_INVALID')
      }
    }
  })

  it('of two hops, the upper one answers', async () => {
    for (const place of places.slice(0, -1)) {
      const profile = (at: number) => ({
        ...narrowing(at),
        ...(at === place && { scope: 'admin' }),
        ...(at === place + 1 && { iss: issuer }),
      })
      await expectRefused(chainOf(place + 2, profile), 'ERR_CHAIN_SCOPE_WIDENED')
    }
  })
})
