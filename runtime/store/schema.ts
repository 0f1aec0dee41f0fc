/**
 * The tables of the store, as the query builder sees them. A row of the domain is kept whole, as canonical
 * JSON in `row`; the columns beside it are what queries look for.
 */
import type { ColumnType, Generated, Kysely } from 'kysely'

/** Set when a row is made and never changed. */
type Fixed<T> = ColumnType<T, T, never>

interface OwnedRow {
  /** Order of insertion; a replaced row keeps its place. */
  ordinal: Generated<number>
  execution_id: Fixed<string>
  row: string
}

export interface Schema {
  schema_version: { version: number }
  executions: {
    execution_id: Fixed<string>
    status: string
    /** Milliseconds since the epoch. */
    started_at: number
    /** Checked in every transaction of a checkpointer. */
    epoch: number
    row: string
  }
  activations: OwnedRow & { activation_id: Fixed<string>; step: string }
  receipts: OwnedRow & { receipt_hash: Fixed<string>; step: string }
  approvals: OwnedRow & { approval_id: Fixed<string>; gate: string; opens: string }
  tokens: OwnedRow & { jti: Fixed<string> }
  events: { execution_id: string; seq: number; row: string }
  registrations: {
    ordinal: Generated<number>
    registration_id: Fixed<string>
    agent_id: Fixed<string>
    status: string
    row: string
  }
  /** NumericDate, seconds. */
  single_use: { key: string; expires_at: number }
  /** base64url of 32 bytes. */
  salts: { execution_id: string; salt: string }
  /** LangGraph's own table (langgraph-checkpoint-sqlite); only read here. */
  writes: {
    thread_id: ColumnType<string, never, never>
    checkpoint_ns: ColumnType<string, never, never>
    checkpoint_id: ColumnType<string, never, never>
    task_id: ColumnType<string, never, never>
    idx: ColumnType<number, never, never>
  }
}

/** The one connection, held for the time of one piece of work. */
export type Connection = Kysely<Schema>

/**
 * Serialized access to the one connection: pieces of work run one after the other, in the order they were
 * asked for. A piece must await nothing but its connection, or everybody waits with it.
 */
export interface StoreDatabase {
  /** One consistent view. */
  read<T>(work: (connection: Connection) => Promise<T>): Promise<T>
  /**
   * One transaction that holds the write lock from its start: durable when it resolves, undone when it
   * rejects. What `work` throws is thrown on as it is.
   */
  write<T>(work: (connection: Connection) => Promise<T>): Promise<T>
  /** Lets work already asked for finish. Later work is refused; closing twice is fine. */
  close(): Promise<void>
}
