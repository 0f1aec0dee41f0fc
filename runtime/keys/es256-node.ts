/** ECDSA on P-256 with SHA-256 by node:crypto (OpenSSL). */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'

/** An implementation of ES256's arithmetic. The functions it calls are taken when its module is loaded. */
export interface P256Ecdsa {
  /** @param d 32 bytes, from 1 to n - 1, copied */
  keyPair(d: Uint8Array): P256KeyPair
  /** Prepares a public key once, for many verifications.
   * @param point coordinates in base64url, already checked
   * @returns a function that answers for a signature `r ‖ s` of exactly 64 bytes; low and high s alike; never throws */
  verifier(point: P256Point): (message: Uint8Array, signature: Uint8Array) => boolean
}

export interface P256Point {
  /** 32 bytes in base64url, big-endian. */
  readonly x: string
  readonly y: string
}

export interface P256KeyPair extends P256Point {
  /** @returns 64 bytes, `r ‖ s` (RFC 7518 §3.4) */
  readonly sign: (message: Uint8Array) => Uint8Array
}

/** ECPrivateKey (RFC 5915 §3) of P-256 without the public half: OpenSSL then computes it, while in a JWK it
 * believes the one it is given. */
const [sec1Before, sec1After] = ['30310201010420', 'a00a06082a8648ce3d030107'].map((hex) =>
  Buffer.from(hex, 'hex'),
) as [Buffer, Buffer]

const dsaEncoding = 'ieee-p1363'

// Named imports of built-ins follow a later patch (syncBuiltinESMExports); these do not.
const [importPrivate, importPublic, signBytes, verifyBytes] = [
  createPrivateKey,
  createPublicKey,
  sign,
  verify,
]

export function nodeP256(): P256Ecdsa {
  return {
    keyPair(d) {
      const der = Buffer.concat([sec1Before, d, sec1After])
      const key = importPrivate({ key: der, format: 'der', type: 'sec1' })
      der.fill(0)
      const { x = '', y = '' } = importPublic(key).export({ format: 'jwk' })
      return { x, y, sign: (message) => new Uint8Array(signBytes('sha256', message, { key, dsaEncoding })) }
    },
    verifier({ x, y }) {
      const key = importPublic({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
      return (message, signature) => verifyBytes('sha256', message, { key, dsaEncoding }, signature)
    },
  }
}
