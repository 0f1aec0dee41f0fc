import { describe, expect, it } from 'vitest'
import { adapters, temporaryStore } from '../support/stores.js'

describe.each(adapters)('EventStore on $name', ({ url }) => {
  const log = (executionId: string, text: string) =>
    ({ executionId, at: 1, type: 'agent.log', step: 'scan', data: { text } }) as const

  it('numbers events from 1, each execution for itself', async () => {
    const { events } = await temporaryStore(url())
    const numbers = []
    for (const id of ['one', 'one', 'two', 'one']) numbers.push((await events.append(log(id, 'x'))).seq)
    expect(numbers).toEqual([1, 2, 1, 3])
  })

  it('numbers without a gap, in the order of the calls, when many append at once', async () => {
    const { events } = await temporaryStore(url())
    const texts = Array.from({ length: 30 }, (_, index) => `line ${index}`)
    await Promise.all(texts.map((text) => events.append(log('one', text))))
    const kept = await events.events('one')
    expect(kept.map((event) => event.seq)).toEqual(texts.map((_, index) => index + 1))
    expect(kept.map((event) => event.data.text)).toEqual(texts)
  })

  it('leaves no gap after an append that failed', async () => {
    const { events } = await temporaryStore(url())
    await events.append(log('one', 'a'))
    await expect(events.append(log('one', '\ud800'))).rejects.toThrow('lone surrogate')
    expect((await events.append(log('one', 'b'))).seq).toBe(2)
  })

  it('replays from any number on', async () => {
    const { events } = await temporaryStore(url())
    for (const text of ['a', 'b', 'c']) await events.append(log('one', text))
    expect((await events.events('one', 1)).map((event) => event.data.text)).toEqual(['b', 'c'])
    expect(await events.events('one', 3)).toEqual([])
    expect(await events.events('nobody')).toEqual([])
    expect(await events.events('one', 2)).toEqual([{ ...log('one', 'c'), seq: 3 }])
  })
})
