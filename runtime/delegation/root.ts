/** The root assertion: what the authenticated initiator asked for, signed by the authority (PROTOCOL 5.1). */
import { type Clock, nowSeconds } from '../clock.js'
import type { JsonObject } from '../encoding/canonical-json.js'
import { digestOf } from '../encoding/digest.js'
import { newUuid } from '../encoding/uuid.js'
import { signJws } from '../keys/jws.js'
import type { PublicKey } from '../keys/public-key.js'
import type { SigningKey } from '../keys/signing-key.js'
import { isSameScope } from '../tokens/claims.js'
import { assertionToWire, decodeAssertion, maxHops, maxRootSeconds } from './assertion.js'
import type { ToolGrants } from './tools.js'

/** The user's intent, hashed into every hop and token of a run. */
export interface IntentStatement {
  /** What was asked, in words. */
  readonly request: string
  readonly workflow_id: string
  readonly workflow_digest: string
  readonly parameters: JsonObject
  /** Random, so that a short request cannot be guessed from its hash. */
  readonly nonce: string
}

/** `intent_hash`: `sha256:<hex>` of the canonical statement. */
export function intentHash(statement: IntentStatement): string {
  return digestOf(statement)
}

export interface RootRequest {
  readonly issuer: string
  readonly initiatedBy: string
  readonly auth: { readonly method: string; readonly time: number }
  readonly executionId: string
  readonly workflowId: string
  /** The entry step. */
  readonly workflowStep: string
  readonly intentHash: string
  readonly agentProof: { readonly agentChecksum: string; readonly registrationId: string }
  /** The entry agent's key. */
  readonly delegatee: PublicKey
  readonly tools: ToolGrants
  readonly scope: readonly string[]
  readonly maxDepth: number
  readonly lifetimeSeconds: number
}

/** @returns compact `delegation+jwt`, depth 0
 * @throws AgenticError ERR_CLAIM_INVALID, ERR_CONSTRAINT_INVALID, ERR_TOKEN_TOO_LARGE when no verifier would read it
 * @throws TypeError for a depth or a lifetime out of bounds, or a scope that would be read as several, or
 *   without who asked */
export function issueRootAssertion(
  request: RootRequest,
  authorityKey: SigningKey,
  options: { readonly clock: Clock },
): string {
  if (!Number.isInteger(request.maxDepth) || request.maxDepth < 0 || request.maxDepth >= maxHops) {
    throw new TypeError(`maxDepth must be a whole number from 0 to ${maxHops - 1}`)
  }
  if (!(request.lifetimeSeconds >= 1 && request.lifetimeSeconds <= maxRootSeconds)) {
    throw new TypeError(`lifetimeSeconds must be from 1 to ${maxRootSeconds}`)
  }
  const iat = nowSeconds(options.clock)
  const claims = assertionToWire({
    jti: newUuid(options.clock),
    iss: request.issuer,
    iat,
    exp: iat + Math.floor(request.lifetimeSeconds),
    jwk: request.delegatee.jwk,
    depth: 0,
    maxDepth: request.maxDepth,
    toolGrants: request.tools,
    scope: request.scope,
    agentProof: request.agentProof,
    intent: {
      executionId: request.executionId,
      workflowId: request.workflowId,
      workflowStep: request.workflowStep,
      intentHash: request.intentHash,
    },
    initiatedBy: request.initiatedBy,
    auth: request.auth,
  })
  const token = signJws(
    { typ: 'delegation+jwt', kid: authorityKey.publicKey.thumbprint },
    claims,
    authorityKey,
  )
  const read = decodeAssertion(token)
  if (!isSameScope(read.scope, request.scope)) throw new TypeError('scope: expected scope tokens')
  if (read.initiatedBy === undefined || !read.auth)
    throw new TypeError('initiatedBy, auth: expected who asked, and how that is known')
  return token
}
