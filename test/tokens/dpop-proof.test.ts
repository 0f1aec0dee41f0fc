import { describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { sha256Base64url } from '../../runtime/encoding/digest.js'
import type { ErrorCode } from '../../runtime/errors.js'
import {
  type BoundRequest,
  createDpopProof,
  type DpopProofRequest,
  type DpopProofRules,
  requestDigest,
  verifyDpopProof,
} from '../../runtime/tokens/dpop-proof.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring, smallOrderJwk } from '../support/fixed-keys.js'
import { changed, claimsOf, forge } from '../support/forger.js'
import { failingSingleUse, rememberingSingleUse } from '../support/single-uses.js'

const clock = fakeClock()
const now = nowSeconds(clock)
const key = fixedKey('scanner')
const url = 'https://repo.example/files'
const accessToken = 'header.claims.signature'
const body = new TextEncoder().encode('{"path":"package.json"}')
const bound = { query: 'a=1', contentType: 'application/json', body }
const whole: DpopProofRequest = { method: 'POST', url, accessToken, request: bound, ordinal: 3 }

function proofOf(changes: Partial<DpopProofRequest> = {}): string {
  return createDpopProof({ ...whole, ...changes }, key, { clock })
}

function verify(proof: string, changes: Partial<DpopProofRules> = {}) {
  return verifyDpopProof(proof, {
    method: 'POST',
    url,
    accessToken,
    request: bound,
    key: key.publicKey,
    now,
    keyring,
    singleUse: rememberingSingleUse(),
    ...changes,
  })
}

/** A good proof with some claims changed, signed by the right key. */
function reproved(changes: Record<string, unknown>): string {
  return forge({ typ: 'dpop+jwt', jwk: key.publicKey.jwk }, changed(claimsOf(proofOf()), changes), key)
}

describe('a DPoP proof', () => {
  it('says what RFC 9449 §4.2 demands, and what ours binds besides', () => {
    const claims = claimsOf(proofOf({ nonce: 'n-1' }))
    expect(claims).toEqual({
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      htm: 'POST',
      htu: url,
      iat: now,
      ath: sha256Base64url(accessToken),
      nonce: 'n-1',
      ajwt_req: requestDigest(bound),
      ajwt_ord: 3,
    })
    const atTokenEndpoint = createDpopProof({ method: 'POST', url }, key, { clock })
    expect(Object.keys(claimsOf(atTokenEndpoint)).sort()).toEqual(['htm', 'htu', 'iat', 'jti'])
  })

  it('verifies, and tells key, `jti` and ordinal', async () => {
    const proof = proofOf()
    const verified = await verify(proof)
    expect(verified).toMatchObject({ jti: claimsOf(proof).jti, ordinal: 3 })
    expect(verified.key.thumbprint).toBe(key.publicKey.thumbprint)
    expect((await verify(reproved({ ajwt_ord: undefined }))).ordinal).toBe(0)
    await expectCode(verify(reproved({ ajwt_ord: -1 })), 'ERR_CLAIM_INVALID')
  })

  attack(
    'T1',
    'a proof by another key is refused, and one that only carries the right key, too',
    async () => {
      const other = fixedKey('other')
      const own = forge({ typ: 'dpop+jwt', jwk: other.publicKey.jwk }, claimsOf(proofOf()), other)
      await expectCode(verify(own), 'ERR_PROOF_KEY')
      const borrowed = forge({ typ: 'dpop+jwt', jwk: key.publicKey.jwk }, claimsOf(proofOf()), other)
      await expectCode(verify(borrowed), 'ERR_SIGNATURE_INVALID')
      await verify(own, { key: other.publicKey })
    },
  )

  it('by any good key verifies where no key is demanded, as at the token endpoint', async () => {
    const rules = { method: 'POST', url, now, keyring, singleUse: rememberingSingleUse() }
    const verified = await verifyDpopProof(proofOf(), rules)
    expect(verified.key.thumbprint).toBe(key.publicKey.thumbprint)
  })

  attack('X9', 'a key of small order proves nothing', async () => {
    const forged = forge({ typ: 'dpop+jwt', jwk: smallOrderJwk }, claimsOf(proofOf()), key)
    await expectCode(
      verifyDpopProof(forged, { method: 'POST', url, now, keyring, singleUse: rememberingSingleUse() }),
      'ERR_KEY_SMALL_ORDER',
    )
  })

  attack('X8', 'a proof needs its key in the header, and never a private one', async () => {
    const claims = claimsOf(proofOf())
    await expectCode(verify(forge({ typ: 'dpop+jwt' }, claims, key)), 'ERR_HEADER_REFUSED')
    const jwk = { ...key.publicKey.jwk, d: key.publicKey.jwk.x }
    await expectCode(verify(forge({ typ: 'dpop+jwt', jwk }, claims, key)), 'ERR_KEY_INVALID')
  })
})

describe('two DPoP proofs', () => {
  attack('X8', 'in one header, as HTTP joins them, are none (RFC 9449 §4.3)', async () => {
    await expectCode(verify(`${proofOf()}, ${proofOf()}`), 'ERR_TOKEN_MALFORMED')
    await verify(proofOf())
  })
})

describe('the size of a DPoP proof', () => {
  attack('X14', 'is at most 16,384 characters, of which nothing is read beyond', async () => {
    const padded = (length: number) => reproved({ pad: 'x'.repeat(length) })
    let length = 11_000
    while (padded(length + 1).length <= 16_384) length += 1
    expect(padded(length).length).toBeGreaterThan(16_380)
    await verify(padded(length))
    await expectCode(verify(padded(length + 1)), 'ERR_TOKEN_TOO_LARGE')
  })
})

describe('what a DPoP proof is held against', () => {
  const refusals: [what: string, claims: Record<string, unknown>, code: ErrorCode][] = [
    ['another method', { htm: 'PUT' }, 'ERR_PROOF_METHOD'],
    ['the method in another case', { htm: 'post' }, 'ERR_PROOF_METHOD'],
    ['no method', { htm: undefined }, 'ERR_CLAIM_INVALID'],
    ['another path', { htu: `${url}/x` }, 'ERR_PROOF_URL'],
    ['another host', { htu: 'https://evil.example/files' }, 'ERR_PROOF_URL'],
    ['another scheme', { htu: 'http://repo.example/files' }, 'ERR_PROOF_URL'],
    ['a query in `htu`', { htu: `${url}?a=1` }, 'ERR_PROOF_URL'],
    ['a fragment in `htu`', { htu: `${url}#a` }, 'ERR_PROOF_URL'],
    ['a slash more in `htu`', { htu: `${url}/` }, 'ERR_PROOF_URL'],
    ['the port spelled out', { htu: 'https://repo.example:443/files' }, 'ERR_PROOF_URL'],
    ['the host in upper case', { htu: 'https://REPO.example/files' }, 'ERR_PROOF_URL'],
    ['a dot after the host', { htu: 'https://repo.example./files' }, 'ERR_PROOF_URL'],
    ['an escape in the path', { htu: 'https://repo.example/%66iles' }, 'ERR_PROOF_URL'],
    ['user information', { htu: 'https://repo.example@evil.example/files' }, 'ERR_PROOF_URL'],
    ['a list of targets', { htu: [url] }, 'ERR_CLAIM_INVALID'],
    ['a list of methods', { htm: ['POST'] }, 'ERR_CLAIM_INVALID'],
    ['no `htu`', { htu: undefined }, 'ERR_CLAIM_INVALID'],
    ['another token', { ath: sha256Base64url('other') }, 'ERR_PROOF_TOKEN'],
    ['no `ath`', { ath: undefined }, 'ERR_PROOF_TOKEN'],
    ['no `ajwt_req`', { ajwt_req: undefined }, 'ERR_PROOF_REQUEST'],
    ['no `jti`', { jti: undefined }, 'ERR_CLAIM_INVALID'],
    ['a `jti` without bounds', { jti: 'x'.repeat(129) }, 'ERR_CLAIM_INVALID'],
    ['no `iat`', { iat: undefined }, 'ERR_CLAIM_INVALID'],
  ]
  for (const [what, claims, code] of refusals) {
    attack('T2', `a proof with ${what} is refused`, async () => {
      await expectCode(verify(reproved(claims)), code)
      await verify(reproved({}))
    })
  }

  const swaps: [what: string, request: BoundRequest][] = [
    ['query', { ...bound, query: 'a=2' }],
    ['query that is missing', { ...bound, query: '' }],
    ['content type', { ...bound, contentType: 'application/json; charset=utf-8' }],
    ['body', { ...bound, body: new TextEncoder().encode('{"path":"package.jsoN"}') }],
    ['body that is missing', { ...bound, body: new Uint8Array() }],
  ]
  for (const [what, request] of swaps) {
    attack(['T2', 'X18'], `a proof over another ${what} is refused`, async () => {
      const proof = proofOf()
      await expectCode(verify(proof, { request }), 'ERR_PROOF_REQUEST')
      await verify(proof)
    })
  }

  it('does not let one member of `ajwt_req` speak for another', () => {
    const digests = [
      { query: 'x', contentType: '', body: new Uint8Array() },
      { query: '', contentType: 'x', body: new Uint8Array() },
      { query: '', contentType: '', body: new TextEncoder().encode('x') },
    ].map(requestDigest)
    expect(new Set(digests).size).toBe(3)
  })

  it('accepts an `iat` from 60 seconds ago to 5 ahead', async () => {
    for (const iat of [now - 60, now, now + 5]) await verify(reproved({ iat }))
    for (const iat of [now - 61, now + 6]) await expectCode(verify(reproved({ iat })), 'ERR_PROOF_STALE')
  })

  attack('T2', 'a verifier that does not know the time accepts no proof, and spends none', async () => {
    const singleUse = rememberingSingleUse()
    for (const unknown of [undefined, Number.NaN, String(now)]) {
      await expect(verify(proofOf(), { now: unknown as number, singleUse })).rejects.toThrow(TypeError)
    }
    expect(singleUse.claimed.size).toBe(0)
  })

  attack('T2', 'an access token that is an empty text demands its "ath" like any other', async () => {
    await expectCode(verify(proofOf(), { accessToken: '' }), 'ERR_PROOF_TOKEN')
    await verify(proofOf({ accessToken: '' }), { accessToken: '' })
  })
})

describe('single use of a DPoP proof', () => {
  attack('T2', 'the same proof is refused the second time', async () => {
    const singleUse = rememberingSingleUse()
    const proof = proofOf()
    await verify(proof, { singleUse })
    await expectCode(verify(proof, { singleUse }), 'ERR_PROOF_REPLAYED')
    await verify(proofOf(), { singleUse })
  })

  attack('T2', 'the same `jti` is refused in another proof by the same key, not by another key', async () => {
    const singleUse = rememberingSingleUse()
    await verify(reproved({ jti: 'one' }), { singleUse })
    await expectCode(verify(reproved({ jti: 'one', iat: now - 1 }), { singleUse }), 'ERR_PROOF_REPLAYED')
    const other = fixedKey('other')
    const claims = changed(claimsOf(proofOf()), { jti: 'one' })
    const foreign = forge({ typ: 'dpop+jwt', jwk: other.publicKey.jwk }, claims, other)
    await verify(foreign, { singleUse, key: other.publicKey })
  })

  it('remembers a proof for as long as its `iat` could be accepted', async () => {
    const singleUse = rememberingSingleUse()
    await verify(reproved({ jti: 'one', iat: now + 5 }), { singleUse })
    const forgottenAfter = [...singleUse.claimed.values()][0] ?? 0
    expect(forgottenAfter).toBe(now + 65)
    await verify(reproved({ iat: now + 5 }), { now: forgottenAfter })
    await expectCode(verify(reproved({ iat: now + 5 }), { now: forgottenAfter + 1 }), 'ERR_PROOF_STALE')
  })

  it('spends nothing for a proof that is refused', async () => {
    const singleUse = rememberingSingleUse()
    for (const claims of [{ htm: 'PUT' }, { iat: now - 61 }, { ath: 'x' }, { ajwt_req: 'x' }]) {
      await verify(reproved(claims), { singleUse }).catch(() => undefined)
    }
    expect(singleUse.claimed.size).toBe(0)
  })

  attack('X14', 'a store that is full or fails refuses the proof', async () => {
    await expectCode(verify(proofOf(), { singleUse: failingSingleUse }), 'ERR_REPLAY_STORE')
    const broken = { claim: () => Promise.reject(new Error('disk')) }
    await expect(verify(proofOf(), { singleUse: broken })).rejects.toThrow('disk')
  })
})
