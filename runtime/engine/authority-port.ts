/**
 * What the engine asks of an authority while it advances a run. The engine reports what it observed; the
 * authority decides, and writes the audit record before it answers.
 */
import type { JsonObject, JsonValue } from '../encoding/canonical-json.js'
import type { ActivationRow, ApprovalRow, ExecutionRow, Failure, Initiator } from '../execution/records.js'
import type { Decide } from '../execution/store.js'
import type { Workflow } from '../workflow/definition.js'

/** Names one writer of one run; a lower epoch than the stored one is refused (ERR_EPOCH_STALE). */
export interface Lease {
  readonly executionId: string
  readonly epoch: number
}

/** Facts about a finished step, from which the receipt is made. */
export interface StepOutcome {
  readonly inputDigest: string
  readonly outputDigest: string
  /** Digest over the checkpoint serializer's bytes of the task's own writes. */
  readonly writesDigest: string
  readonly tokens: readonly string[]
  readonly calls: readonly {
    readonly tool: string
    readonly argsDigest: string
    readonly resultDigest: string
    readonly idempotencyKey: string
  }[]
  readonly skipped?: boolean
}

/**
 * A receipt that must land in the same transaction as the task's writes. `decide` runs inside that
 * transaction; `committed` after it, and the task is not done before it resolves.
 */
export interface PendingReceipt {
  readonly steps: readonly string[]
  readonly decide: Decide<void>
  committed(): Promise<void>
}

export interface ExecutionAuthority {
  /** Pins workflow and agents, issues the root assertion. */
  startExecution(request: {
    readonly workflow: Workflow
    readonly input: JsonObject
    readonly initiator: Initiator
    readonly request: string
    readonly driver: string
  }): Promise<ExecutionRow>
  /** Raises the epoch. @throws ERR_WORKFLOW_CHANGED, ERR_AGENT_REVOKED, ERR_EXECUTION_ENDED, ERR_TOKEN_EXPIRED (root) */
  takeOver(executionId: string, workflow: Workflow): Promise<ExecutionRow>
  endExecution(
    lease: Lease,
    outcome: {
      status: 'completed' | 'failed' | 'refused' | 'waiting'
      failure?: Failure
      result?: JsonValue
    },
  ): Promise<void>
  /**
   * Opens (or reopens a suspended or reserved) activation of a step whose prerequisites have their receipts.
   * @throws ERR_STEP_PREREQUISITE, ERR_EPOCH_STALE, ERR_EXECUTION_ENDED, ERR_AGENT_REVOKED
   */
  activate(
    lease: Lease,
    request: {
      readonly workflow: Workflow
      readonly step: string
      readonly iteration: number
      readonly item: number
    },
  ): Promise<ActivationRow>
  /** Records the delegator's assertion as the activation's chain, after verifying all of it. */
  delegate(
    lease: Lease,
    request: {
      readonly workflow: Workflow
      readonly activationId: string
      readonly step: string
      readonly chain: readonly string[]
    },
  ): Promise<ActivationRow>
  /** Reports an activation that ended without a receipt. */
  endActivation(
    lease: Lease,
    request: {
      readonly activationId: string
      readonly step: string
      readonly state: 'failed' | 'suspended'
      readonly failure?: Failure
    },
  ): Promise<void>
  /** The receipt of a finished activation, to be committed by the checkpointer. */
  prepareReceipt(lease: Lease, activation: ActivationRow, outcome: StepOutcome): PendingReceipt
  /** Asks for an approval, or returns the one that exists for the same gate activation, tool and arguments. */
  requestApproval(
    lease: Lease,
    request: { readonly workflow: Workflow; readonly gate: ActivationRow; readonly args: JsonObject },
  ): Promise<ApprovalRow>
  /** A call that a guard or the runtime refused; for the log. */
  reportRefusal(
    lease: Lease,
    request: {
      readonly activationId: string
      readonly step: string
      readonly tool?: string
      readonly code: string
    },
  ): Promise<void>
}
