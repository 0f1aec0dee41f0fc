/** EventStore on the store's database (the port: execution/events.ts). */
import type { EventStore, RunEvent } from '../execution/events.js'
import { decodeAll } from './execution-rows.js'
import { encodeRow } from './row-json.js'
import type { StoreDatabase } from './schema.js'

/** Numbers are dense within an execution: taken under the write lock, and an append that fails takes none. */
export function eventStore(database: StoreDatabase): EventStore {
  return {
    append: (event) =>
      database.write(async (connection) => {
        const last = await connection
          .selectFrom('events')
          .select((is) => is.fn.max('seq').as('seq'))
          .where('execution_id', '=', event.executionId)
          .executeTakeFirst()
        // Max is null where there is no event yet.
        const numbered: RunEvent = { ...event, seq: (last?.seq ?? 0) + 1 }
        const row = encodeRow(numbered)
        await connection
          .insertInto('events')
          .values({ execution_id: event.executionId, seq: numbered.seq, row })
          .execute()
        return numbered
      }),

    async events(executionId, after = 0) {
      const rows = await database.read((connection) =>
        connection
          .selectFrom('events')
          .select('row')
          .where('execution_id', '=', executionId)
          .where('seq', '>', after)
          .orderBy('seq')
          .execute(),
      )
      return decodeAll<RunEvent>(rows, executionId)
    },
  }
}
