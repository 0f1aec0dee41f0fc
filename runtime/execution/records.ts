/**
 * What is kept of a run: the execution, its activations, receipts, approvals and minted tokens.
 * Plain rows: no method, no secret. Times are milliseconds since the epoch unless named otherwise.
 */
import type { JsonObject, JsonValue } from '../encoding/canonical-json.js'

export type ExecutionStatus = 'running' | 'waiting' | 'completed' | 'failed' | 'refused'

/** Who asked for the run, and how that was established. */
export interface Initiator {
  /** `os:<uid>` for a local user, otherwise the authenticated subject. */
  readonly initiatedBy: string
  readonly auth: { readonly method: string; readonly time: number }
}

export interface Failure {
  readonly code: string
  readonly message: string
  readonly step?: string
}

export interface ExecutionRow {
  readonly executionId: string
  readonly workflowId: string
  readonly workflowVersion: string
  /** `sha256:<hex>` over the canonical definition; a resumed run must meet the same one. */
  readonly workflowDigest: string
  readonly input: JsonObject
  readonly initiator: Initiator
  readonly intentHash: string
  /** The root assertion, compact JWS signed by the authority. */
  readonly root: string
  /** The lease: one writer; a take-over raises it. */
  readonly epoch: number
  readonly status: ExecutionStatus
  /** agent id → registration id, pinned at start. */
  readonly pinned: Readonly<Record<string, string>>
  readonly startedAt: number
  readonly endedAt?: number
  readonly failure?: Failure
  readonly result?: JsonValue
  /** `scripted` or `provider:name`. */
  readonly driver: string
}

export type ActivationState =
  | 'reserved'
  | 'activated'
  | 'suspended'
  | 'completed'
  | 'skipped'
  | 'failed'
  | 'abandoned'

/** One step × iteration × item × attempt (PROTOCOL 6). */
export interface ActivationRow {
  readonly activationId: string
  readonly executionId: string
  readonly step: string
  readonly iteration: number
  readonly item: number
  readonly attempt: number
  readonly state: ActivationState
  readonly epoch: number
  /** Absent for a gate, which no agent runs. */
  readonly agentId?: string
  readonly registrationId?: string
  readonly agentChecksum?: string
  /** Digest of the checkpoints that made it runnable. */
  readonly checkpoint: string
  /** Receipt hashes of its predecessors. */
  readonly parents: readonly string[]
  /** Delegation chain held by this activation, root first; empty until the delegator signed. */
  readonly chain: readonly string[]
  readonly scope: readonly string[]
  readonly startedAt: number
  readonly endedAt?: number
  readonly failure?: Failure
}

export interface ReceiptRow {
  /** base64url SHA-256 of the compact JWS. */
  readonly receiptHash: string
  readonly executionId: string
  readonly activationId: string
  readonly step: string
  readonly iteration: number
  readonly item: number
  readonly checkpoint: string
  readonly jws: string
  readonly at: number
}

export type ApprovalState = 'pending' | 'approved' | 'denied' | 'consumed'

export interface ApprovalRow {
  readonly approvalId: string
  readonly executionId: string
  /** The gate that asked. */
  readonly gate: string
  readonly gateActivationId: string
  /** The step and the activation that the approval opens. */
  readonly opens: string
  readonly activationId: string
  readonly tool: string
  readonly args: JsonObject
  /** `sha256:<hex>` of the canonical arguments. */
  readonly argsDigest: string
  readonly checkpoint: string
  readonly state: ApprovalState
  /** The decision, compact `approval+jwt`. */
  readonly jws?: string
  readonly requestedAt: number
  readonly decidedAt?: number
}

export interface TokenRow {
  readonly jti: string
  readonly executionId: string
  readonly activationId: string
  readonly audience: string
  readonly scope: readonly string[]
  /** NumericDate, seconds. */
  readonly exp: number
  readonly approvalId?: string
}
