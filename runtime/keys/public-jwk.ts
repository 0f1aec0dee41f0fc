/** The JWK form of an Ed25519 public key (RFC 8037 §2): its shape, and reading it from outside. */
import type { JsonObject } from '../encoding/canonical-json.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'

export interface PublicJwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  /** 32 bytes in base64url. */
  readonly x: string
}

const allowed: ReadonlySet<string> = new Set(['kty', 'crv', 'x', 'kid', 'use', 'alg', 'key_ops'])

/** Reads a JWK down to its `x`, refusing every other kind of key and one that is meant for something else.
 * @returns base64url text; that it is a usable point is checked by public-key.ts
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

function own(jwk: JsonObject, name: string): unknown {
  return Object.hasOwn(jwk, name) ? jwk[name] : undefined
}

function invalid(expected: string): AgenticError {
  return new AgenticError('ERR_KEY_INVALID', `public key: expected ${expected}`)
}
