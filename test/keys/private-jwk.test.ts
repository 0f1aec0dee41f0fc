import { generateKeyPairSync } from 'node:crypto'
import { p256 } from '@noble/curves/nist.js'
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { encodeBase64url } from '../../runtime/encoding/base64url.js'
import { verifyJws } from '../../runtime/keys/jws.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { keyrings } from '../support/keyrings.js'

/** RFC 8037 appendix A.1, and the key of RFC 7515 appendix A.3. */
const okp = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
}
const ec = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
}
const scalar = (hex: string) => encodeBase64url(Buffer.from(hex, 'hex'))
const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'

describe.each(keyrings)('a private JWK, read with $backend', (keyring) => {
  it.each([
    ['Ed25519', okp],
    ['ES256', ec],
  ] as const)('of RFC 8037 and RFC 7515 signs as its public half verifies: %s', (alg, jwk) => {
    const { d: _, ...publicJwk } = jwk
    for (const more of [
      {},
      { kid: 'k1', use: 'sig', alg },
      { key_ops: ['sign'] },
      { key_ops: ['sign', 'verify'] },
    ]) {
      const key = keyring.fromPrivateJwk({ ...jwk, ...more })
      expect(key.publicKey.alg).toBe(alg)
      expect(key.publicKey.jwk).toEqual(publicJwk)
      expect(keyring.verificationKey(publicJwk).verify('m', key.sign('m'))).toBe(true)
      expect(JSON.stringify(key)).not.toContain(jwk.d)
    }
  })

  it.each(['Ed25519', 'ES256'] as const)('may be one that jose made: %s', async (alg) => {
    const pair = await generateKeyPair(alg, { extractable: true })
    const jwk = await exportJWK(pair.privateKey)
    const key = keyring.fromPrivateJwk(jwk)
    const token = await new SignJWT({ sub: 'scanner' })
      .setProtectedHeader({ alg, typ: 'at+jwt' })
      .sign(await importJWK(jwk, alg))
    expect(verifyJws(token, key.publicKey, { typ: 'at+jwt' }).claims).toEqual({ sub: 'scanner' })
  })

  attack('T1', 'one that shows another public key than its own is refused', async () => {
    const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
    await expectCode(() => keyring.fromPrivateJwk({ ...okp, x: other.x }), 'ERR_KEY_PAIR_MISMATCH')
    const { x, y } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
    await expectCode(() => keyring.fromPrivateJwk({ ...ec, x, y }), 'ERR_KEY_PAIR_MISMATCH')
    // The same x with the other y is the point of n - d.
    const { ORDER: p } = p256.Point.Fp
    const otherY = p - BigInt(`0x${Buffer.from(ec.y, 'base64url').toString('hex')}`)
    const negative = scalar(otherY.toString(16).padStart(64, '0'))
    expect(keyring.verificationKey({ kty: 'EC', crv: 'P-256', x: ec.x, y: negative }).alg).toBe('ES256')
    await expectCode(() => keyring.fromPrivateJwk({ ...ec, y: negative }), 'ERR_KEY_PAIR_MISMATCH')
    expect(() => [okp, ec].map((jwk) => keyring.fromPrivateJwk(jwk))).not.toThrow()
  })

  it.each([
    ['a public one', { ...okp, d: undefined }],
    ['one without d', { kty: 'OKP', crv: 'Ed25519', x: okp.x }],
    ['d of 31 bytes', { ...okp, d: encodeBase64url(new Uint8Array(31).fill(1)) }],
    ['d of 33 bytes', { ...okp, d: encodeBase64url(new Uint8Array(33).fill(1)) }],
    ['a scalar of 31 bytes', { ...ec, d: encodeBase64url(new Uint8Array(31).fill(1)) }],
    ['d with stray bits', { ...okp, d: `${okp.d.slice(0, -1)}B` }],
    ['d in base64', { ...okp, d: okp.d.replace('_', '/') }],
    ['d of 0', { ...ec, d: scalar('00'.repeat(32)) }],
    ['d of n', { ...ec, d: scalar(order) }],
    ['d beyond n', { ...ec, d: scalar('ff'.repeat(32)) }],
    ['no x', { kty: 'OKP', crv: 'Ed25519', d: okp.d }],
    ['X25519', { ...okp, crv: 'X25519' }],
    ['kty and curve of two kinds', { ...okp, crv: 'P-256' }],
    ['RSA', { kty: 'RSA', n: 'AQAB', e: 'AQAB', d: okp.d }],
    ['another alg', { ...ec, alg: 'ECDH-ES' }],
    ['use enc', { ...ec, use: 'enc' }],
    ['key_ops without sign', { ...okp, key_ops: ['verify'] }],
    ['an unknown member', { ...okp, p: 'AQAB' }],
    ['an array', [okp]],
    ['null', null],
    ['a text', JSON.stringify(okp)],
  ])('%s is refused, and no part of it repeated', async (_what, jwk) => {
    const error = await expectCode(() => keyring.fromPrivateJwk(jwk), 'ERR_KEY_INVALID')
    expect(`${error.message}${error.stack}${String(error.cause)}`).not.toContain(okp.d.slice(0, 20))
  })
  it('is not completed from a polluted Object.prototype', async () => {
    const { d, ...publicJwk } = okp
    const prototype = Object.prototype as Record<string, unknown>
    prototype['d'] = d
    try {
      await expectCode(() => keyring.fromPrivateJwk(publicJwk), 'ERR_KEY_INVALID')
    } finally {
      delete prototype['d']
    }
  })
})
