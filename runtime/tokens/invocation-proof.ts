/**
 * Invocation proofs (`pop+jwt`, AAT's PoP token): possession of the leaf's key, for one tool with exactly
 * these arguments. Used where there is no HTTP request to bind to: in one process, and in MCP.
 */
import { type Clock, nowSeconds } from '../clock.js'
import { canonicalize, type JsonObject } from '../encoding/canonical-json.js'
import { decodeJws } from '../encoding/compact-jws.js'
import { equalConstantTime, sha256Base64url } from '../encoding/digest.js'
import { newUuid } from '../encoding/uuid.js'
import { AgenticError } from '../errors.js'
import { signJws, verifyDecoded } from '../keys/jws.js'
import type { PublicKey } from '../keys/public-key.js'
import type { SigningKey } from '../keys/signing-key.js'
import { hasClaim, readCount, readForeignId, readObject, readString, readTime } from './claims.js'
import { checkProofTime, requireDigest, spendProof } from './dpop-proof.js'
import type { SingleUse } from './single-use.js'

/** Accepted distance of `iat` from the verifier's clock, in seconds, both ways. */
export const invocationWindowSeconds = 30

export interface InvocationProofRequest {
  /** `jti` of the leaf assertion. */
  readonly leafId: string
  readonly tool: string
  readonly audience: string
  readonly args: JsonObject
  readonly accessToken: string
  /** Which call of its activation this is, counted from 0. */
  readonly ordinal?: number
}

/** @returns compact `pop+jwt`; it holds the arguments in clear and is never logged */
export function createInvocationProof(
  request: InvocationProofRequest,
  key: SigningKey,
  options: { readonly clock: Clock },
): string {
  return signJws(
    { typ: 'pop+jwt' },
    {
      jti: newUuid(options.clock),
      iat: nowSeconds(options.clock),
      aat_id: request.leafId,
      aat_tool: request.tool,
      aat_aud: request.audience,
      hta: request.args,
      ath: sha256Base64url(request.accessToken),
      ajwt_ord: request.ordinal ?? 0,
    },
    key,
  )
}

export interface InvocationProofRules {
  readonly leafId: string
  readonly tool: string
  readonly audience: string
  readonly args: JsonObject
  readonly accessToken: string
  /** The leaf's key, which is also the token's. */
  readonly key: PublicKey
  /** NumericDate, seconds. */
  readonly now: number
  readonly singleUse: SingleUse
}

/**
 * Verifies a proof against the invocation it came with and spends it.
 * @throws AgenticError ERR_PROOF_*, ERR_SIGNATURE_INVALID, ERR_REPLAY_STORE, or the gate's codes
 * @see PROTOCOL 8, AAT "Proof of Possession"
 */
export async function verifyInvocationProof(
  proof: string,
  rules: InvocationProofRules,
): Promise<{ readonly jti: string; readonly ordinal: number }> {
  const decoded = decodeJws(proof, { typ: 'pop+jwt', maxBytes: maxInvocationProofBytes })
  verifyDecoded(decoded, rules.key)
  const { claims } = decoded
  const jti = readForeignId(claims, 'jti')
  checkProofTime(readTime(claims, 'iat'), rules.now, invocationWindowSeconds, invocationWindowSeconds)
  if (readString(claims, 'aat_id') !== rules.leafId) {
    throw new AgenticError('ERR_PROOF_LEAF', '"aat_id" must name the leaf of the chain')
  }
  if (readString(claims, 'aat_tool') !== rules.tool) {
    throw new AgenticError('ERR_PROOF_TOOL', '"aat_tool" must name the tool that is called')
  }
  if (readString(claims, 'aat_aud') !== rules.audience) {
    throw new AgenticError('ERR_PROOF_AUDIENCE', '"aat_aud" must name this tool server')
  }
  if (!equalConstantTime(canonicalize(readObject(claims, 'hta')), canonicalize(rules.args))) {
    throw new AgenticError('ERR_PROOF_ARGUMENTS', '"hta" must be the arguments of this call')
  }
  requireDigest(claims, 'ath', sha256Base64url(rules.accessToken), 'ERR_PROOF_TOKEN')
  const ordinal = hasClaim(claims, 'ajwt_ord') ? readCount(claims, 'ajwt_ord') : 0
  await spendProof(rules.key, jti, rules.now + 2 * invocationWindowSeconds, rules.singleUse)
  return { jti, ordinal }
}

/** A proof carries the whole arguments, so it may be larger than a token. */
export const maxInvocationProofBytes = 4 * 1024 * 1024
