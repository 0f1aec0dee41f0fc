import { createHash } from 'node:crypto'
import {
  decodeProtectedHeader,
  EmbeddedJWK,
  exportJWK,
  generateKeyPair,
  importJWK,
  jwtVerify,
  SignJWT,
} from 'jose'
import { describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { createDpopProof, verifyDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { mintIntentToken, verifyIntentToken } from '../../runtime/tokens/intent-token.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { audience, intentClaims, issuer } from '../support/intent-claims.js'
import { rememberingSingleUse } from '../support/single-uses.js'

const clock = fakeClock()
const now = nowSeconds(clock)
const currentDate = new Date(clock.nowMs())
const url = 'https://repo.example/files'
const accessToken = 'header.claims.signature'
const ath = createHash('sha256').update(accessToken).digest('base64url')

describe('our tokens under another implementation (jose)', () => {
  it('a DPoP proof of ours verifies under the key it embeds, with the claims of RFC 9449 §4.2', async () => {
    const proof = createDpopProof({ method: 'POST', url, accessToken }, fixedKey('scanner'), { clock })
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: ['Ed25519'],
      maxTokenAge: 60,
      currentDate,
    })
    expect(protectedHeader.jwk).not.toHaveProperty('d')
    expect(payload).toMatchObject({ htm: 'POST', htu: url, ath, iat: now, jti: expect.any(String) })
  })

  it('a proof that jose signs is accepted by ours', async () => {
    const { publicKey, privateKey } = await generateKeyPair('Ed25519', { extractable: true })
    const jwk = await exportJWK(publicKey)
    const proof = await new SignJWT({ htm: 'POST', htu: url, ath, jti: 'from-jose' })
      .setProtectedHeader({ alg: 'Ed25519', typ: 'dpop+jwt', jwk })
      .setIssuedAt(now)
      .sign(privateKey)
    const verified = await verifyDpopProof(proof, {
      method: 'POST',
      url,
      accessToken,
      now,
      keyring,
      key: keyring.publicKey(jwk),
      singleUse: rememberingSingleUse(),
    })
    expect(verified.jti).toBe('from-jose')
  })

  it('an intent token of ours is a JWT access token to jose, and one that jose signs is one to us', async () => {
    const authority = fixedKey('authority')
    const { token } = mintIntentToken(intentClaims(), authority, { clock })
    const key = await importJWK({ ...authority.publicKey.jwk }, 'Ed25519')
    const { payload } = await jwtVerify(token, key, { typ: 'at+jwt', issuer, audience, currentDate })
    expect(decodeProtectedHeader(token).kid).toBe(authority.publicKey.thumbprint)

    const pair = await generateKeyPair('Ed25519', { extractable: true })
    const trusted = keyring.publicKey(await exportJWK(pair.publicKey))
    const signed = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'Ed25519', typ: 'at+jwt', kid: trusted.thumbprint })
      .sign(pair.privateKey)
    const rules = { issuer, audience, now, keyring, trustedKeys: [trusted] }
    expect(verifyIntentToken(signed, rules)).toMatchObject(intentClaims())
  })
})
