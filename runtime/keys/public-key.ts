/**
 * Public keys that may be trusted to verify: Ed25519 points that are canonical and of large order. With a
 * small-order key anyone can make a "signature", so a proof of possession under it would prove nothing.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { decodeBase64url } from '../encoding/base64url.js'
import type { JsonObject } from '../encoding/canonical-json.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'
import type { Ed25519Backend } from './ed25519.js'
import { thumbprint } from './thumbprint.js'

/** RFC 8037 §2. */
export interface PublicJwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  /** 32 bytes in base64url. */
  readonly x: string
}

export interface PublicKey {
  readonly alg: 'Ed25519'
  readonly jwk: PublicJwk
  /** RFC 7638, the `jkt` of RFC 9449. */
  readonly thumbprint: string
  /** @param message bytes, or a text whose UTF-8 bytes were signed
   * @returns false for every signature that is not right, of whatever length; never throws on bytes */
  verify(message: Uint8Array | string, signature: Uint8Array): boolean
}

const allowed: ReadonlySet<string> = new Set(['kty', 'crv', 'x', 'kid', 'use', 'alg', 'key_ops'])
const { Point } = ed25519

/** Reads a JWK down to its `x`, refusing every other kind of key and one that is meant for something else.
 * @returns base64url text; that it is a usable point is checked by `publicKeyAt`
 * @throws AgenticError ERR_KEY_INVALID
 * @see RFC 7517 §4, RFC 8037 §2
 */
export function parsePublicJwk(jwk: unknown): string {
  if (!isPlainObject(jwk)) throw invalid('an object')
  for (const name of Object.keys(jwk)) {
    // `d` above all: whoever sends a private key has given it away.
    if (!allowed.has(name)) throw invalid('no members but kty, crv, x, kid, use, alg and key_ops')
  }
  if (own(jwk, 'kty') !== 'OKP') throw invalid('"kty" OKP')
  if (own(jwk, 'crv') !== 'Ed25519') throw invalid('"crv" Ed25519')
  const alg = own(jwk, 'alg') ?? 'Ed25519'
  if (alg !== 'Ed25519' && alg !== 'EdDSA') throw invalid('"alg" Ed25519')
  if ((own(jwk, 'use') ?? 'sig') !== 'sig') throw invalid('"use" sig')
  const operations = own(jwk, 'key_ops') ?? ['verify']
  if (!Array.isArray(operations) || !operations.includes('verify')) throw invalid('"key_ops" with verify')
  const x = own(jwk, 'x')
  if (typeof x !== 'string' || x.length !== 43) throw invalid('"x" of 32 bytes in base64url')
  return x
}

/** Makes the key whose encoding is `x`; some 100 µs, so the keyring keeps the result.
 * @throws AgenticError ERR_KEY_INVALID (no canonical point), ERR_KEY_SMALL_ORDER
 * @see RFC 8032 §5.1.3, PROTOCOL 2.3
 */
export function publicKeyAt(x: string, backend: Ed25519Backend): PublicKey {
  const bytes = decodeX(x)
  requireLargeOrder(bytes)
  const verify = backend.verifier(bytes)
  const jwk: PublicJwk = Object.freeze({ kty: 'OKP', crv: 'Ed25519', x })
  return Object.freeze<PublicKey>({
    alg: 'Ed25519',
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

function own(jwk: JsonObject, name: string): unknown {
  return Object.hasOwn(jwk, name) ? jwk[name] : undefined
}

function decodeX(x: string): Uint8Array {
  try {
    return decodeBase64url(x)
  } catch (cause) {
    throw new AgenticError('ERR_KEY_INVALID', 'public key: expected "x" of 32 bytes in base64url', { cause })
  }
}

/** The same check whatever backend verifies later: OpenSSL makes none of its own. */
function requireLargeOrder(bytes: Uint8Array): void {
  let small: boolean
  try {
    small = Point.fromBytes(bytes).isSmallOrder() // strict: refuses y ≥ p and -0
  } catch (cause) {
    throw new AgenticError('ERR_KEY_INVALID', 'public key: expected the canonical encoding of a point', {
      cause,
    })
  }
  if (small)
    throw new AgenticError('ERR_KEY_SMALL_ORDER', 'public key: a point of small order verifies anything')
}

function invalid(expected: string): AgenticError {
  return new AgenticError('ERR_KEY_INVALID', `public key: expected ${expected}`)
}
