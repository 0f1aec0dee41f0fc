/**
 * ES256 keys (RFC 7518 §3.4: ECDSA on P-256 with SHA-256), for an authority whose resource servers know no Ed25519.
 * Where (r, s) is a signature, so is (r, n - s): no signature of this kind may serve as the name of what it signs.
 */
import { p256 } from '@noble/curves/nist.js'
import { AgenticError } from '../errors.js'
import type { P256Ecdsa, P256KeyPair } from './es256-node.js'
import type { P256Jwk } from './public-jwk.js'
import { decodeCoordinate, type Es256PublicKey, publicKeyOf } from './public-key.js'
import { type SigningKey, sealSigningKey } from './signing-key.js'

/** Bytes a private key is made of: 128 bits more than the order has, so that reducing them favours no key. */
export const es256SeedLength = 48

const { Point } = p256

/** Makes the key of a parsed JWK, some 100 µs.
 * @throws AgenticError ERR_KEY_INVALID when it is no point of P-256 with both coordinates below p
 * @see SEC 1 §3.2.2, RFC 7518 §6.2.1 */
export function es256PublicKey(jwk: P256Jwk, ecdsa: P256Ecdsa): Es256PublicKey {
  requirePoint(Buffer.concat([Buffer.of(4), decodeCoordinate(jwk.x, 'x'), decodeCoordinate(jwk.y, 'y')]))
  return publicKeyOf('ES256', jwk, ecdsa.verifier(jwk)) as Es256PublicKey
}

/** P-256 has no points of small order, and this encoding has none for the point at infinity. */
function requirePoint(bytes: Uint8Array): void {
  try {
    Point.fromBytes(bytes)
  } catch (cause) {
    throw new AgenticError('ERR_KEY_INVALID', 'public key: expected a point of P-256', { cause })
  }
}

/** The key d = (seed mod (n - 1)) + 1.
 * @param seed 48 bytes, big-endian, copied: the caller may erase them afterwards
 * @throws TypeError when the seed has another length
 * @see FIPS 186-5 A.2.1 (by extra random bits; at least 64 there, 128 here as in RFC 9380 §5) */
export function es256SigningKey(seed: Uint8Array, ecdsa: P256Ecdsa): SigningKey<Es256PublicKey> {
  if (!(seed instanceof Uint8Array) || seed.length !== es256SeedLength)
    throw new TypeError(`seed: expected ${es256SeedLength} bytes`)
  const reduced = BigInt(`0x${Buffer.from(seed).toString('hex')}`) % (Point.Fn.ORDER - 1n)
  // From 1 to n - 1 whatever the seed: OpenSSL would take 0 and n as well.
  const d = Buffer.from((reduced + 1n).toString(16).padStart(64, '0'), 'hex')
  const key = sealed(ecdsa.keyPair(d), ecdsa)
  d.fill(0)
  return key
}

/** The key of a scalar that somebody else chose.
 * @param d 32 bytes, big-endian, copied
 * @throws AgenticError ERR_KEY_INVALID unless it is from 1 to n - 1 */
export function es256KeyOfScalar(d: Uint8Array, ecdsa: P256Ecdsa): SigningKey<Es256PublicKey> {
  if (!p256.utils.isValidSecretKey(d))
    throw new AgenticError('ERR_KEY_INVALID', 'private key: expected a scalar of P-256')
  return sealed(ecdsa.keyPair(d), ecdsa)
}

function sealed({ x, y, sign }: P256KeyPair, ecdsa: P256Ecdsa): SigningKey<Es256PublicKey> {
  return sealSigningKey(es256PublicKey(Object.freeze({ kty: 'EC', crv: 'P-256', x, y }), ecdsa), sign)
}

/** RFC 6979 A.2.5: the key, and its signature over "sample" with SHA-256. */
const vector = {
  d: 'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721',
  x: '60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6',
  y: '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299',
  message: 'sample',
  signature:
    'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
} as const

/** Runs the vector, a fresh signature of its key, and changed ones that must be refused.
 * @throws AgenticError ERR_CRYPTO_SELF_TEST */
export function es256SelfTest(ecdsa: P256Ecdsa): void {
  try {
    if (passes(ecdsa)) return
  } catch (cause) {
    throw failed({ cause })
  }
  throw failed()
}

function passes(ecdsa: P256Ecdsa): boolean {
  const { publicKey, sign } = sealed(ecdsa.keyPair(Buffer.from(vector.d, 'hex')), ecdsa)
  const { jwk, verify } = publicKey
  return (
    jwk.x === Buffer.from(vector.x, 'hex').toString('base64url') &&
    jwk.y === Buffer.from(vector.y, 'hex').toString('base64url') &&
    [Buffer.from(vector.signature, 'hex'), sign(vector.message)].every(
      (signature) =>
        verify(vector.message, signature) &&
        !verify(`${vector.message}.`, signature) &&
        !verify(vector.message, withBitFlipped(signature)),
    ) &&
    !verify(vector.message, new Uint8Array(64))
  )
}

function withBitFlipped(signature: Uint8Array): Uint8Array {
  return signature.map((byte, index) => (index === 40 ? byte ^ 1 : byte))
}

function failed(options?: ErrorOptions): AgenticError {
  return new AgenticError('ERR_CRYPTO_SELF_TEST', 'ES256 by node:crypto fails RFC 6979 A.2.5', options)
}
