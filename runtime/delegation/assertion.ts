/**
 * One delegation assertion: the AAT token shape in a JWT profile (PROTOCOL 5.2), on the wire and in the
 * code. Only this file knows both spellings.
 */
import type { JsonObject } from '../encoding/canonical-json.js'
import { type DecodedJws, decodeJws } from '../encoding/compact-jws.js'
import { sha256Base64url } from '../encoding/digest.js'
import { AgenticError } from '../errors.js'
import type { PublicJwk } from '../keys/public-key.js'
import {
  hasClaim,
  readCount,
  readForeignId,
  readIdentifier,
  readObject,
  readObjects,
  readOptionalString,
  readScope,
  readString,
  readTime,
} from '../tokens/claims.js'
import { readToolGrants, type ToolGrants } from './tools.js'

/** Limits of PROTOCOL 1. */
export const maxHops = 32
export const maxChainBytes = 256 * 1024
export const maxRootSeconds = 7 * 24 * 3600
export const maxDerivedSeconds = 24 * 3600

/** What an assertion is for: one run, one step, one activation. */
export interface AssertionIntent {
  readonly executionId: string
  readonly workflowId: string
  readonly workflowStep: string
  readonly intentHash: string
  /** Absent at the root, which is for the entry step whatever its attempt. */
  readonly activationId?: string
  /** Digest of the input handed to the delegatee. */
  readonly taskDigest?: string
}

export interface Assertion {
  readonly jti: string
  readonly iss: string
  /** NumericDate, seconds. */
  readonly iat: number
  readonly exp: number
  /** The delegatee's key, not yet judged. */
  readonly jwk: PublicJwk
  readonly depth: number
  readonly maxDepth: number
  readonly parentHash?: string
  readonly toolGrants: ToolGrants
  readonly scope: readonly string[]
  readonly agentProof: { readonly agentChecksum: string; readonly registrationId: string }
  readonly intent: AssertionIntent
  /** Only at the root: who asked, and how that was established. */
  readonly initiatedBy?: string
  readonly auth?: { readonly method: string; readonly time: number }
}

export function assertionToWire(assertion: Assertion): JsonObject {
  const { intent } = assertion
  return {
    jti: assertion.jti,
    iss: assertion.iss,
    iat: assertion.iat,
    exp: assertion.exp,
    cnf: { jwk: { ...assertion.jwk } },
    del_depth: assertion.depth,
    del_max_depth: assertion.maxDepth,
    ...(assertion.parentHash !== undefined && { par_hash: assertion.parentHash }),
    authorization_details: toolDetails(assertion.toolGrants),
    scope: assertion.scope.join(' '),
    agent_proof: {
      agent_checksum: assertion.agentProof.agentChecksum,
      registration_id: assertion.agentProof.registrationId,
    },
    intent: {
      execution_id: intent.executionId,
      workflow_id: intent.workflowId,
      workflow_step: intent.workflowStep,
      intent_hash: intent.intentHash,
      ...(intent.activationId !== undefined && { activation_id: intent.activationId }),
      ...(intent.taskDigest !== undefined && { task_digest: intent.taskDigest }),
    },
    ...(assertion.initiatedBy !== undefined && { initiated_by: assertion.initiatedBy }),
    ...(assertion.auth && { auth: { ...assertion.auth } }),
  }
}

/** The AAT entry of `authorization_details` (RFC 9396). */
export function toolDetails(tools: ToolGrants): readonly JsonObject[] {
  return [{ type: 'attenuating_agent_token', tools: tools as unknown as JsonObject }]
}

/** Reads the one AAT entry of claims fresh from the gate; entries of other types are not ours and are refused.
 * @throws AgenticError ERR_CLAIM_INVALID, ERR_CONSTRAINT_INVALID */
export function parseToolDetails(details: readonly JsonObject[]): ToolGrants {
  const [entry, ...others] = details
  if (!entry || others.length > 0 || entry['type'] !== 'attenuating_agent_token') {
    throw new AgenticError(
      'ERR_CLAIM_INVALID',
      'claim "authorization_details" must hold exactly one entry of type "attenuating_agent_token"',
    )
  }
  return readToolGrants(readObject(entry, 'tools'))
}

/** Checks the shape of every claim. Frozen through and through: verified ones are remembered and handed out again.
 * @throws AgenticError ERR_CLAIM_INVALID, ERR_CONSTRAINT_INVALID */
export function assertionFromWire(claims: JsonObject): Assertion {
  const proof = readObject(claims, 'agent_proof')
  const parentHash = readOptionalString(claims, 'par_hash')
  const initiatedBy = readOptionalString(claims, 'initiated_by')
  return Object.freeze({
    jti: readForeignId(claims, 'jti'),
    iss: readString(claims, 'iss'),
    iat: readTime(claims, 'iat'),
    exp: readTime(claims, 'exp'),
    jwk: Object.freeze(readObject(readObject(claims, 'cnf'), 'jwk')) as unknown as PublicJwk,
    depth: readCount(claims, 'del_depth'),
    maxDepth: readCount(claims, 'del_max_depth'),
    ...(parentHash !== undefined && { parentHash }),
    toolGrants: parseToolDetails(readObjects(claims, 'authorization_details')),
    scope: Object.freeze(readScope(claims)),
    agentProof: Object.freeze({
      agentChecksum: readString(proof, 'agent_checksum'),
      registrationId: readIdentifier(proof, 'registration_id'),
    }),
    intent: intentFromWire(readObject(claims, 'intent')),
    ...(initiatedBy !== undefined && { initiatedBy }),
    ...(hasClaim(claims, 'auth') && { auth: authFromWire(readObject(claims, 'auth')) }),
  })
}

function intentFromWire(intent: JsonObject): AssertionIntent {
  const taskDigest = readOptionalString(intent, 'task_digest')
  return Object.freeze({
    executionId: readForeignId(intent, 'execution_id'),
    workflowId: readIdentifier(intent, 'workflow_id'),
    workflowStep: readString(intent, 'workflow_step'),
    intentHash: readString(intent, 'intent_hash'),
    ...(hasClaim(intent, 'activation_id') && { activationId: readForeignId(intent, 'activation_id') }),
    ...(taskDigest !== undefined && { taskDigest }),
  })
}

function authFromWire(auth: JsonObject): { method: string; time: number } {
  return Object.freeze({ method: readString(auth, 'method'), time: readTime(auth, 'time') })
}

/** Gate only: an assertion as somebody wrote it. Proves nothing. */
export function decodeAssertionJws(token: string): DecodedJws {
  return decodeJws(token, { typ: 'delegation+jwt' })
}

/** Reads an assertion without verifying it. */
export function decodeAssertion(token: string): Assertion {
  return assertionFromWire(decodeAssertionJws(token).claims)
}

/** base64url SHA-256 of a compact token's JWS signing input: `par_hash` of its children, `chain_hash` of a token. */
export function signingInputHash(token: string): string {
  return sha256Base64url(token.slice(0, token.lastIndexOf('.')))
}
