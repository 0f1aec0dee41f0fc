/**
 * Reading a private JWK that somebody else made: an attested agent's, a foreign client's. Its public half is
 * computed again, because importers that believe it (node:crypto does) sign with one key and publish another.
 */
import { decodeBase64url } from '../encoding/base64url.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'
import { algorithmOf, type KeyAlgorithm, type PublicJwk, parsePublicJwk } from './public-jwk.js'

export interface ParsedPrivateJwk {
  readonly algorithm: KeyAlgorithm
  /** As the JWK claims it: to be compared with the computed one. */
  readonly publicJwk: PublicJwk
  /** 32 bytes: the seed of Ed25519 (RFC 8037 §2), the scalar of P-256 (RFC 7518 §6.2.2). The caller erases them. */
  readonly d: Uint8Array
}

/** @throws AgenticError ERR_KEY_INVALID; no message holds a part of the key */
export function parsePrivateJwk(jwk: unknown): ParsedPrivateJwk {
  if (!isPlainObject(jwk)) throw invalid('an object')
  const { d, key_ops: operations = ['sign'], ...rest } = jwk
  if (!Object.hasOwn(jwk, 'd') || typeof d !== 'string' || d.length !== 43) throw invalid('"d" of 32 bytes')
  if (!Array.isArray(operations) || !operations.includes('sign')) throw invalid('"key_ops" with sign')
  const algorithm = algorithmOf(rest)
  const publicJwk = algorithm === 'ES256' ? parsePublicJwk(rest, 'ES256') : parsePublicJwk(rest, 'Ed25519')
  return { algorithm, publicJwk, d: decode(d) }
}

function decode(d: string): Uint8Array {
  try {
    return decodeBase64url(d)
  } catch {
    throw invalid('"d" of 32 bytes') // without a cause: nothing of the text goes anywhere
  }
}

/** @throws AgenticError ERR_KEY_PAIR_MISMATCH */
export function requireSamePoint(claimed: PublicJwk, computed: PublicJwk): void {
  const same =
    claimed.x === computed.x &&
    (claimed.kty === 'EC' ? claimed.y : '') === (computed.kty === 'EC' ? computed.y : '')
  if (!same) {
    throw new AgenticError('ERR_KEY_PAIR_MISMATCH', 'private key: its public half is another key’s')
  }
}

function invalid(expected: string): AgenticError {
  return new AgenticError('ERR_KEY_INVALID', `private key: expected ${expected}`)
}
