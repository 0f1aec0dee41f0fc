import type { RunnableConfig } from '@langchain/core/runnables'
import {
  Annotation,
  Command,
  END,
  interrupt,
  type LangGraphRunnableConfig,
  MemorySaver,
  START,
  StateGraph,
} from '@langchain/langgraph'
import { type BaseCheckpointSaver, emptyCheckpoint } from '@langchain/langgraph-checkpoint'
import { describe, expect, it } from 'vitest'
import type { PendingReceipt } from '../../runtime/engine/authority-port.js'
import type { PendingReceipts } from '../../runtime/engine/checkpoint-port.js'
import type { Store } from '../../runtime/store/open-store.js'
import { executionRow, receiptRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { adapters, temporaryStore } from '../support/stores.js'

const thread = { thread_id: 'execution-1' }
const run = { configurable: thread, durability: 'sync' } as const
const first = { executionId: 'execution-1', epoch: 1 }

/** What the engine does: a receipt is put here when a node has returned, and taken with its writes. */
class Receipts extends Map<string, PendingReceipt> implements PendingReceipts {
  take(taskId: string): PendingReceipt | undefined {
    const found = this.get(taskId)
    this.delete(taskId)
    return found
  }
}

function receiptOf(step: string, changes: Partial<PendingReceipt> = {}): PendingReceipt {
  const row = receiptRow({ receiptHash: `receipt of ${step}`, step })
  return {
    steps: [step],
    decide: () => ({ changes: [{ kind: 'receipt', row }], result: undefined }),
    committed: async () => {},
    ...changes,
  }
}

const State = Annotation.Root({
  log: Annotation<string[]>({ reducer: (before, more) => before.concat(more), default: () => [] }),
  payload: Annotation<unknown>(),
})
type Update = typeof State.Update

interface Hooks {
  readonly ran?: string[]
  /** What node `a` returns beside its line. */
  readonly extra?: Update
  /** Called by each node when it is done, with its name and task id. */
  done?(name: string, taskId: string): unknown
}

/** start → a → gate (asks) → b */
function graphWith(checkpointer: BaseCheckpointSaver, hooks: Hooks = {}) {
  const node =
    (name: string, update: () => Update) => async (_: unknown, config: LangGraphRunnableConfig) => {
      const result = update()
      hooks.ran?.push(name)
      await hooks.done?.(name, String(config.executionInfo?.taskId))
      return result
    }
  return new StateGraph(State)
    .addNode(
      'a',
      node('a', () => ({ log: ['a'], ...hooks.extra })),
    )
    .addNode(
      'gate',
      node('gate', () => ({ log: [`gate:${interrupt('may b run?')}`] })),
    )
    .addNode(
      'b',
      node('b', () => ({ log: ['b'] })),
    )
    .addEdge(START, 'a')
    .addEdge('a', 'gate')
    .addEdge('gate', 'b')
    .addEdge('b', END)
    .compile({ checkpointer })
}

describe.each(adapters)('CheckpointStore on $name', ({ url }) => {
  async function started(): Promise<Store> {
    const store = await temporaryStore(url())
    await store.executions.create(executionRow())
    return store
  }
  const receiptsOf = async (store: Store) =>
    (await store.executions.snapshot('execution-1')).receipts.map((row) => row.step)
  const takeOver = (store: Store) =>
    store.executions.decide('execution-1', [], ({ execution }) => ({
      changes: [{ kind: 'execution', row: { ...execution, epoch: execution.epoch + 1 } }],
      result: undefined,
    }))
  /** The newest checkpoint's values and pending writes, read by a checkpointer of its own. */
  async function kept(store: Store) {
    const tuple = await store.checkpoints
      .checkpointer(first, new Receipts())
      .getTuple({ configurable: thread })
    return {
      log: tuple?.checkpoint.channel_values.log,
      channels: tuple?.pendingWrites?.map(([, channel]) => channel),
    }
  }

  it('interrupts and resumes as the memory saver does, across checkpointers', async () => {
    const store = await started()
    const outcomes = []
    for (const saver of [
      () => new MemorySaver(),
      () => store.checkpoints.checkpointer(first, new Receipts()),
    ]) {
      const ran: string[] = []
      const memory = saver()
      // The memory saver holds its threads itself; ours is made anew for the second segment.
      const again = memory instanceof MemorySaver ? memory : saver()
      const paused = await graphWith(memory, { ran }).invoke({ log: ['in'] }, run)
      const next = (await graphWith(again).getState(run)).next
      const ended = await graphWith(again, { ran }).invoke(new Command({ resume: 'yes' }), run)
      const history = []
      for await (const state of graphWith(again).getStateHistory(run)) {
        history.push({ log: state.values.log, next: state.next, step: state.metadata?.step })
      }
      outcomes.push({ ran, log: paused.log, next, ended, history })
    }
    expect(outcomes[1]).toEqual(outcomes[0])
    expect(outcomes[1]).toMatchObject({
      ran: ['a', 'gate', 'b'],
      next: ['gate'],
      ended: { log: ['in', 'a', 'gate:yes', 'b'] },
    })
  })

  it('commits a receipt with the writes of its task, and tells it afterwards', async () => {
    const store = await started()
    const receipts = new Receipts()
    const told: string[][] = []
    const done = (name: string, taskId: string) =>
      receipts.set(
        taskId,
        receiptOf(name, {
          committed: async () => {
            // Uses the store: a transaction still open would wait for itself here.
            told.push(await receiptsOf(store))
          },
        }),
      )
    const graph = graphWith(store.checkpoints.checkpointer(first, receipts), { done })
    await graph.invoke({}, run)
    expect(await receiptsOf(store)).toEqual(['a'])
    await graph.invoke(new Command({ resume: 'yes' }), run)
    expect(told).toEqual([['a'], ['a', 'gate'], ['a', 'gate', 'b']])
    expect(receipts.size).toBe(0)
  })

  it('shows a receipt the steps it asked for', async () => {
    const store = await started()
    const checkpointer = store.checkpoints.checkpointer(first, takes(receiptOf('a')))
    await checkpointer.putWrites(at('1'), [['log', 'x']], 'task-a')
    let seen: unknown
    const decide: PendingReceipt['decide'] = (snapshot) => {
      seen = snapshot.receipts.map((row) => row.step)
      return { changes: [], result: undefined }
    }
    const second = store.checkpoints.checkpointer(
      first,
      takes({ ...receiptOf('b'), steps: ['a', 'b'], decide }),
    )
    await second.putWrites(at('1'), [['log', 'y']], 'task-b')
    expect(seen).toEqual(['a'])
  })

  it('keeps neither writes nor receipt nor a later checkpoint when the receipt is refused', async () => {
    const store = await started()
    const receipts = new Receipts()
    const refusal = new Error('refused')
    const ran: string[] = []
    const done = (name: string, taskId: string) =>
      receipts.set(
        taskId,
        receiptOf(name, {
          decide: () => {
            throw refusal
          },
        }),
      )
    const failing = graphWith(store.checkpoints.checkpointer(first, receipts), { ran, done })
    await expect(failing.invoke({ log: ['in'] }, run)).rejects.toBe(refusal)
    expect(ran).toEqual(['a'])
    expect(await receiptsOf(store)).toEqual([])
    expect(await kept(store)).toEqual({ log: ['in'], channels: [] })

    const again = graphWith(store.checkpoints.checkpointer(first, receipts), {
      ran,
      done: (name, taskId) => receipts.set(taskId, receiptOf(name)),
    })
    await again.invoke(null, run)
    expect(ran).toEqual(['a', 'a'])
    expect(await receiptsOf(store)).toEqual(['a'])
    expect((await kept(store)).log).toEqual(['in', 'a'])
  })

  it('keeps no receipt when the writes cannot be kept', async () => {
    const store = await started()
    const receipts = new Receipts()
    const done = (name: string, taskId: string) => receipts.set(taskId, receiptOf(name))
    const failing = graphWith(store.checkpoints.checkpointer(first, receipts), {
      done,
      extra: { payload: 1n },
    })
    // LangGraph's serializer would put a sentence in its place.
    await expectCode(failing.invoke({ log: ['in'] }, run), 'ERR_STORE_FAILED')
    expect(await receiptsOf(store)).toEqual([])
    expect(await kept(store)).toEqual({ log: ['in'], channels: [] })
  })

  it('ends the run when what follows the commit fails, and saves no checkpoint after it', async () => {
    const store = await started()
    const receipts = new Receipts()
    const failure = new Error('the log is gone')
    const ran: string[] = []
    const committed = () => Promise.reject(failure)
    const done = (name: string, taskId: string) => receipts.set(taskId, receiptOf(name, { committed }))
    const failing = graphWith(store.checkpoints.checkpointer(first, receipts), { ran, done })
    await expect(failing.invoke({ log: ['in'] }, run)).rejects.toBe(failure)
    expect(ran).toEqual(['a'])
    // The transaction stood before: both are there, and the step is not run again.
    expect(await receiptsOf(store)).toEqual(['a'])
    expect((await kept(store)).log).toEqual(['in'])
    await graphWith(store.checkpoints.checkpointer(first, new Receipts()), { ran }).invoke(null, run)
    expect(ran).toEqual(['a'])
    expect((await kept(store)).log).toEqual(['in', 'a'])
  })

  it('saves a checkpoint only when the writes under way are done', async () => {
    const store = await started()
    const order: string[] = []
    let release = () => {}
    const committed = () => new Promise<void>((resolve) => (release = resolve))
    const checkpointer = store.checkpoints.checkpointer(first, takes(receiptOf('a', { committed })))
    const writes = checkpointer.putWrites(at('1'), [['log', 'x']], 'task-a').then(() => order.push('writes'))
    const put = checkpointer
      .put({ configurable: { ...thread, checkpoint_ns: '' } }, emptyCheckpoint(), meta, {})
      .then(() => order.push('checkpoint'))
    // Another task of the same superstep is not held up.
    await checkpointer.putWrites(at('1'), [['log', 'y']], 'task-b')
    expect(order).toEqual([])
    release()
    await Promise.all([writes, put])
    expect(order).toEqual(['writes', 'checkpoint'])
  })

  it('writes nothing under a stale epoch, and everything under the current one', async () => {
    const store = await started()
    await takeOver(store)
    const config: RunnableConfig = { configurable: { ...thread, checkpoint_ns: '' } }
    const write = async (epoch: number) => {
      // Two checkpointers: one that met a stale epoch does not write any more.
      await store.checkpoints
        .checkpointer({ ...first, epoch }, new Receipts())
        .put(config, { ...emptyCheckpoint(), id: '1' }, meta, {})
      await store.checkpoints
        .checkpointer({ ...first, epoch }, takes(receiptOf('a')))
        .putWrites(at('1'), [['log', 'x']], 'task-a')
    }
    const stale = store.checkpoints.checkpointer(first, takes(receiptOf('a')))
    await expectCode(write(1), 'ERR_EPOCH_STALE')
    await expectCode(stale.putWrites(at('1'), [['log', 'x']], 'task-a'), 'ERR_EPOCH_STALE')
    await expectCode(write(3), 'ERR_EPOCH_STALE')
    expect(await kept(store)).toEqual({ log: undefined, channels: undefined })
    expect(await receiptsOf(store)).toEqual([])
    await write(2)
    expect((await kept(store)).channels).toEqual(['log'])
    expect(await receiptsOf(store)).toEqual(['a'])
  })

  it('stops a run at the step during which it was taken over', async () => {
    const store = await started()
    const receipts = new Receipts()
    const ran: string[] = []
    const done = async (name: string, taskId: string) => {
      receipts.set(taskId, receiptOf(name))
      await takeOver(store)
    }
    const zombie = graphWith(store.checkpoints.checkpointer(first, receipts), { ran, done })
    await expectCode(zombie.invoke({ log: ['in'] }, run), 'ERR_EPOCH_STALE')
    expect(ran).toEqual(['a'])
    expect(await receiptsOf(store)).toEqual([])
    expect(await kept(store)).toEqual({ log: ['in'], channels: [] })
  })

  it('saves no checkpoint after anything failed', async () => {
    const store = await started()
    const refusing = receiptOf('a', {
      decide: () => {
        throw new Error('refused')
      },
    })
    const checkpointer = store.checkpoints.checkpointer(first, takes(refusing))
    const config: RunnableConfig = { configurable: { ...thread, checkpoint_ns: '' } }
    await checkpointer.put(config, emptyCheckpoint(), meta, {})
    await expect(checkpointer.putWrites(at('1'), [['log', 'x']], 'task-a')).rejects.toThrow('refused')
    await expect(checkpointer.put(config, emptyCheckpoint(), meta, {})).rejects.toThrow('refused')
    // Another task of that superstep keeps its work.
    await checkpointer.putWrites(at('1'), [['log', 'y']], 'task-b')
  })

  it('takes no receipt for a pause or a failure', async () => {
    const store = await started()
    const receipts = new Receipts([
      ['task-a', receiptOf('a')],
      ['task-b', receiptOf('b')],
    ])
    const checkpointer = store.checkpoints.checkpointer(first, receipts)
    await checkpointer.putWrites(
      at('1'),
      [
        ['__interrupt__', []],
        ['__resume__', ['yes']],
      ],
      'task-a',
    )
    await checkpointer.putWrites(at('1'), [['__resume__', ['yes']]], 'task-a')
    await checkpointer.putWrites(
      at('1'),
      [
        ['log', 'half'],
        ['__error__', { message: 'x' }],
      ],
      'task-b',
    )
    expect(receipts.size).toBe(2)
    expect(await receiptsOf(store)).toEqual([])
    // A resumed task that completes writes the answer and its result together.
    await checkpointer.putWrites(
      at('1'),
      [
        ['__resume__', ['yes']],
        ['log', 'x'],
      ],
      'task-a',
    )
    expect([...receipts.keys()]).toEqual(['task-b'])
    expect(await receiptsOf(store)).toEqual(['a'])
  })

  it('takes the receipt of a task that writes nothing', async () => {
    const store = await started()
    const checkpointer = store.checkpoints.checkpointer(first, takes(receiptOf('a')))
    await checkpointer.putWrites(at('1'), [], 'task-a')
    expect(await receiptsOf(store)).toEqual(['a'])
  })

  it('refuses a receipt for writes that are committed already', async () => {
    const store = await started()
    const once = store.checkpoints.checkpointer(first, new Receipts())
    await once.putWrites(at('1'), [['log', 'x']], 'task-a')
    const withReceipt = () => store.checkpoints.checkpointer(first, takes(receiptOf('a')))
    await expectCode(withReceipt().putWrites(at('1'), [['log', 'y']], 'task-a'), 'ERR_STORE_CONFLICT')
    expect(await receiptsOf(store)).toEqual([])
    await withReceipt().putWrites(at('1'), [['log', 'y']], 'task-b')
    expect(await receiptsOf(store)).toEqual(['a'])
  })

  it('answers for its own execution alone', async () => {
    const store = await started()
    await store.executions.create(executionRow({ executionId: 'execution-2' }))
    const foreign: RunnableConfig = {
      configurable: { thread_id: 'execution-2', checkpoint_id: '1', checkpoint_ns: '' },
    }
    const fresh = () => store.checkpoints.checkpointer(first, new Receipts())
    await expectCode(fresh().getTuple(foreign), 'ERR_EXECUTION_UNKNOWN')
    await expectCode(fresh().list(foreign).next(), 'ERR_EXECUTION_UNKNOWN')
    await expectCode(fresh().list({}).next(), 'ERR_EXECUTION_UNKNOWN')
    await expectCode(fresh().put(foreign, emptyCheckpoint(), meta, {}), 'ERR_EXECUTION_UNKNOWN')
    await expectCode(fresh().putWrites(foreign, [['log', 'x']], 'task-a'), 'ERR_EXECUTION_UNKNOWN')
    await fresh().put(at('1'), emptyCheckpoint(), meta, {})
    await fresh().putWrites(at('1'), [['log', 'x']], 'task-a')
    expect((await fresh().list({ configurable: thread }).next()).done).toBe(false)
  })

  it('writes no checkpoint of an execution that does not exist', async () => {
    const store = await temporaryStore(url())
    const checkpointer = store.checkpoints.checkpointer(first, new Receipts())
    await expectCode(checkpointer.put(at('1'), emptyCheckpoint(), meta, {}), 'ERR_EXECUTION_UNKNOWN')
  })

  it('deletes no thread', async () => {
    const store = await started()
    const checkpointer = store.checkpoints.checkpointer(first, new Receipts())
    await expectCode(checkpointer.deleteThread('execution-1'), 'ERR_STORE_UNSUPPORTED')
  })

  it('gives back a channel of bytes as it was, from the pending writes too', async () => {
    const store = await started()
    const bytes = Uint8Array.from([0, 255, 128, 34])
    const checkpointer = store.checkpoints.checkpointer(first, new Receipts())
    await checkpointer.put(at('0'), { ...emptyCheckpoint(), id: '1', channel_values: { bytes } }, meta, {})
    await checkpointer.putWrites(
      at('1'),
      [
        ['bytes', bytes],
        ['buffer', Buffer.from(bytes)],
      ],
      'task-a',
    )
    const tuple = await checkpointer.getTuple({ configurable: thread })
    expect(tuple?.checkpoint.channel_values.bytes).toEqual(bytes)
    expect(tuple?.pendingWrites?.map(([, , value]) => value)).toEqual([bytes, bytes])
  })
})

const meta = { source: 'loop', step: 0, parents: {} } as const

function at(checkpointId: string): RunnableConfig {
  return { configurable: { ...thread, checkpoint_ns: '', checkpoint_id: checkpointId } }
}

/** One receipt for whatever task comes first. */
function takes(receipt: PendingReceipt): PendingReceipts {
  let left: PendingReceipt | undefined = receipt
  return {
    take: () => {
      const taken = left
      left = undefined
      return taken
    },
  }
}
