/**
 * DPoP proofs (RFC 9449) with `ajwt_req`, which binds the proof to the request's query, content type and
 * body as well (PROTOCOL 8), and `ajwt_ord`, the ordinal of the call within its activation.
 */
import { type Clock, nowSeconds } from '../clock.js'
import { encodeBase64url } from '../encoding/base64url.js'
import { canonicalize, type JsonObject } from '../encoding/canonical-json.js'
import { decodeJws } from '../encoding/compact-jws.js'
import { equalConstantTime, sha256, sha256Base64url } from '../encoding/digest.js'
import { newUuid } from '../encoding/uuid.js'
import { AgenticError } from '../errors.js'
import { signJws, verifyDecoded } from '../keys/jws.js'
import type { Keyring } from '../keys/keyring.js'
import type { PublicKey } from '../keys/public-key.js'
import type { SigningKey } from '../keys/signing-key.js'
import { hasClaim, readCount, readForeignId, readString, readTime } from './claims.js'
import type { DpopNonces } from './dpop-nonce.js'
import type { SingleUse } from './single-use.js'
import { requireNow } from './times.js'

/** Accepted age of a proof's `iat` against the verifier's clock, in seconds. */
export const proofPastSeconds = 60
export const proofFutureSeconds = 5

/** The parts of an HTTP request that `ajwt_req` covers. */
export interface BoundRequest {
  /** The query without `?`, exactly as sent; empty when there is none. */
  readonly query: string
  /** The Content-Type header as sent; empty when there is none. */
  readonly contentType: string
  readonly body: Uint8Array
}

/** base64url SHA-256 over the canonical description of a request. */
export function requestDigest(request: BoundRequest): string {
  return sha256Base64url(
    canonicalize({
      query: request.query,
      content_type: request.contentType,
      body: encodeBase64url(sha256(request.body)),
    }),
  )
}

export interface DpopProofRequest {
  readonly method: string
  /** The target, without query and fragment. */
  readonly url: string
  /** Present when the proof accompanies an access token. */
  readonly accessToken?: string
  readonly request?: BoundRequest
  /** Which call of its activation this is, counted from 0. */
  readonly ordinal?: number
  readonly nonce?: string
}

/** Makes a proof over exactly one request. @returns compact `dpop+jwt` */
export function createDpopProof(
  request: DpopProofRequest,
  key: SigningKey,
  options: { readonly clock: Clock },
): string {
  const claims: JsonObject = {
    jti: newUuid(options.clock),
    htm: request.method,
    htu: request.url,
    iat: nowSeconds(options.clock),
    ...(request.accessToken !== undefined && { ath: sha256Base64url(request.accessToken) }),
    ...(request.nonce !== undefined && { nonce: request.nonce }),
    ...(request.request && { ajwt_req: requestDigest(request.request) }),
    ...(request.ordinal !== undefined && { ajwt_ord: request.ordinal }),
  }
  return signJws({ typ: 'dpop+jwt', jwk: key.publicKey.jwk }, claims, key)
}

export interface DpopProofRules {
  readonly method: string
  /** The configured public URL of the target, never taken from `Host`. */
  readonly url: string
  /** Demanded as `ath` when present. */
  readonly accessToken?: string
  /** The only key accepted: the one in the token's `cnf`, or a registered one. */
  readonly key?: PublicKey
  /** Demanded as `ajwt_req` when present. */
  readonly request?: BoundRequest
  /** Present: the proof must carry one of these in `nonce`. */
  readonly nonces?: Pick<DpopNonces, 'accepts'>
  /** NumericDate, seconds. */
  readonly now: number
  readonly keyring: Keyring
  readonly singleUse: SingleUse
}

export interface VerifiedDpopProof {
  readonly key: PublicKey
  readonly jti: string
  readonly ordinal: number
}

/**
 * Verifies a proof in the order of RFC 9449 §4.3 and spends it.
 * @throws AgenticError ERR_PROOF_* , ERR_REPLAY_STORE, or the gate's codes
 */
export async function verifyDpopProof(proof: string, rules: DpopProofRules): Promise<VerifiedDpopProof> {
  const decoded = decodeJws(proof, { typ: 'dpop+jwt', jwk: 'required' })
  const key = rules.keyring.publicKey(decoded.header.jwk)
  if (rules.key && !equalConstantTime(key.thumbprint, rules.key.thumbprint)) {
    throw new AgenticError('ERR_PROOF_KEY', 'the proof must be made with the key the token is bound to')
  }
  verifyDecoded(decoded, key)
  const { claims } = decoded
  const jti = readForeignId(claims, 'jti')
  if (readString(claims, 'htm') !== rules.method) {
    throw new AgenticError('ERR_PROOF_METHOD', '"htm" must be the method of this request')
  }
  if (readString(claims, 'htu') !== rules.url) {
    throw new AgenticError('ERR_PROOF_URL', '"htu" must be the URL of this request')
  }
  requireNonce(claims, rules.nonces)
  checkProofTime(readTime(claims, 'iat'), rules.now, proofPastSeconds, proofFutureSeconds)
  const { accessToken } = rules
  // Not `accessToken && …`: an empty text is a token too, and its proof needs an "ath".
  const ath = accessToken === undefined ? undefined : sha256Base64url(accessToken)
  requireDigest(claims, 'ath', ath, 'ERR_PROOF_TOKEN')
  requireDigest(claims, 'ajwt_req', rules.request && requestDigest(rules.request), 'ERR_PROOF_REQUEST')
  const ordinal = hasClaim(claims, 'ajwt_ord') ? readCount(claims, 'ajwt_ord') : 0
  await spendProof(key, jti, rules.now + proofPastSeconds + proofFutureSeconds, rules.singleUse)
  return { key, jti, ordinal }
}

/** A proof without the nonce is not wrong, only made too early: its maker is told the nonce and tries again. */
function requireNonce(claims: JsonObject, nonces: DpopProofRules['nonces']): void {
  if (!nonces) return
  if (!hasClaim(claims, 'nonce') || nonces.accepts(readString(claims, 'nonce')) !== true) {
    throw new AgenticError('ERR_PROOF_NONCE', '"nonce" must be one that this server gave out lately')
  }
}

/** @throws AgenticError ERR_PROOF_STALE */
export function checkProofTime(iat: number, now: number, pastSeconds: number, futureSeconds: number): void {
  requireNow(now)
  if (iat < now - pastSeconds || iat > now + futureSeconds) {
    throw new AgenticError('ERR_PROOF_STALE', '"iat" of the proof lies outside the accepted window')
  }
}

/**
 * Claims (`jkt`, `jti`) until no verifier would accept the proof's `iat` any more.
 * @throws AgenticError ERR_PROOF_REPLAYED, ERR_REPLAY_STORE
 */
export async function spendProof(
  key: PublicKey,
  jti: string,
  expiresAt: number,
  singleUse: SingleUse,
): Promise<void> {
  if ((await singleUse.claim(`proof:${key.thumbprint}:${jti}`, expiresAt)) !== true) {
    throw new AgenticError('ERR_PROOF_REPLAYED', 'this proof was used before')
  }
}

/** Demands a digest claim where a digest is expected; a claim that is not expected is ignored. */
export function requireDigest(
  claims: JsonObject,
  name: string,
  expected: string | undefined,
  code: 'ERR_PROOF_TOKEN' | 'ERR_PROOF_REQUEST',
): void {
  if (expected === undefined) return
  if (!hasClaim(claims, name) || !equalConstantTime(readString(claims, name), expected)) {
    throw new AgenticError(code, `"${name}" must be the digest of what this proof accompanies`)
  }
}
