import type { RunnableConfig } from '@langchain/core/runnables'
import type { Store } from '../../runtime/store/open-store.js'
import { thread } from './checkpoint-graph.js'
import { executionRow } from './execution-rows.js'
import { Receipts } from './pending-receipts.js'
import { temporaryStore } from './stores.js'

/** The execution of these tests, by the one that started it. */
export const first = { executionId: 'execution-1', epoch: 1 }

export const meta = { source: 'loop', step: 0, parents: {} } as const

/** The config under which LangGraph writes at one checkpoint of the thread. */
export function at(checkpointId: string): RunnableConfig {
  return { configurable: { ...thread, checkpoint_ns: '', checkpoint_id: checkpointId } }
}

/** A store that holds the execution; it is closed after the test. */
export async function startedOn(url: string): Promise<Store> {
  const store = await temporaryStore(url)
  await store.executions.create(executionRow())
  return store
}

/** The steps of which the store holds a receipt. */
export const receiptsOf = async (store: Store) =>
  (await store.executions.snapshot('execution-1')).receipts.map((row) => row.step)

/** The newest checkpoint's values and pending writes, read by a checkpointer of its own. */
export async function kept(store: Store) {
  const tuple = await store.checkpoints.checkpointer(first, new Receipts()).getTuple({ configurable: thread })
  return {
    log: tuple?.checkpoint.channel_values.log,
    channels: tuple?.pendingWrites?.map(([, channel]) => channel),
  }
}
