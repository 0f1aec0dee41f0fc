/**
 * The store's own history. A migration that was released is never edited: a change is a new entry at the
 * end, and the version of a store is the number of entries it has seen.
 */
import { type CreateTableBuilder, sql } from 'kysely'
import { AgenticError } from '../errors.js'
import type { Registration } from '../identity/registration.js'
import { decodeRow, encodeRow } from './row-json.js'
import type { Connection } from './schema.js'

const migrations: readonly ((connection: Connection) => Promise<void>)[] = [
  createTables,
  completeRegistrations,
]

/** Brings a store to the newest version. Runs in the caller's transaction, so it happens whole or not at all.
 * @throws AgenticError ERR_STORE_UNSUPPORTED for a store of a newer version, or another program's database
 */
export async function migrate(connection: Connection): Promise<void> {
  const found = await versionOf(connection)
  if (found > migrations.length) {
    throw new AgenticError(
      'ERR_STORE_UNSUPPORTED',
      `the store has version ${found}, this program knows versions up to ${migrations.length}`,
    )
  }
  for (const migration of migrations.slice(found)) await migration(connection)
  if (found < migrations.length) {
    await connection.deleteFrom('schema_version').execute()
    await connection.insertInto('schema_version').values({ version: migrations.length }).execute()
  }
}

async function versionOf(connection: Connection): Promise<number> {
  const tables = await connection.introspection.getTables()
  if (tables.length === 0) {
    await connection.schema
      .createTable('schema_version')
      .addColumn('version', 'integer', (column) => column.notNull())
      .execute()
    return 0
  }
  if (!tables.some((table) => table.name === 'schema_version')) {
    throw new AgenticError('ERR_STORE_UNSUPPORTED', "the file is another program's database")
  }
  const row = await connection.selectFrom('schema_version').select('version').executeTakeFirst()
  if (row === undefined) throw new AgenticError('ERR_STORE_FAILED', 'the store does not say its version')
  return row.version
}

async function createTables(connection: Connection): Promise<void> {
  await connection.schema
    .createTable('executions')
    .addColumn('execution_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('epoch', 'integer', (column) => column.notNull())
    .addColumn('row', 'text', (column) => column.notNull())
    .execute()
  await connection.schema
    .createIndex('executions_by_start')
    .on('executions')
    .columns(['started_at', 'execution_id'])
    .execute()

  await owned(connection, 'activations', 'activation_id')
    .addColumn('step', 'text', (column) => column.notNull())
    .execute()
  await owned(connection, 'receipts', 'receipt_hash')
    .addColumn('step', 'text', (column) => column.notNull())
    .execute()
  await owned(connection, 'approvals', 'approval_id')
    .addColumn('gate', 'text', (column) => column.notNull())
    .addColumn('opens', 'text', (column) => column.notNull())
    .execute()
  await owned(connection, 'tokens', 'jti').execute()
  for (const table of ['activations', 'receipts'] as const) {
    await connection.schema
      .createIndex(`${table}_by_step`)
      .on(table)
      .columns(['execution_id', 'step'])
      .execute()
  }

  await connection.schema
    .createTable('events')
    .addColumn('execution_id', 'text', (column) => column.notNull())
    .addColumn('seq', 'integer', (column) => column.notNull())
    .addColumn('row', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('events_key', ['execution_id', 'seq'])
    .execute()

  await connection.schema
    .createTable('registrations')
    .addColumn('ordinal', 'integer', (column) => column.primaryKey())
    .addColumn('registration_id', 'text', (column) => column.notNull().unique())
    .addColumn('agent_id', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('row', 'text', (column) => column.notNull())
    .execute()
  // Two programs that register an agent at once must not both have the living registration.
  await connection.schema
    .createIndex('registrations_one_verified')
    .unique()
    .on('registrations')
    .column('agent_id')
    .where(sql.ref('status'), '=', sql.lit('verified'))
    .execute()
  await connection.schema
    .createIndex('registrations_by_agent')
    .on('registrations')
    .columns(['agent_id', 'ordinal'])
    .execute()

  await connection.schema
    .createTable('single_use')
    .addColumn('key', 'text', (column) => column.primaryKey().notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await connection.schema.createIndex('single_use_by_expiry').on('single_use').column('expires_at').execute()

  await connection.schema
    .createTable('salts')
    .addColumn('execution_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('salt', 'text', (column) => column.notNull())
    .execute()
}

/** Version 1 knew one client, the runtime, and did not say since when a registration was superseded. */
async function completeRegistrations(connection: Connection): Promise<void> {
  const rows = await connection
    .selectFrom('registrations')
    .select(['registration_id', 'row'])
    .orderBy('ordinal', 'desc')
    .execute()
  const succeededAt = new Map<string, number>()
  for (const { registration_id, row } of rows) {
    const before = decodeRow<Registration>(row, 'registrationId', registration_id)
    const since = succeededAt.get(before.agentId)
    const after: Registration = {
      ...before,
      owner: firstClient,
      clientIds: [firstClient],
      code: before.components.code === undefined ? 'shallow' : 'deep',
      ...(since !== undefined && { supersededAt: since }),
    }
    succeededAt.set(before.agentId, before.registeredAt)
    await connection
      .updateTable('registrations')
      .set({ row: encodeRow(after) })
      .where('registration_id', '=', registration_id)
      .execute()
  }
}

const firstClient = 'baton-runtime'

/** A table of rows that belong to one execution: an identifier counts within its execution alone. */
function owned(connection: Connection, table: string, identifier: string): CreateTableBuilder<string> {
  return connection.schema
    .createTable(table)
    .addColumn('ordinal', 'integer', (column) => column.primaryKey())
    .addColumn('execution_id', 'text', (column) => column.notNull().references('executions.execution_id'))
    .addColumn(identifier, 'text', (column) => column.notNull())
    .addColumn('row', 'text', (column) => column.notNull())
    .addUniqueConstraint(`${table}_key`, ['execution_id', identifier]) as CreateTableBuilder<string>
}
