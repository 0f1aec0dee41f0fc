/**
 * CheckpointStore on the store's database (the port: engine/checkpoint-port.ts): LangGraph's saver inside
 * our transactions, behind the lease.
 */
import type { RunnableConfig } from '@langchain/core/runnables'
import {
  BaseCheckpointSaver,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointTuple,
  ERROR,
  INTERRUPT,
  type PendingWrite,
  WRITES_IDX_MAP,
} from '@langchain/langgraph-checkpoint'
import type { Lease, PendingReceipt } from '../engine/authority-port.js'
import type { CheckpointStore, PendingReceipts } from '../engine/checkpoint-port.js'
import { AgenticError } from '../errors.js'
import type { CheckpointSaver } from './checkpoint-saver.js'
import { applyChanges, readSnapshot, unknownExecution } from './execution-rows.js'
import type { Connection, StoreDatabase } from './schema.js'

/** @param saver on the same handle as the database; its tables exist */
export function checkpointStore(database: StoreDatabase, saver: CheckpointSaver): CheckpointStore {
  return {
    checkpointer: (lease, receipts) => new LeasedCheckpointer(database, saver, { ...lease }, receipts),
  }
}

/**
 * LangGraph does not wait for a task's writes before it saves the checkpoint that contains their effect. So
 * a checkpoint waits here for all writes under way; and once anything failed, this checkpointer saves no
 * checkpoint any more: otherwise one would follow a receipt that is missing. The run ends, and its next
 * segment gets a new checkpointer. A receipt whose transaction failed is lost with it: its step runs again.
 */
class LeasedCheckpointer extends BaseCheckpointSaver {
  readonly #database: StoreDatabase
  readonly #saver: CheckpointSaver
  readonly #lease: Lease
  readonly #receipts: PendingReceipts
  readonly #writing = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  constructor(database: StoreDatabase, saver: CheckpointSaver, lease: Lease, receipts: PendingReceipts) {
    super(saver.serde)
    this.#database = database
    this.#saver = saver
    this.#lease = lease
    this.#receipts = receipts
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    this.#requireOwnThread(config)
    return this.#database.read(() => this.#saver.getTuple(config))
  }

  override async *list(
    config: RunnableConfig,
    options?: CheckpointListOptions,
  ): AsyncGenerator<CheckpointTuple> {
    this.#requireOwnThread(config)
    // Read whole before the first is given out: the reader may take its time, and the connection is one.
    yield* await this.#database.read(async () => {
      const tuples: CheckpointTuple[] = []
      for await (const tuple of this.#saver.list(config, options)) tuples.push(tuple)
      return tuples
    })
  }

  override async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
  ): Promise<RunnableConfig> {
    this.#requireOwnThread(config)
    await Promise.allSettled(this.#writing)
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#remembering(() =>
      this.#database.write(async (connection) => {
        await requireEpoch(connection, this.#lease)
        return this.#saver.put(config, checkpoint, metadata)
      }),
    )
  }

  override putWrites(config: RunnableConfig, writes: PendingWrite[], taskId: string): Promise<void> {
    const written = this.#remembering(() => this.#commitWrites(config, writes, taskId))
    this.#writing.add(written)
    const forget = () => void this.#writing.delete(written)
    written.then(forget, forget)
    return written
  }

  override async deleteThread(): Promise<void> {
    throw new AgenticError(
      'ERR_STORE_UNSUPPORTED',
      "a run's checkpoints are not deleted through its checkpointer",
    )
  }

  async #commitWrites(config: RunnableConfig, writes: PendingWrite[], taskId: string): Promise<void> {
    this.#requireOwnThread(config)
    const receipt = await this.#database.write(async (connection) => {
      await requireEpoch(connection, this.#lease)
      const pending = isCompletion(writes) ? this.#receipts.take(taskId) : undefined
      if (pending !== undefined) {
        await requireUnwritten(connection, config, taskId)
        await commitReceipt(connection, this.#lease.executionId, pending)
      }
      await this.#saver.putWrites(config, writes, taskId)
      return pending
    })
    // Outside of the transaction: it waits for the audit log, and others need the connection.
    await receipt?.committed()
  }

  async #remembering<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#failure ??= { error }
      throw error
    }
  }

  #requireOwnThread(config: RunnableConfig): void {
    if (config.configurable?.thread_id === this.#lease.executionId) return
    throw new AgenticError('ERR_EXECUTION_UNKNOWN', 'a checkpointer answers for its own execution alone')
  }
}

/** The fence: whoever took the run over has raised the epoch, and both are read and written under one lock. */
async function requireEpoch(connection: Connection, lease: Lease): Promise<void> {
  const found = await connection
    .selectFrom('executions')
    .select('epoch')
    .where('execution_id', '=', lease.executionId)
    .executeTakeFirst()
  if (found === undefined) throw unknownExecution()
  if (found.epoch !== lease.epoch) {
    throw new AgenticError(
      'ERR_EPOCH_STALE',
      `the lease has epoch ${lease.epoch}, the execution ${found.epoch}`,
    )
  }
}

/** A pause and a failure are writes too (`__interrupt__`, `__error__`, `__resume__`), but complete nothing. */
function isCompletion(writes: readonly PendingWrite[]): boolean {
  if (writes.some(([channel]) => channel === ERROR || channel === INTERRUPT)) return false
  return writes.length === 0 || !writes.every(([channel]) => channel in WRITES_IDX_MAP)
}

/**
 * The saver ignores writes of a task that has some already, and the receipt would then vouch for others than
 * are kept. Ordinary writes are numbered from 0, pauses and failures below.
 */
async function requireUnwritten(
  connection: Connection,
  config: RunnableConfig,
  taskId: string,
): Promise<void> {
  const written = await connection
    .selectFrom('writes')
    .select('idx')
    .where('thread_id', '=', String(config.configurable?.thread_id))
    .where('checkpoint_ns', '=', String(config.configurable?.checkpoint_ns ?? ''))
    .where('checkpoint_id', '=', String(config.configurable?.checkpoint_id))
    .where('task_id', '=', taskId)
    .where('idx', '>=', 0)
    .limit(1)
    .executeTakeFirst()
  if (written !== undefined) {
    throw new AgenticError('ERR_STORE_CONFLICT', 'the writes of this task are committed already')
  }
}

async function commitReceipt(
  connection: Connection,
  executionId: string,
  receipt: PendingReceipt,
): Promise<void> {
  const { changes } = receipt.decide(await readSnapshot(connection, executionId, receipt.steps))
  await applyChanges(connection, executionId, changes)
}
