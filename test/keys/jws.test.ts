import fc from 'fast-check'
import { CompactSign, compactVerify, exportJWK, generateKeyPair, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { encodeBase64url } from '../../runtime/encoding/base64url.js'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import { decodeJws } from '../../runtime/encoding/compact-jws.js'
import { signJws, verifyDecoded, verifyJws } from '../../runtime/keys/jws.js'
import { createKeyring } from '../../runtime/keys/keyring.js'
import type { PublicKey } from '../../runtime/keys/public-key.js'
import { exactJson } from '../support/exact-json.js'
import { expectCode } from '../support/expect-code.js'
import { keyrings } from '../support/keyrings.js'

const rules = { typ: 'at+jwt' }
const claims = { sub: 'scanner', aud: 'https://repo.example', exp: 1_767_225_900, name: 'grüße' }

describe.each(keyrings)('compact JWS on $backend', (keyring) => {
  const key = keyring.fromSeed(new Uint8Array(32).fill(9))

  it('verifies what it signed', () => {
    const decoded = verifyJws(signJws({ typ: 'at+jwt', kid: 'k1' }, claims, key), key.publicKey, rules)
    expect(decoded.header).toEqual({ alg: 'Ed25519', kid: 'k1', typ: 'at+jwt' })
    expect(decoded.claims).toEqual(claims)
  })

  it('writes header and payload as canonical JSON, so that equal claims are one token', () => {
    const token = signJws({ typ: 'at+jwt', kid: 'k1' }, claims, key)
    const [header = '', payload = ''] = token.split('.')
    expect(Buffer.from(header, 'base64url').toString()).toBe('{"alg":"Ed25519","kid":"k1","typ":"at+jwt"}')
    expect(Buffer.from(payload, 'base64url').toString()).toBe(
      '{"aud":"https://repo.example","exp":1767225900,"name":"grüße","sub":"scanner"}',
    )
    const reordered = Object.fromEntries(Object.entries(claims).reverse())
    expect(signJws({ kid: 'k1', typ: 'at+jwt' }, reordered, key)).toBe(token)
  })

  it('signs what jose verifies under alg Ed25519', async () => {
    const token = signJws({ typ: 'at+jwt', kid: 'k1' }, claims, key)
    const joseKey = await importJWK({ ...key.publicKey.jwk }, 'Ed25519')
    const verified = await compactVerify(token, joseKey, { algorithms: ['Ed25519'] })
    expect(verified.protectedHeader).toEqual({ alg: 'Ed25519', kid: 'k1', typ: 'at+jwt' })
    expect(JSON.parse(new TextDecoder().decode(verified.payload))).toEqual(claims)
  })

  it('verifies what jose signs under alg Ed25519, and not under EdDSA', async () => {
    const pair = await generateKeyPair('Ed25519', { extractable: true })
    const publicKey = keyring.publicKey(await exportJWK(pair.publicKey))
    const sign = (alg: string) =>
      new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ alg, typ: 'at+jwt' })
        .sign(pair.privateKey)
    expect(verifyJws(await sign('Ed25519'), publicKey, rules).claims).toEqual(claims)
    const eddsa = await sign('EdDSA')
    await expectCode(() => verifyJws(eddsa, publicKey, rules), 'ERR_ALG_REFUSED')
  })
})

describe('compact JWS', () => {
  const keyring = createKeyring()
  const key = keyring.generate()
  const token = signJws({ typ: 'at+jwt' }, claims, key)
  const [header = '', payload = '', signature = ''] = token.split('.')

  it.each([
    ['other claims', [header, encodeBase64url('{"sub":"admin"}'), signature]],
    ['another header', [encodeBase64url('{"alg":"Ed25519","kid":"k","typ":"at+jwt"}'), payload, signature]],
    [
      'the same claims spelled otherwise',
      [header, encodeBase64url(` ${Buffer.from(payload, 'base64url')}`), signature],
    ],
    ['a signature of zeros', [header, payload, encodeBase64url(new Uint8Array(64))]],
    [
      'a shorter signature',
      [header, payload, encodeBase64url(Buffer.from(signature, 'base64url').subarray(0, 63))],
    ],
    [
      'a longer signature',
      [header, payload, encodeBase64url(Buffer.concat([Buffer.from(signature, 'base64url'), Buffer.of(0)]))],
    ],
  ])('%s under the same signature are refused', async (_what, segments) => {
    expect(verifyJws(token, key.publicKey, rules).claims).toEqual(claims)
    await expectCode(() => verifyJws(segments.join('.'), key.publicKey, rules), 'ERR_SIGNATURE_INVALID')
  })

  it('is refused under another key, and under another typ than it was signed for', async () => {
    await expectCode(() => verifyJws(token, keyring.generate().publicKey, rules), 'ERR_SIGNATURE_INVALID')
    await expectCode(() => verifyJws(token, key.publicKey, { typ: 'dpop+jwt' }), 'ERR_TYP_MISMATCH')
  })

  it('takes its algorithm from the key: a header that names another is refused', async () => {
    const decoded = decodeJws(token, rules)
    const other = { ...key.publicKey, alg: 'ES256' } as unknown as PublicKey
    await expectCode(() => verifyDecoded(decoded, other), 'ERR_ALG_REFUSED')
    expect(() => verifyDecoded(decoded, key.publicKey)).not.toThrow()
  })

  it('carries a jwk only where the reader’s rules demand one', async () => {
    const proof = signJws({ typ: 'dpop+jwt', jwk: key.publicKey.jwk }, { jti: 'j' }, key)
    const decoded = verifyJws(proof, key.publicKey, { typ: 'dpop+jwt', jwk: 'required' })
    expect(keyring.publicKey(decoded.header.jwk).thumbprint).toBe(key.publicKey.thumbprint)
    await expectCode(() => verifyJws(proof, key.publicKey, { typ: 'dpop+jwt' }), 'ERR_HEADER_REFUSED')
  })

  it('cannot hold what JSON cannot', async () => {
    const wrong = { exp: Number.POSITIVE_INFINITY } as JsonObject
    await expectCode(() => signJws({ typ: 'at+jwt' }, wrong, key), 'ERR_JSON_NOT_CANONICAL')
  })

  it('reads back any claims', () => {
    const anyClaims = fc.dictionary(
      fc.string().filter((name) => name !== '__proto__'),
      exactJson,
      { maxKeys: 6, noNullPrototype: true },
    )
    fc.assert(
      fc.property(anyClaims, (value) => {
        const object = value as JsonObject
        const signed = signJws({ typ: 'at+jwt' }, object, key)
        const decoded = verifyJws(signed, key.publicKey, { typ: 'at+jwt', maxBytes: 1_000_000 })
        expect(signJws({ typ: 'at+jwt' }, decoded.claims, key)).toBe(signed)
      }),
      { seed: 7515, numRuns: 200 },
    )
  })
})
