/** ExecutionStore on the store's database (the port: execution/store.ts). */
import type { ExecutionRow, TokenRow } from '../execution/records.js'
import type { ExecutionStore } from '../execution/store.js'
import { applyChanges, decodeAll, readSnapshot } from './execution-rows.js'
import { decodeRow, encodeRow } from './row-json.js'
import type { StoreDatabase } from './schema.js'

/** Beside the port's errors: `create` of an id that exists is ERR_STORE_CONFLICT; `snapshot` without steps
 * gives every step; rows come in the order in which they were first written.
 */
export function executionStore(database: StoreDatabase): ExecutionStore {
  return {
    async create(execution) {
      const { executionId: execution_id, status, startedAt: started_at, epoch } = execution
      const row = encodeRow(execution)
      await database.write(async (connection) => {
        await connection
          .insertInto('executions')
          .values({ execution_id, status, started_at, epoch, row })
          .execute()
      })
    },

    decide: (executionId, steps, decision) =>
      database.write(async (connection) => {
        const { changes, result } = decision(await readSnapshot(connection, executionId, steps))
        await applyChanges(connection, executionId, changes)
        return result
      }),

    snapshot: (executionId, steps) =>
      database.read((connection) => readSnapshot(connection, executionId, steps)),

    async list(limit) {
      const rows = await database.read((connection) => {
        const newest = connection
          .selectFrom('executions')
          .select(['execution_id', 'row'])
          .orderBy('started_at', 'desc')
          .orderBy('execution_id', 'desc')
        return (limit === undefined ? newest : newest.limit(limit)).execute()
      })
      return rows.map(({ row, execution_id }) => decodeRow<ExecutionRow>(row, 'executionId', execution_id))
    },

    async tokens(executionId) {
      const rows = await database.read((connection) =>
        connection
          .selectFrom('tokens')
          .select('row')
          .where('execution_id', '=', executionId)
          .orderBy('ordinal')
          .execute(),
      )
      return decodeAll<TokenRow>(rows, executionId)
    },
  }
}
