import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { Command, Send } from '@langchain/langgraph'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cloneFrozen, cloneThawed } from '../../runtime/isolation/clone.js'

describe('a clone', () => {
  it('equals its original and shares no object with it', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withMap: true,
          withSet: true,
          withDate: true,
          withTypedArray: true,
          withNullPrototype: true,
        }),
        (value) => {
          const copied = cloneThawed(value)
          expect(copied).toStrictEqual(value)
          if (typeof value === 'object' && value !== null) expect(copied).not.toBe(value)
        },
      ),
      { seed: 20260101, numRuns: 500 },
    )
  })

  it('keeps messages, Command and Send what they are', () => {
    const call = { name: 'read', args: { path: 'a' }, id: 'call_1', type: 'tool_call' as const }
    const state = {
      messages: [
        new HumanMessage('hello'),
        new AIMessage({ content: '', tool_calls: [call] }),
        new ToolMessage({ content: 'x', tool_call_id: 'call_1' }),
      ],
      next: new Command({ goto: 'b', update: { a: 1 } }),
      send: new Send('b', { item: 1 }),
    }
    const copied = cloneFrozen(state)
    expect(copied.messages[0]).toBeInstanceOf(HumanMessage)
    expect(AIMessage.isInstance(copied.messages[1])).toBe(true)
    expect(copied.messages[1]).not.toBe(state.messages[1])
    expect((copied.messages[1] as AIMessage).tool_calls).toEqual([call])
    expect(copied.next).toBeInstanceOf(Command)
    expect(copied.send).toBeInstanceOf(Send)
    expect(JSON.stringify(copied)).toBe(JSON.stringify(state))
  })

  it('keeps Date, Map, Set, RegExp, URL, Buffer and typed arrays working', () => {
    const value = {
      date: new Date(5),
      map: new Map([['a', { b: 1 }]]),
      set: new Set([1]),
      pattern: /a+/giu,
      url: new URL('https://example.com/a?b=1'),
      buffer: Buffer.from('abc'),
      floats: new Float64Array([1.5, 2]),
    }
    const copied = cloneFrozen(value)
    expect(copied).toStrictEqual(value)
    expect(copied.date.getTime()).toBe(5)
    expect(copied.map.get('a')).not.toBe(value.map.get('a'))
    expect(Object.isFrozen(copied.map.get('a'))).toBe(true)
    copied.buffer[0] = 0
    expect(value.buffer.toString()).toBe('abc')
    expect(copied.url.host).toBe('example.com')
  })

  it('follows cycles and keeps shared references shared', () => {
    const shared = { n: 1 }
    const value: Record<string, unknown> = { a: shared, b: shared }
    value.self = value
    const copied = cloneFrozen(value)
    expect(copied.self).toBe(copied)
    expect(copied.a).toBe(copied.b)
    expect(copied.a).not.toBe(shared)
  })

  it('is frozen all the way down, or not at all', () => {
    const value = { list: [{ deep: [1] }], message: new HumanMessage('x') }
    const frozen = cloneFrozen(value)
    expect(() => (frozen.list as unknown[]).push(1)).toThrow(TypeError)
    expect(() => Object.assign(frozen.list[0] as object, { deep: 2 })).toThrow(TypeError)
    expect(Object.isFrozen(frozen.message)).toBe(true)
    const thawed = cloneThawed(frozen)
    thawed.list[0]?.deep.push(2)
    expect(thawed.list[0]?.deep).toEqual([1, 2])
    expect(frozen.list[0]?.deep).toEqual([1])
  })

  it('cannot be used to set a prototype', () => {
    const value = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {}}}') as object
    const copied = cloneThawed(value) as Record<string, unknown>
    expect(Object.getPrototypeOf(copied)).toBe(Object.prototype)
    expect(copied.polluted).toBeUndefined()
    expect(Object.hasOwn(copied, '__proto__')).toBe(true)
  })

  it('reads an accessor once and carries no getter along', () => {
    class Counter {
      reads = 0
    }
    const counter = new Counter()
    let reads = 0
    Object.defineProperty(counter, 'value', { get: () => ++reads, enumerable: true })
    const copied = cloneThawed(counter) as Counter & { value: number }
    expect([copied.value, copied.value, reads]).toEqual([1, 1, 1])
  })
})

describe('rules', () => {
  class Foreign {
    readonly data = 1
  }
  it('refuse a function where functions may not cross', () => {
    expect(() => cloneThawed({ a: [() => 1] }, { functions: false })).toThrow('a function must not cross')
    expect(cloneThawed({ a: [1] }, { functions: false })).toEqual({ a: [1] })
  })
  it('refuse an instance of a class that is not kept, also as a subclass of a built-in', () => {
    const rules = { keeps: () => false }
    class List extends Array {}
    class Times extends Date {}
    expect(() => cloneThawed(new Foreign(), rules)).toThrow(TypeError)
    expect(() => cloneThawed(List.from([1]), rules)).toThrow(TypeError)
    expect(() => cloneThawed(new Times(1), rules)).toThrow(TypeError)
    expect(cloneThawed(new Date(1), rules)).toEqual(new Date(1))
    expect(cloneThawed(new Foreign())).toBeInstanceOf(Foreign)
  })
  it('refuse a promise always', () => {
    expect(() => cloneThawed({ later: Promise.resolve(1) })).toThrow(TypeError)
  })
})
