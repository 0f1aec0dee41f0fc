/**
 * The gate and the signature of JWS that other issuers sign: OpenID providers, OAuth clients. They choose RSA
 * or ECDSA and add headers of their own, so each issuer has a profile; what two readers could understand
 * differently is refused as in our own tokens (PROTOCOL 4). RSA and ECDSA are jose's.
 */
import { compactVerify, importJWK, type JWK } from 'jose'
import { viewBase64url } from '../encoding/base64url.js'
import type { JsonObject } from '../encoding/canonical-json.js'
import { isPlainObject, parseJsonObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'
import type { Keyring } from '../keys/keyring.js'

export type ForeignAlgorithm = 'RS256' | 'ES256' | 'EdDSA' | 'Ed25519'

export interface ForeignSigner {
  /** The algorithms this issuer may use; each fits one kind of key only. */
  readonly algorithms: readonly ForeignAlgorithm[]
  /** The issuer's public keys, as its JWK Set lists them. */
  readonly keys: readonly JsonObject[]
}

export interface ForeignJws {
  readonly header: JsonObject
  readonly payload: Uint8Array
}

const maxLength = 16_384
/** `x5t` and `x5t#S256` name a certificate; nobody here looks at it. */
const allowed: ReadonlySet<string> = new Set(['alg', 'typ', 'kid', 'x5t', 'x5t#S256'])

/** What a JWK must say of itself to serve an algorithm (RFC 7518 §3.1, RFC 8037 §3.1). */
const kinds: Record<ForeignAlgorithm, { readonly kty: string; readonly crv?: string }> = {
  RS256: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
}
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** Verifies that one of the issuer's keys signed; says nothing of the claims.
 * @throws AgenticError ERR_TOKEN_TOO_LARGE, ERR_TOKEN_MALFORMED, ERR_BASE64URL_INVALID, ERR_TOKEN_JSON,
 *   ERR_HEADER_REFUSED, ERR_ALG_REFUSED, ERR_SIGNATURE_INVALID (also when no key of the issuer fits)
 * @see RFC 7515 §5.2, RFC 8725 §3
 */
export async function verifyForeignJws(
  token: string,
  signer: ForeignSigner,
  keyring: Keyring,
): Promise<ForeignJws> {
  const segments = segmentsOf(token)
  const header = headerOf(segments.header)
  const algorithm = signer.algorithms.find((allowedHere) => allowedHere === header['alg'])
  if (algorithm === undefined) {
    throw new AgenticError('ERR_ALG_REFUSED', 'protected header: "alg" is none that this issuer may use')
  }
  const key = keyFor(header['kid'], algorithm, signer.keys)
  if (!(await holds(token, segments, key, algorithm, keyring))) throw notSigned()
  return { header, payload: new Uint8Array(segments.payload) }
}

interface Segments {
  readonly header: Uint8Array
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

function segmentsOf(token: string): Segments {
  if (typeof token !== 'string') throw new AgenticError('ERR_TOKEN_MALFORMED', 'expected a token as text')
  if (token.length > maxLength) {
    throw new AgenticError('ERR_TOKEN_TOO_LARGE', `expected a token of at most ${maxLength} characters`)
  }
  const [header, payload, signature, ...more] = token.split('.')
  if (!header || !payload || !signature || more.length > 0) {
    throw new AgenticError('ERR_TOKEN_MALFORMED', 'expected three segments, none of them empty')
  }
  return {
    header: viewBase64url(header),
    payload: viewBase64url(payload),
    signature: viewBase64url(signature),
  }
}

function headerOf(bytes: Uint8Array): JsonObject {
  let header: JsonObject
  try {
    header = parseJsonObject(bytes, { bare: true })
  } catch (cause) {
    throw new AgenticError('ERR_TOKEN_JSON', 'protected header: expected one strict JSON object', { cause })
  }
  if (!Object.keys(header).every((name) => allowed.has(name))) {
    throw new AgenticError(
      'ERR_HEADER_REFUSED',
      'protected header: expected no members but "alg", "typ", "kid" and certificate thumbprints',
    )
  }
  return header
}

/** The one key that the header can mean: never tried one after the other, so that "kid" binds. */
function keyFor(kid: unknown, algorithm: ForeignAlgorithm, keys: readonly JsonObject[]): JsonObject {
  const named = kid === undefined ? keys : keys.filter((key) => isPlainObject(key) && key['kid'] === kid)
  const fitting = named.filter((key) => serves(key, algorithm))
  const [key, ...others] = fitting
  if (key === undefined || others.length > 0) throw notSigned()
  return key
}

function serves(key: JsonObject, algorithm: ForeignAlgorithm): boolean {
  if (!isPlainObject(key) || privateMembers.some((member) => Object.hasOwn(key, member))) return false
  const { kty, crv } = kinds[algorithm]
  if (own(key, 'kty') !== kty || (crv !== undefined && own(key, 'crv') !== crv)) return false
  const named = own(key, 'alg')
  // `EdDSA` and `Ed25519` name one algorithm where the curve is Ed25519 (RFC 9864 §2.2).
  const sameName = named === undefined || named === algorithm || (kty === 'OKP' && isEdwards(named))
  const operations = own(key, 'key_ops') ?? ['verify']
  return (
    sameName &&
    (own(key, 'use') ?? 'sig') === 'sig' &&
    Array.isArray(operations) &&
    operations.includes('verify')
  )
}

async function holds(
  token: string,
  { signature }: Segments,
  key: JsonObject,
  algorithm: ForeignAlgorithm,
  keyring: Keyring,
): Promise<boolean> {
  const input = token.slice(0, token.lastIndexOf('.'))
  try {
    if (isEdwards(algorithm)) {
      return keyring.publicKey({ kty: 'OKP', crv: 'Ed25519', x: own(key, 'x') }).verify(input, signature)
    }
    // Only what defines the key is handed on; a modulus under 2048 bits is refused there.
    const { kty, crv, x, y, n, e } = key
    const jwk = kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y }
    await compactVerify(token, await importJWK(jwk as JWK, algorithm), { algorithms: [algorithm] })
    return true
  } catch {
    return false
  }
}

function isEdwards(algorithm: unknown): boolean {
  return algorithm === 'EdDSA' || algorithm === 'Ed25519'
}

function own(key: JsonObject, name: string): unknown {
  return Object.hasOwn(key, name) ? key[name] : undefined
}

/** One answer for a wrong signature and for a key that is not there: who tries learns nothing of the keys. */
function notSigned(): AgenticError {
  return new AgenticError('ERR_SIGNATURE_INVALID', 'the signature is not one of this issuer’s keys')
}
