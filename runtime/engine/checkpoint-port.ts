/** The port through which LangGraph's checkpoints are written together with receipts, under the run's lease. */
import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint'
import type { Lease, PendingReceipt } from './authority-port.js'

/** Receipts waiting for their task's writes, by LangGraph's task id. `take` removes what it returns. */
export interface PendingReceipts {
  take(taskId: string): PendingReceipt | undefined
}

export interface CheckpointStore {
  /**
   * A checkpointer for one run and one lease. Each `put` and `putWrites` is one transaction that first
   * checks the epoch (ERR_EPOCH_STALE, nothing written); `putWrites` of a task with a pending receipt
   * writes both or neither; writes of a pause or a failure leave the receipt. `put` waits for all `putWrites`
   * under way, since LangGraph does not, and once anything failed nothing is put any more: a checkpoint
   * never comes after a receipt that is missing. `deleteThread` is not offered. It answers for the thread
   * `lease.executionId` alone.
   */
  checkpointer(lease: Lease, receipts: PendingReceipts): BaseCheckpointSaver
}
