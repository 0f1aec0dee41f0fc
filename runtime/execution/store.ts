/**
 * The port through which runs are kept. Decisions are pure functions of a snapshot; the store reads the
 * snapshot, calls the decision and writes what it returns, all in one transaction.
 */
import type { ActivationRow, ApprovalRow, ExecutionRow, ReceiptRow, TokenRow } from './records.js'

/** What a decision may look at. */
export interface ExecutionSnapshot {
  readonly execution: ExecutionRow
  /** Every activation of the steps asked for. */
  readonly activations: readonly ActivationRow[]
  /** Every receipt of the steps asked for. */
  readonly receipts: readonly ReceiptRow[]
  /** Every approval whose gate or opened step is among the steps asked for. */
  readonly approvals: readonly ApprovalRow[]
}

/** A row to insert or replace, by its identifier. */
export type ExecutionChange =
  | { readonly kind: 'execution'; readonly row: ExecutionRow }
  | { readonly kind: 'activation'; readonly row: ActivationRow }
  | { readonly kind: 'receipt'; readonly row: ReceiptRow }
  | { readonly kind: 'approval'; readonly row: ApprovalRow }
  | { readonly kind: 'token'; readonly row: TokenRow }

export interface Decision<T> {
  readonly changes: readonly ExecutionChange[]
  readonly result: T
}

/** Synchronous and pure; throws an AgenticError to refuse, and then nothing is written. */
export type Decide<T> = (snapshot: ExecutionSnapshot) => Decision<T>

/**
 * Every method is atomic, and what it wrote is durable when it returns. Writers of one execution are
 * serialized. Rows given out are the caller's own copies.
 */
export interface ExecutionStore {
  create(row: ExecutionRow): Promise<void>
  /** @throws AgenticError ERR_EXECUTION_UNKNOWN */
  decide<T>(executionId: string, steps: readonly string[], decision: Decide<T>): Promise<T>
  /** Reads without writing; without `steps`, the rows of every step. @throws AgenticError ERR_EXECUTION_UNKNOWN */
  snapshot(executionId: string, steps?: readonly string[]): Promise<ExecutionSnapshot>
  /** Newest first. */
  list(limit?: number): Promise<readonly ExecutionRow[]>
  tokens(executionId: string): Promise<readonly TokenRow[]>
}
