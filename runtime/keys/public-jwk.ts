/** The JWK forms of public keys (RFC 8037 §2, RFC 7518 §6.2.1): their shape, and reading them from outside. */
import type { JsonObject } from '../encoding/canonical-json.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'

export interface Ed25519Jwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  /** 32 bytes in base64url. */
  readonly x: string
}

export interface P256Jwk {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  /** 32 bytes in base64url, big-endian; leading zeros kept. */
  readonly x: string
  /** The same. */
  readonly y: string
}

export type PublicJwk = Ed25519Jwk | P256Jwk

/** The algorithms there are; each belongs to one kind of key, and a key to one algorithm. */
export type KeyAlgorithm = 'Ed25519' | 'ES256'

const kinds = {
  // `EdDSA` is the name that RFC 9864 replaced; a JWK may still carry it, a header of ours may not.
  Ed25519: { kty: 'OKP', crv: 'Ed25519', names: ['Ed25519', 'EdDSA'], coordinates: ['x'] },
  ES256: { kty: 'EC', crv: 'P-256', names: ['ES256'], coordinates: ['x', 'y'] },
} as const

const described: ReadonlySet<string> = new Set(['kty', 'crv', 'kid', 'use', 'alg', 'key_ops'])

/** Reads a JWK down to what its key is, refusing every other kind of key and one that is meant for something else.
 * @returns the required members alone, frozen; that they are a usable point is checked where the key is made
 * @throws AgenticError ERR_KEY_INVALID
 * @see RFC 7517 §4, RFC 8037 §2, RFC 7518 §6.2.1
 */
export function parsePublicJwk(jwk: unknown, algorithm: 'Ed25519'): Ed25519Jwk
export function parsePublicJwk(jwk: unknown, algorithm: 'ES256'): P256Jwk
export function parsePublicJwk(jwk: unknown, algorithm: KeyAlgorithm): PublicJwk {
  const { kty, crv, names, coordinates } = kinds[algorithm]
  if (!isPlainObject(jwk)) throw invalid('an object')
  for (const name of Object.keys(jwk)) {
    // `d` above all: whoever sends a private key has given it away.
    if (!described.has(name) && !(coordinates as readonly string[]).includes(name))
      throw invalid(`no members but ${coordinates.join(', ')}, kty, crv, kid, use, alg and key_ops`)
  }
  if (own(jwk, 'kty') !== kty) throw invalid(`"kty" ${kty}`)
  if (own(jwk, 'crv') !== crv) throw invalid(`"crv" ${crv}`)
  if (!(names as readonly unknown[]).includes(own(jwk, 'alg') ?? algorithm))
    throw invalid(`"alg" ${algorithm}`)
  if ((own(jwk, 'use') ?? 'sig') !== 'sig') throw invalid('"use" sig')
  if (typeof (own(jwk, 'kid') ?? '') !== 'string') throw invalid('"kid" as text')
  const operations = own(jwk, 'key_ops') ?? ['verify']
  if (!Array.isArray(operations) || !operations.includes('verify')) throw invalid('"key_ops" with verify')
  const [x, y] = coordinates.map((name) => readCoordinate(jwk, name))
  return Object.freeze({ kty, crv, x, ...(y !== undefined && { y }) }) as PublicJwk
}

/** What algorithm a JWK claims to be for, judged by its `kty` alone: `parsePublicJwk` refuses what does not fit. */
export function algorithmOf(jwk: unknown): KeyAlgorithm {
  return isPlainObject(jwk) && own(jwk, 'kty') === kinds.ES256.kty ? 'ES256' : 'Ed25519'
}

function readCoordinate(jwk: JsonObject, name: string): string {
  const value = own(jwk, name)
  if (typeof value !== 'string' || value.length !== 43) throw invalid(`"${name}" of 32 bytes in base64url`)
  return value
}

function own(jwk: JsonObject, name: string): unknown {
  return Object.hasOwn(jwk, name) ? jwk[name] : undefined
}

function invalid(expected: string): AgenticError {
  return new AgenticError('ERR_KEY_INVALID', `public key: expected ${expected}`)
}
