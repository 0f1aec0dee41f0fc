/**
 * X8 where the authority signs with ES256: the algorithm still follows from the key. Agents' keys stay Ed25519,
 * in tokens and in proofs.
 */
import { createHmac, createPublicKey } from 'node:crypto'
import { p256 } from '@noble/curves/nist.js'
import { importJWK, jwtVerify, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { encodeBase64url } from '../../runtime/encoding/base64url.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { createDpopProof, verifyDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { mintIntentToken, verifyIntentToken } from '../../runtime/tokens/intent-token.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { claimsOf } from '../support/forger.js'
import { audience, intentClaims, issuer } from '../support/intent-claims.js'
import { signatureOf, signRaw, withSignature } from '../support/raw-jws.js'
import { rememberingSingleUse } from '../support/single-uses.js'

const clock = fakeClock()
const now = nowSeconds(clock)
const authority = keyring.es256FromSeed(new Uint8Array(48).fill(7))
const edwards = fixedKey('authority')
const { jwk, thumbprint: kid } = authority.publicKey
const good = mintIntentToken(intentClaims(), authority, { clock }).token
const claims = JSON.stringify(claimsOf(good))

function verify(token: string) {
  const trustedKeys = [edwards.publicKey, authority.publicKey]
  return verifyIntentToken(token, { issuer, audience, trustedKeys, now, keyring })
}

/** The good claims under a header that names an algorithm and a key. */
function header(alg: string, named: string): string {
  return JSON.stringify({ alg, kid: named, typ: 'at+jwt' })
}

/** A signature r ‖ s of two numbers. */
function pair(r: bigint, s: bigint): Uint8Array {
  return Buffer.from([r, s].map((n) => n.toString(16).padStart(64, '0')).join(''), 'hex')
}

describe('an authority that signs with ES256', () => {
  it('mints what jose verifies, and jose signs what ours verifies', async () => {
    const key = await importJWK({ ...jwk }, 'ES256')
    const { payload } = await jwtVerify(good, key, {
      ...{ typ: 'at+jwt', issuer, audience, algorithms: ['ES256'], currentDate: new Date(clock.nowMs()) },
    })
    expect(verify(good)).toMatchObject(intentClaims())
    const { privateKey, publicKey } = await crypto.subtle.generateKey(
      { name: 'ECDSA', namedCurve: 'P-256' },
      true,
      ['sign', 'verify'],
    )
    const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
    const trusted = keyring.verificationKey({ kty, crv, x, y })
    const theirs = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: trusted.thumbprint })
      .sign(privateKey)
    const rules = { issuer, audience, now, keyring, trustedKeys: [trusted] }
    expect(verifyIntentToken(theirs, rules)).toMatchObject(intentClaims())
  })

  const edwardsKid = edwards.publicKey.thumbprint
  const confusions: [what: string, token: string, code: ErrorCode][] = [
    ['Ed25519 named for an ES256 key', signRaw(header('Ed25519', kid), claims, authority), 'ERR_ALG_REFUSED'],
    [
      'ES256 named for an Ed25519 key',
      signRaw(header('ES256', edwardsKid), claims, edwards),
      'ERR_ALG_REFUSED',
    ],
    [
      'an Ed25519 signature for an ES256 key',
      signRaw(header('ES256', kid), claims, edwards),
      'ERR_SIGNATURE_INVALID',
    ],
    [
      'an ES256 signature for an Ed25519 key',
      signRaw(header('Ed25519', edwardsKid), claims, authority),
      'ERR_SIGNATURE_INVALID',
    ],
    ['the old name EdDSA', signRaw(header('EdDSA', edwardsKid), claims, edwards), 'ERR_ALG_REFUSED'],
    ['ES384', signRaw(header('ES384', kid), claims, authority), 'ERR_ALG_REFUSED'],
    ['ES256K', signRaw(header('ES256K', kid), claims, authority), 'ERR_ALG_REFUSED'],
    ['none', signRaw(header('none', kid), claims, authority), 'ERR_ALG_REFUSED'],
    ['HS256 with the public key as its secret', maced(), 'ERR_ALG_REFUSED'],
  ]
  for (const [what, token, code] of confusions) {
    attack('X8', `${what} is refused`, async () => {
      await expectCode(() => verify(token), code)
      verify(good)
      verify(signRaw(header('ES256', kid), claims, authority))
      verify(signRaw(header('Ed25519', edwardsKid), claims, edwards))
    })
  }

  const n = p256.Point.Fn.ORDER
  const bytes = signatureOf(good)
  const [r = 0n, s = 0n] = [bytes.subarray(0, 32), bytes.subarray(32)].map((half) =>
    BigInt(`0x${Buffer.from(half).toString('hex')}`),
  )
  const signatures: Record<string, Uint8Array> = {
    'a psychic signature (r = s = 0)': pair(0n, 0n),
    'r = 0': pair(0n, s),
    's = 0': pair(r, 0n),
    'r = n': pair(n, s),
    's = n': pair(r, n),
    'r = s = n': pair(n, n),
    'r = s = 1': pair(1n, 1n),
    'r = s = 2^256 - 1': pair(2n ** 256n - 1n, 2n ** 256n - 1n),
    'r and s exchanged': pair(s, r),
    'its DER form': new p256.Signature(r, s).toBytes('der'),
    'a leading zero more': Uint8Array.from([0, ...bytes]),
    'nothing but r': bytes.subarray(0, 32),
  }
  for (const [what, signature] of Object.entries(signatures)) {
    attack('X8', `${what} is no signature`, async () => {
      await expectCode(() => verify(withSignature(good, signature)), 'ERR_SIGNATURE_INVALID')
      verify(good)
    })
  }

  it('has one answer to a wrong signature, whichever byte is wrong', async () => {
    const messages = new Set<string>()
    for (let at = 0; at < bytes.length; at++) {
      const wrong = bytes.map((byte, index) => (index === at ? byte ^ (1 << (at % 8)) : byte))
      const error = await expectCode(() => verify(withSignature(good, wrong)), 'ERR_SIGNATURE_INVALID')
      messages.add(error.message)
    }
    expect(messages.size).toBe(1)
  })

  // Every ECDSA signature has a twin, so a token of this kind has two spellings: it is named by `jti` alone.
  it('cannot keep the twin (r, n - s) out: it is the same token, with the same `jti`', () => {
    const twin = verify(withSignature(good, pair(r, n - s)))
    expect(twin.jti).toBe(verify(good).jti)
  })
})

describe('agents beside an ES256 authority', () => {
  attack('X8', 'a token that binds an ES256 key is refused: agents have Ed25519 keys alone', async () => {
    const cnf = { jkt: kid, jwk: jwk as never }
    const bound = mintIntentToken(intentClaims({ cnf }), authority, { clock }).token
    await expectCode(() => verify(bound), 'ERR_KEY_INVALID')
    verify(good)
  })

  attack('X8', 'a DPoP proof by an ES256 key is refused, and one that names ES256 for its key', async () => {
    const target = { method: 'GET', url: audience }
    const prove = (proof: string) =>
      verifyDpopProof(proof, { ...target, now, keyring, singleUse: rememberingSingleUse() })
    const proof = createDpopProof(target, edwards, { clock })
    const payload = JSON.stringify(claimsOf(proof))
    const typ = 'dpop+jwt'
    const foreign = signRaw(JSON.stringify({ alg: 'ES256', jwk, typ }), payload, authority)
    await expectCode(prove(foreign), 'ERR_KEY_INVALID')
    const own = edwards.publicKey.jwk
    const misnamed = signRaw(JSON.stringify({ alg: 'ES256', jwk: own, typ }), payload, edwards)
    await expectCode(prove(misnamed), 'ERR_ALG_REFUSED')
    await prove(proof)
  })
})

function maced(): string {
  const input = `${encodeBase64url(header('HS256', kid))}.${encodeBase64url(claims)}`
  const pem = createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`
}
