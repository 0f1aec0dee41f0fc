/**
 * One SQLite handle behind the query builder. Two handles in one process would block each other with the
 * event loop standing still, so everything goes through this one, one piece of work after the other.
 *
 * A lock that another process (or another store in this one) holds is waited for without blocking the event
 * loop: SQLite's own waiting is off, and the attempt is repeated.
 */
import { Kysely, SqliteDialect } from 'kysely'
import { AgenticError } from '../errors.js'
import type { SqliteHandle, SqliteStatement } from '../sqlite.js'
import type { Connection, Schema, StoreDatabase } from './schema.js'
import { isBusy, storeError } from './store-error.js'

/** How long a lock is waited for before ERR_STORE_FAILED. */
const lockTimeoutMs = 5_000
/** Short: who pauses long finds the lock taken again, where several processes write without a break. */
const longestPauseMs = 3

/** Sets up the handle for durable writes: WAL, synced at each commit, foreign keys enforced.
 * @throws AgenticError ERR_STORE_FAILED
 */
export async function openDatabase(handle: SqliteHandle): Promise<StoreDatabase> {
  const statements = new Map<string, SqliteStatement>()
  const kysely = new Kysely<Schema>({
    dialect: new SqliteDialect({
      database: { prepare: (sql) => prepared(handle, statements, sql), close: () => handle.close() },
    }),
  })
  const inTurn = queue()
  let closing: Promise<void> | undefined

  async function transact<T>(begin: string, work: (connection: Connection) => Promise<T>): Promise<T> {
    return kysely.connection().execute(async (connection) => {
      prepared(handle, statements, begin).run()
      try {
        const result = await work(connection)
        prepared(handle, statements, 'commit').run()
        return result
      } catch (error) {
        undo(handle)
        throw error
      }
    })
  }

  function perform<T>(begin: string, work: (connection: Connection) => Promise<T>): Promise<T> {
    if (closing !== undefined)
      return Promise.reject(new AgenticError('ERR_STORE_FAILED', 'the store is closed'))
    return inTurn(() => whileUnlocked(() => transact(begin, work)))
  }

  await whileUnlocked(async () => configure(handle))
  return {
    read: (work) => perform('begin', work),
    write: (work) => perform('begin immediate', work),
    close: () => {
      closing ??= inTurn(async () => void handle.close())
      return closing
    },
  }
}

function configure(handle: SqliteHandle): void {
  handle.pragma('busy_timeout = 0')
  const mode = handle.pragma('journal_mode = WAL', { simple: true })
  if (!handle.memory && mode !== 'wal') {
    throw new AgenticError(
      'ERR_STORE_FAILED',
      "the store's file system does not offer SQLite's write-ahead log",
    )
  }
  handle.pragma('synchronous = FULL')
  handle.pragma('foreign_keys = ON')
}

/** Compiling a statement costs more than most of ours take to run. Their number is that of the queries in the code. */
function prepared(
  handle: SqliteHandle,
  statements: Map<string, SqliteStatement>,
  sql: string,
): SqliteStatement {
  const known = statements.get(sql)
  if (known !== undefined) return known
  const statement = handle.prepare(sql)
  // A list of steps makes a statement per length; beyond this many they are compiled each time.
  if (statements.size < 256) statements.set(sql, statement)
  return statement
}

/** SQLite undoes some failures by itself, and the first error must not be hidden by a second. */
function undo(handle: SqliteHandle): void {
  try {
    if (handle.inTransaction) handle.exec('rollback')
  } catch {
    // The connection is broken: the next statement will say so, and an open transaction dies with it.
  }
}

/** First come, first served. */
function queue(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const run = last.then(work)
    last = run.catch(() => undefined)
    return run
  }
}

/**
 * Repeats an attempt that met somebody else's lock. Only the beginning of a transaction can meet one: the
 * write lock is taken there, so nothing of the attempt has happened.
 */
async function whileUnlocked<T>(attempt: () => Promise<T>): Promise<T> {
  let waitedMs = 0
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await attempt()
    } catch (error) {
      if (!isBusy(error) || waitedMs >= lockTimeoutMs) throw storeError(error)
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    waitedMs += pauseMs
  }
}
