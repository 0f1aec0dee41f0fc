/**
 * The gate that every compact JWS passes before anything else looks at it (RFC 7515 §7.1, RFC 8725).
 * It reads and proves nothing: signature, times and audience are for others.
 */
import { AgenticError } from '../errors.js'
import { decodeBase64url, viewBase64url } from './base64url.js'
import type { JsonObject } from './canonical-json.js'
import { isPlainObject, parseJsonObject } from './strict-json.js'

export interface JwsHeader {
  readonly alg: string
  readonly typ: string
  readonly kid?: string
  readonly jwk?: JsonObject
}

export interface DecodedJws {
  readonly header: JwsHeader
  /** Its objects have no prototype: a missing claim reads as undefined even in a polluted realm. */
  readonly claims: JsonObject
  /** The bytes that are signed, as text (ASCII): header and payload segments with the dot between. */
  readonly signingInput: string
  readonly signature: Uint8Array
}

export interface JwsRules {
  /** The one `typ` that is accepted, compared exactly. */
  readonly typ: string
  /** Whether the header carries the key (DPoP proofs only); default `forbidden`. */
  readonly jwk?: 'required' | 'forbidden'
  /** Longest token in characters; default 16384. */
  readonly maxBytes?: number
}

/** The algorithms a header may name. That it is also the key's own is checked with the key. */
const algorithms: ReadonlySet<unknown> = new Set(['Ed25519', 'ES256'])
const maxKidLength = 256

/** Takes a compact JWS apart, refusing whatever two readers could understand differently.
 * @throws AgenticError ERR_TOKEN_TOO_LARGE, ERR_TOKEN_MALFORMED, ERR_BASE64URL_INVALID, ERR_TOKEN_JSON,
 *   ERR_HEADER_REFUSED, ERR_ALG_REFUSED, ERR_TYP_MISMATCH; no other error for any input
 * @see PROTOCOL 4
 */
export function decodeJws(token: string, rules: JwsRules): DecodedJws {
  const { typ } = rules
  // Own members only: a polluted `Object.prototype` must not loosen the rules.
  const jwk = (Object.hasOwn(rules, 'jwk') && rules.jwk) || 'forbidden'
  const maxBytes = (Object.hasOwn(rules, 'maxBytes') && rules.maxBytes) || 16_384
  if (typeof token !== 'string') throw new AgenticError('ERR_TOKEN_MALFORMED', 'expected a token as text')
  if (token.length > maxBytes) {
    throw new AgenticError(
      'ERR_TOKEN_TOO_LARGE',
      `expected a token of at most ${maxBytes} characters, found ${token.length}`,
    )
  }
  const [afterHeader, afterPayload] = dots(token)
  const header = decodeHeader(token.slice(0, afterHeader), typ, jwk)
  const claims = decodeObject(token.slice(afterHeader + 1, afterPayload), 'claims set')
  const signature = decodeBase64url(token.slice(afterPayload + 1))
  return { header, claims, signingInput: token.slice(0, afterPayload), signature }
}

/** Where the two dots are; all three segments hold something. */
function dots(token: string): [number, number] {
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first < 1 || second === -1 || token.indexOf('.', second + 1) !== -1) {
    throw new AgenticError('ERR_TOKEN_MALFORMED', 'expected three segments')
  }
  if (second === first + 1 || second === token.length - 1) {
    throw new AgenticError('ERR_TOKEN_MALFORMED', 'expected no empty segment')
  }
  return [first, second]
}

function decodeHeader(segment: string, typ: string, jwk: 'required' | 'forbidden'): JwsHeader {
  const header = decodeObject(segment, 'protected header')
  for (const name of Object.keys(header)) {
    if (name === 'alg' || name === 'typ' || name === 'kid' || (name === 'jwk' && jwk === 'required')) continue
    // Refused whatever it is: jku, x5u, x5c, b64, crit, zip, or a name nobody knows. A stranger's text is not repeated.
    throw new AgenticError(
      'ERR_HEADER_REFUSED',
      'protected header: expected no members but "alg", "typ" and "kid"',
    )
  }
  if (!algorithms.has(header.alg)) {
    throw new AgenticError('ERR_ALG_REFUSED', 'protected header: expected "alg" to be Ed25519 or ES256')
  }
  if (header.typ !== typ) {
    throw new AgenticError('ERR_TYP_MISMATCH', `protected header: expected "typ" to be ${typ}`)
  }
  const { kid, jwk: key } = header
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > maxKidLength)) {
    throw new AgenticError(
      'ERR_HEADER_REFUSED',
      `protected header: expected "kid" to be text of 1 to ${maxKidLength} characters`,
    )
  }
  if (jwk === 'required' && !isPlainObject(key)) {
    throw new AgenticError('ERR_HEADER_REFUSED', 'protected header: expected "jwk" to be an object')
  }
  return header as unknown as JwsHeader
}

function decodeObject(segment: string, what: string): JsonObject {
  const bytes = viewBase64url(segment)
  try {
    // The length of the whole token has been checked; a second bound here would refuse what that one allows.
    return parseJsonObject(bytes, { maxBytes: bytes.length, bare: true })
  } catch (cause) {
    throw new AgenticError('ERR_TOKEN_JSON', `${what}: expected one strict JSON object`, { cause })
  }
}
