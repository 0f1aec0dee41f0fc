import { Command } from '@langchain/langgraph'
import { describe, expect, it } from 'vitest'
import type { PendingReceipt } from '../../runtime/engine/authority-port.js'
import { graphWith, run } from '../support/checkpoint-graph.js'
import { expectCode } from '../support/expect-code.js'
import { at, first, kept, receiptsOf, startedOn } from '../support/kept-checkpoints.js'
import { Receipts, receiptOf, takes } from '../support/pending-receipts.js'
import { adapters } from '../support/stores.js'

describe.each(adapters)('CheckpointStore on $name', ({ url }) => {
  const started = () => startedOn(url())

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
})
