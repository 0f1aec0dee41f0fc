import type { ExecutionRow } from '../../runtime/execution/records.js'
import type { Decision, ExecutionSnapshot } from '../../runtime/execution/store.js'
import { executionRow } from './execution-rows.js'

/** What a decision looks at, without a store. */
export function snapshotOf(
  parts: Partial<ExecutionSnapshot> = {},
  execution: Partial<ExecutionRow> = {},
): ExecutionSnapshot {
  return { execution: executionRow(execution), activations: [], receipts: [], approvals: [], ...parts }
}

/** The rows of one kind that a decision writes. */
export function written(decision: Decision<unknown>, kind: string): readonly unknown[] {
  return decision.changes.filter((change) => change.kind === kind).map((change) => change.row)
}
