/**
 * ID tokens (OpenID Connect Core §2): how a person whom another issuer authenticated becomes the initiator of
 * a run. Such a token is a bearer token and is read once, at the start; nothing of it is kept but who and when.
 */

import type { JsonObject } from '../encoding/canonical-json.js'
import { parseJsonObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'
import type { Keyring } from '../keys/keyring.js'
import { hasClaim, readString, readTime } from './claims.js'
import { type ForeignSigner, verifyForeignJws } from './foreign-jws.js'
import { checkTimes, maxFutureSkewSeconds } from './times.js'

/** One issuer whose ID tokens count here. */
export interface IdTokenIssuer extends ForeignSigner {
  /** Its identifier, compared whole. */
  readonly issuer: string
  /** The client identifier this runtime has there: the token must be meant for it. */
  readonly audience: string
  /** How long ago the person may have been authenticated, in seconds; default 24 hours. */
  readonly maxAgeSeconds?: number
}

export interface IdTokenSubject {
  readonly issuer: string
  /** Unique at that issuer. */
  readonly subject: string
  /** NumericDate seconds: when the person was authenticated, or else when the token was made. */
  readonly authenticatedAt: number
}

const maxSubjectLength = 255
const defaultMaxAgeSeconds = 24 * 3600

/** @param now NumericDate, seconds
 * @throws AgenticError what `verifyForeignJws` throws; ERR_TYP_MISMATCH, ERR_TOKEN_ISSUER, ERR_TOKEN_AUDIENCE,
 *   ERR_TOKEN_EXPIRED, ERR_TOKEN_FROM_FUTURE, ERR_TOKEN_LIFETIME, ERR_CLAIM_INVALID
 * @see OpenID Connect Core §3.1.3.7, PROTOCOL 5.1
 */
export async function verifyIdToken(
  token: string,
  issuers: readonly IdTokenIssuer[],
  now: number,
  keyring: Keyring,
): Promise<IdTokenSubject> {
  const issuer = issuerOf(token, issuers)
  const { header, payload } = await verifyForeignJws(token, issuer, keyring)
  if (hasClaim(header, 'typ') && header['typ'] !== 'JWT') {
    throw new AgenticError('ERR_TYP_MISMATCH', 'protected header: expected "typ" of an ID token to be JWT')
  }
  const claims = claimsOf(payload)
  requireAudience(claims, issuer.audience)
  return subjectOf(claims, issuer, now)
}

/** Read before anything is verified: it only picks whose keys must have signed these very bytes. */
function issuerOf(token: string, issuers: readonly IdTokenIssuer[]): IdTokenIssuer {
  const [, payload = ''] = typeof token === 'string' ? token.slice(0, 16_385).split('.') : []
  const claimed = claimedIssuer(payload)
  const issuer = issuers.find((known) => known.issuer === claimed)
  if (issuer === undefined) throw unknownIssuer()
  return issuer
}

function claimedIssuer(payload: string): unknown {
  try {
    const claims = parseJsonObject(Buffer.from(payload, 'base64url'), { bare: true })
    return claims['iss']
  } catch {
    return undefined
  }
}

function claimsOf(payload: Uint8Array): JsonObject {
  try {
    return parseJsonObject(payload, { bare: true })
  } catch (cause) {
    throw new AgenticError('ERR_TOKEN_JSON', 'claims set: expected one strict JSON object', { cause })
  }
}

/** One audience, ours. With several, `azp` would have to be trusted to say for whom it is. */
function requireAudience(claims: JsonObject, audience: string): void {
  const aud = hasClaim(claims, 'aud') ? claims['aud'] : undefined
  const only = Array.isArray(aud) && aud.length === 1 ? (aud[0] as unknown) : aud
  if (only !== audience || (hasClaim(claims, 'azp') && claims['azp'] !== audience)) {
    throw new AgenticError('ERR_TOKEN_AUDIENCE', '"aud" of the ID token must be this runtime and nobody else')
  }
}

function subjectOf(claims: JsonObject, issuer: IdTokenIssuer, now: number): IdTokenSubject {
  const { maxAgeSeconds = defaultMaxAgeSeconds } = issuer
  const times = { iat: readTime(claims, 'iat'), exp: readTime(claims, 'exp') }
  checkTimes(times, now, defaultMaxAgeSeconds)
  if (hasClaim(claims, 'nbf') && readTime(claims, 'nbf') > now + maxFutureSkewSeconds) {
    throw new AgenticError('ERR_TOKEN_FROM_FUTURE', '"nbf" lies in the future')
  }
  const authenticatedAt = hasClaim(claims, 'auth_time') ? readTime(claims, 'auth_time') : times.iat
  if (authenticatedAt > times.iat + maxFutureSkewSeconds) {
    throw new AgenticError('ERR_CLAIM_INVALID', 'claim "auth_time" must not be later than "iat"')
  }
  if (now - authenticatedAt > maxAgeSeconds) {
    throw new AgenticError('ERR_TOKEN_EXPIRED', `authentication must be at most ${maxAgeSeconds} seconds old`)
  }
  // Somebody acting for a person is not that person; who may do so would have to be configured (`may_act`).
  if (hasClaim(claims, 'act'))
    throw new AgenticError('ERR_CLAIM_INVALID', 'an ID token with an actor ("act") proves no initiator')
  const subject = readString(claims, 'sub')
  if (subject.length > maxSubjectLength || !/^[\x20-\x7e]+$/.test(subject)) {
    throw new AgenticError('ERR_CLAIM_INVALID', `claim "sub" must be at most ${maxSubjectLength} of ASCII`)
  }
  return { issuer: issuer.issuer, subject, authenticatedAt }
}

function unknownIssuer(): AgenticError {
  return new AgenticError('ERR_TOKEN_ISSUER', 'the ID token is of no issuer that is trusted here')
}
