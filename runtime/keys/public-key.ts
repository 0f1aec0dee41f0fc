/**
 * Public keys that may be trusted to verify. Here the Ed25519 ones: points that are canonical and of large order.
 * With a small-order key anyone can make a "signature", so a proof of possession under it would prove nothing.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { decodeBase64url } from '../encoding/base64url.js'
import { AgenticError } from '../errors.js'
import type { Ed25519Backend } from './ed25519.js'
import type { Ed25519Jwk, KeyAlgorithm, P256Jwk, PublicJwk } from './public-jwk.js'
import { thumbprint } from './thumbprint.js'

export type { KeyAlgorithm, PublicJwk } from './public-jwk.js'

export interface PublicKey {
  /** Follows from the key, and a token's header must agree. */
  readonly alg: KeyAlgorithm
  readonly jwk: PublicJwk
  /** RFC 7638, the `jkt` of RFC 9449. */
  readonly thumbprint: string
  /** @param message bytes, or a text whose UTF-8 bytes were signed
   * @returns false for every signature that is not right, of whatever length; never throws on bytes */
  verify(message: Uint8Array | string, signature: Uint8Array): boolean
}

/** The only kind that agents have. */
export interface Ed25519PublicKey extends PublicKey {
  readonly alg: 'Ed25519'
  readonly jwk: Ed25519Jwk
}

/** What an authority may have instead (PROTOCOL 3). */
export interface Es256PublicKey extends PublicKey {
  readonly alg: 'ES256'
  readonly jwk: P256Jwk
}

const { Point } = ed25519

/** Makes the key of a parsed JWK; some 100 µs, so the keyring keeps the result.
 * @throws AgenticError ERR_KEY_INVALID (no canonical point), ERR_KEY_SMALL_ORDER
 * @see RFC 8032 §5.1.3, PROTOCOL 2.3
 */
export function ed25519PublicKey(jwk: Ed25519Jwk, backend: Ed25519Backend): Ed25519PublicKey {
  const bytes = decodeCoordinate(jwk.x, 'x')
  requireLargeOrder(bytes)
  return publicKeyOf('Ed25519', jwk, backend.verifier(bytes)) as Ed25519PublicKey
}

/** @param verify answers for 64 bytes of signature
 * @returns a frozen key */
export function publicKeyOf(
  alg: KeyAlgorithm,
  jwk: PublicJwk,
  verify: (message: Uint8Array, signature: Uint8Array) => boolean,
): PublicKey {
  return Object.freeze<PublicKey>({
    alg,
    jwk,
    thumbprint: thumbprint(jwk),
    verify(message, signature) {
      // libsodium would ignore what follows the 64th byte.
      return (
        signature.length === 64 &&
        verify(typeof message === 'string' ? Buffer.from(message) : message, signature)
      )
    },
  })
}

/** @returns the bytes of a member of a JWK
 * @throws AgenticError ERR_KEY_INVALID */
export function decodeCoordinate(text: string, name: string): Uint8Array {
  try {
    return decodeBase64url(text)
  } catch (cause) {
    throw new AgenticError('ERR_KEY_INVALID', `public key: expected "${name}" of 32 bytes in base64url`, {
      cause,
    })
  }
}

/** The same check whatever backend verifies later: OpenSSL makes none of its own. */
function requireLargeOrder(bytes: Uint8Array): void {
  let small: boolean
  try {
    const point = Point.fromBytes(bytes) // strict: refuses y ≥ p and -0
    small = point.double().double().double().is0() // times the cofactor 8; `isSmallOrder` is far slower
  } catch (cause) {
    throw new AgenticError('ERR_KEY_INVALID', 'public key: expected the canonical encoding of a point', {
      cause,
    })
  }
  if (small) throw new AgenticError('ERR_KEY_SMALL_ORDER', 'public key: expected a point of large order')
}
