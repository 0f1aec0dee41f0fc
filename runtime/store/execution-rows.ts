/** Reads and writes the rows of one execution inside a transaction that somebody else holds. */

import { AgenticError } from '../errors.js'
import type { ActivationRow, ApprovalRow, ExecutionRow, ReceiptRow } from '../execution/records.js'
import type { ExecutionChange, ExecutionSnapshot } from '../execution/store.js'
import { decodeRow, encodeRow } from './row-json.js'
import type { Connection } from './schema.js'

/** Reads an execution and what belongs to some of its steps.
 * @param steps undefined for every step
 * @throws AgenticError ERR_EXECUTION_UNKNOWN, ERR_STORE_FAILED
 */
export async function readSnapshot(
  connection: Connection,
  executionId: string,
  steps: readonly string[] | undefined,
): Promise<ExecutionSnapshot> {
  const execution = await connection
    .selectFrom('executions')
    .select('row')
    .where('execution_id', '=', executionId)
    .executeTakeFirst()
  if (execution === undefined) throw unknownExecution()
  const row = decodeRow<ExecutionRow>(execution.row, 'executionId', executionId)
  if (steps?.length === 0) return { execution: row, activations: [], receipts: [], approvals: [] }
  return {
    execution: row,
    activations: decodeAll<ActivationRow>(
      await stepRows(connection, 'activations', executionId, steps),
      executionId,
    ),
    receipts: decodeAll<ReceiptRow>(await stepRows(connection, 'receipts', executionId, steps), executionId),
    approvals: decodeAll<ApprovalRow>(await approvalRows(connection, executionId, steps), executionId),
  }
}

/** Inserts or replaces rows, by their identifier within the execution.
 * @throws TypeError for a row of another execution: a decision writes what it looked at
 */
export async function applyChanges(
  connection: Connection,
  executionId: string,
  changes: readonly ExecutionChange[],
): Promise<void> {
  for (const change of changes) {
    if (change.row.executionId !== executionId)
      throw new TypeError('a decision may change its own execution only')
    await applyChange(connection, change)
  }
}

export function unknownExecution(): AgenticError {
  return new AgenticError('ERR_EXECUTION_UNKNOWN', 'there is no execution of this id')
}

/** Rows of one execution as the caller's own copies. */
export function decodeAll<T extends { readonly executionId: string }>(
  rows: readonly { readonly row: string }[],
  executionId: string,
): T[] {
  return rows.map(({ row }) => decodeRow<T>(row, 'executionId' as keyof T & string, executionId))
}

function stepRows(
  connection: Connection,
  table: 'activations' | 'receipts',
  executionId: string,
  steps: readonly string[] | undefined,
) {
  const all = connection.selectFrom(table).select('row').where('execution_id', '=', executionId)
  return (steps === undefined ? all : all.where('step', 'in', steps)).orderBy('ordinal').execute()
}

function approvalRows(connection: Connection, executionId: string, steps: readonly string[] | undefined) {
  const all = connection.selectFrom('approvals').select('row').where('execution_id', '=', executionId)
  const some =
    steps === undefined ? all : all.where((is) => is.or([is('gate', 'in', steps), is('opens', 'in', steps)]))
  return some.orderBy('ordinal').execute()
}

async function applyChange(connection: Connection, change: ExecutionChange): Promise<void> {
  const row = encodeRow(change.row)
  const execution_id = change.row.executionId
  switch (change.kind) {
    case 'execution': {
      const { status, startedAt: started_at, epoch } = change.row
      await connection
        .updateTable('executions')
        .set({ status, started_at, epoch, row })
        .where('execution_id', '=', execution_id)
        .execute()
      return
    }
    case 'activation': {
      const { activationId: activation_id, step } = change.row
      await connection
        .insertInto('activations')
        .values({ execution_id, activation_id, step, row })
        .onConflict((on) => on.columns(['execution_id', 'activation_id']).doUpdateSet({ step, row }))
        .execute()
      return
    }
    case 'receipt': {
      const { receiptHash: receipt_hash, step } = change.row
      await connection
        .insertInto('receipts')
        .values({ execution_id, receipt_hash, step, row })
        .onConflict((on) => on.columns(['execution_id', 'receipt_hash']).doUpdateSet({ step, row }))
        .execute()
      return
    }
    case 'approval': {
      const { approvalId: approval_id, gate, opens } = change.row
      await connection
        .insertInto('approvals')
        .values({ execution_id, approval_id, gate, opens, row })
        .onConflict((on) => on.columns(['execution_id', 'approval_id']).doUpdateSet({ gate, opens, row }))
        .execute()
      return
    }
    case 'token': {
      const { jti } = change.row
      await connection
        .insertInto('tokens')
        .values({ execution_id, jti, row })
        .onConflict((on) => on.columns(['execution_id', 'jti']).doUpdateSet({ row }))
        .execute()
      return
    }
  }
}
