import type { RunnableConfig } from '@langchain/core/runnables'
import { Command, MemorySaver } from '@langchain/langgraph'
import { emptyCheckpoint } from '@langchain/langgraph-checkpoint'
import { describe, expect, it } from 'vitest'
import type { Store } from '../../runtime/store/open-store.js'
import { graphWith, run, thread } from '../support/checkpoint-graph.js'
import { executionRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { at, first, kept, meta, receiptsOf, startedOn } from '../support/kept-checkpoints.js'
import { Receipts, receiptOf, takes } from '../support/pending-receipts.js'
import { adapters, temporaryStore } from '../support/stores.js'

describe.each(adapters)('CheckpointStore on $name', ({ url }) => {
  const started = () => startedOn(url())
  const takeOver = (store: Store) =>
    store.executions.decide('execution-1', [], ({ execution }) => ({
      changes: [{ kind: 'execution', row: { ...execution, epoch: execution.epoch + 1 } }],
      result: undefined,
    }))

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
