/**
 * The intent token's claims set (PROTOCOL 7, A-JWT §4.4), on the wire and in the code. Only this file
 * knows both spellings.
 */
import type { JsonObject } from '../encoding/canonical-json.js'
import { AgenticError } from '../errors.js'
import type { PublicJwk } from '../keys/public-key.js'
import {
  hasClaim,
  readCount,
  readForeignId,
  readIdentifier,
  readObject,
  readObjects,
  readScope,
  readString,
  readTime,
} from './claims.js'

/** The approval that opened a token: it is good for this tool with these arguments, once. */
export interface TokenApproval {
  readonly id: string
  readonly tool: string
  /** `sha256:<hex>` of the canonical arguments. */
  readonly argsDigest: string
}

export interface Intent {
  readonly workflowId: string
  readonly workflowStep: string
  readonly workflowDigest: string
  readonly executionId: string
  readonly activationId: string
  readonly epoch: number
  readonly executedBy: string
  readonly initiatedBy: string
  /** First 16 hex digits of a hash over agent ids, root to leaf; kept for the draft's readers, proves nothing. */
  readonly delegationChain: string
  /** The same over the steps that have receipts, then this one. */
  readonly stepSequenceHash: string
  readonly checkpoint: string
  readonly intentHash: string
  /** base64url SHA-256 of the leaf assertion's JWS signing input. */
  readonly chainHash: string
  readonly approval?: TokenApproval
  readonly use?: 'once'
}

export interface IntentTokenClaims {
  readonly iss: string
  readonly aud: string
  /** The agent id. */
  readonly sub: string
  readonly clientId: string
  readonly jti: string
  /** NumericDate, seconds. */
  readonly iat: number
  readonly exp: number
  readonly scope: readonly string[]
  readonly cnf: { readonly jkt: string; readonly jwk: PublicJwk }
  readonly authorizationDetails: readonly JsonObject[]
  readonly intent: Intent
  readonly agentProof: { readonly agentChecksum: string; readonly registrationId: string }
}

/** What the mint itself adds to the claims it is given. */
export type MintedClaims = Pick<IntentTokenClaims, 'jti' | 'iat' | 'exp'>

/** Members stand in canonical order, and nothing is spread in: both cost more than the printing itself. */
export function toWire(
  claims: Omit<IntentTokenClaims, keyof MintedClaims>,
  minted: MintedClaims,
): JsonObject {
  return {
    agent_proof: {
      agent_checksum: claims.agentProof.agentChecksum,
      registration_id: claims.agentProof.registrationId,
    },
    aud: claims.aud,
    authorization_details: claims.authorizationDetails,
    client_id: claims.clientId,
    cnf: { jkt: claims.cnf.jkt, jwk: claims.cnf.jwk as unknown as JsonObject },
    exp: minted.exp,
    iat: minted.iat,
    intent: intentToWire(claims.intent),
    iss: claims.iss,
    jti: minted.jti,
    scope: claims.scope.join(' '),
    sub: claims.sub,
  }
}

function intentToWire(intent: Intent): JsonObject {
  const always = {
    activation_id: intent.activationId,
    chain_hash: intent.chainHash,
    checkpoint: intent.checkpoint,
    delegation_chain: intent.delegationChain,
    epoch: intent.epoch,
    executed_by: intent.executedBy,
    execution_id: intent.executionId,
    initiated_by: intent.initiatedBy,
    intent_hash: intent.intentHash,
    step_sequence_hash: intent.stepSequenceHash,
    workflow_digest: intent.workflowDigest,
    workflow_id: intent.workflowId,
    workflow_step: intent.workflowStep,
  }
  const { approval, use } = intent
  if (!approval && !use) return always
  return {
    ...always,
    ...(approval && {
      approval: { args_digest: approval.argsDigest, id: approval.id, tool: approval.tool },
    }),
    ...(use && { use }),
  }
}

/** Checks the shape of every claim. The key in `cnf` is not judged here. @throws AgenticError ERR_CLAIM_INVALID */
export function fromWire(claims: JsonObject): IntentTokenClaims {
  const cnf = readObject(claims, 'cnf')
  const proof = readObject(claims, 'agent_proof')
  return {
    iss: readString(claims, 'iss'),
    aud: readString(claims, 'aud'),
    sub: readIdentifier(claims, 'sub'),
    clientId: readString(claims, 'client_id'),
    jti: readForeignId(claims, 'jti'),
    iat: readTime(claims, 'iat'),
    exp: readTime(claims, 'exp'),
    scope: readScope(claims),
    cnf: { jkt: readString(cnf, 'jkt'), jwk: readObject(cnf, 'jwk') as unknown as PublicJwk },
    authorizationDetails: readObjects(claims, 'authorization_details'),
    intent: intentFromWire(readObject(claims, 'intent')),
    agentProof: {
      agentChecksum: readString(proof, 'agent_checksum'),
      registrationId: readIdentifier(proof, 'registration_id'),
    },
  }
}

function intentFromWire(intent: JsonObject): Intent {
  const approval = hasClaim(intent, 'approval') ? readObject(intent, 'approval') : undefined
  const once = hasClaim(intent, 'use')
  if (once && intent['use'] !== 'once') {
    throw new AgenticError('ERR_CLAIM_INVALID', 'claim "use" must be "once" or absent')
  }
  if (once !== (approval !== undefined)) {
    throw new AgenticError('ERR_CLAIM_INVALID', 'claims "approval" and "use" come together or not at all')
  }
  return {
    workflowId: readIdentifier(intent, 'workflow_id'),
    workflowStep: readString(intent, 'workflow_step'),
    workflowDigest: readString(intent, 'workflow_digest'),
    executionId: readForeignId(intent, 'execution_id'),
    activationId: readForeignId(intent, 'activation_id'),
    epoch: readCount(intent, 'epoch'),
    executedBy: readIdentifier(intent, 'executed_by'),
    initiatedBy: readString(intent, 'initiated_by'),
    delegationChain: readString(intent, 'delegation_chain'),
    stepSequenceHash: readString(intent, 'step_sequence_hash'),
    checkpoint: readString(intent, 'checkpoint'),
    intentHash: readString(intent, 'intent_hash'),
    chainHash: readString(intent, 'chain_hash'),
    ...(approval && {
      approval: {
        id: readIdentifier(approval, 'id'),
        tool: readString(approval, 'tool'),
        argsDigest: readString(approval, 'args_digest'),
      },
      use: 'once' as const,
    }),
  }
}
