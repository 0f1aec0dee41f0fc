/**
 * Canonical JSON against three implementations from npm: where ours prints, all three print the same bytes;
 * where one of them prints what RFC 8785 does not allow, ours refuses.
 */
import { canonify } from '@truestamp/canonify'
import erdtman from 'canonicalize'
import fc from 'fast-check'
import { canonicalize as snowyu } from 'json-canonicalize'
import { describe, expect, it } from 'vitest'
import { canonicalize } from '../../runtime/encoding/canonical-json.js'
import { parseJson } from '../../runtime/encoding/strict-json.js'
import { codeOf } from '../../runtime/errors.js'
import { exactJson } from '../support/exact-json.js'
import { expectCode } from '../support/expect-code.js'

const printers = {
  canonicalize: erdtman,
  'json-canonicalize': snowyu,
  canonify,
} as Record<string, (value: unknown) => string | undefined>

/** What each of the three makes of a value; `throws` where it refuses. */
function theirs(value: unknown): Record<string, string | undefined> {
  const outcome = (print: (value: unknown) => string | undefined) => {
    try {
      return print(value)
    } catch {
      return 'throws'
    }
  }
  return Object.fromEntries(Object.entries(printers).map(([name, print]) => [name, outcome(print)]))
}

const allThree = (text: string) => ({ canonicalize: text, 'json-canonicalize': text, canonify: text })

/** What ours makes of a value: a text, or undefined for a refusal with its code. */
function ours(value: unknown): string | undefined {
  try {
    return canonicalize(value)
  } catch (error) {
    expect(codeOf(error)).toBe('ERR_JSON_NOT_CANONICAL')
    return undefined
  }
}

describe('three other implementations of RFC 8785', () => {
  it('print what ours prints, byte for byte', () => {
    fc.assert(
      fc.property(exactJson, (value) => {
        expect(theirs(value)).toEqual(allThree(canonicalize(value)))
      }),
      { seed: 8785, numRuns: 1000 },
    )
  })

  it('do so for whatever value ours prints at all', () => {
    let printed = 0
    const anything = fc.anything({
      ...{ maxDepth: 3, maxKeys: 4, withBigInt: true, withBoxedValues: true, withDate: true, withMap: true },
      ...{ withNullPrototype: true, withObjectString: true, withSet: true, withSparseArray: true },
      ...{ withTypedArray: true, stringUnit: 'binary' as const },
    })
    fc.assert(
      fc.property(anything, (value) => {
        const text = ours(value)
        if (text === undefined) return
        printed += 1
        expect(theirs(value)).toEqual(allThree(text))
      }),
      { seed: 3986, numRuns: 3000 },
    )
    expect(printed).toBeGreaterThan(500)
  })

  // Each line is what the three print for a value that has no canonical form; a dash is a refusal.
  const wrong: [what: string, value: unknown, theirs: readonly (string | undefined)[]][] = [
    ['a function in an object', { f() {} }, ['{"f":undefined}', '{"f":undefined}', '{}']],
    ['a function in an array', [() => 1], ['[]', '[undefined]', '[null]']],
    ['a symbol', { a: Symbol('a') }, ['{}', '{"a":undefined}', '{}']],
    // biome-ignore lint/suspicious/noSparseArray: the hole is what is refused
    ['a sparse array', [1, , 2], ['[1,,2]', '[1,2]', '[1,2]']],
    ['undefined', undefined, [undefined, 'undefined', undefined]],
    ['undefined in an object', { a: undefined, b: 1 }, ['{"b":1}', '{"b":1}', '{"b":1}']],
    ['undefined in an array', [undefined], ['[null]', '[null]', '[null]']],
    ['NaN', [Number.NaN], ['throws', 'throws', '[null]']],
    ['Infinity', [Number.POSITIVE_INFINITY], ['throws', 'throws', '[null]']],
    ['a lone surrogate', '\ud83d', ['throws', '"\\ud83d"', '"\\ud83d"']],
    ['a lone surrogate in a key', { '\ude02': 1 }, ['throws', '{"\\ude02":1}', '{"\\ude02":1}']],
    ['a Map', new Map([['a', 1]]), ['{}', '{}', '{}']],
    ['a Set', new Set([1]), ['{}', '{}', '{}']],
    ['a regular expression', /x/, ['{}', '{}', '{}']],
    ['bytes', Uint8Array.of(7), ['{"0":7}', '{"0":7}', '{"0":7}']],
    ['a boxed number', Object(7), ['{}', '{}', '{}']],
    ['an array with a member more', Object.assign([1], { x: 2 }), ['[1]', '[1]', '[1]']],
    // What is printed is right, and stands for another value: one text, two things that were meant.
    ['2^53 + 1, rounded', 2 ** 53 + 1, Array(3).fill('9007199254740992')],
    ['a Date', new Date(0), Array(3).fill('"1970-01-01T00:00:00.000Z"')],
    ['what toJSON says', { toJSON: () => 1 }, ['1', '1', '1']],
    ['only the own half of an object', Object.create({ a: 1 }), ['{}', '{}', '{}']],
    ['__proto__', JSON.parse('{"__proto__":1}'), Array(3).fill('{"__proto__":1}')],
  ]
  it.each(wrong)('print %s, which ours refuses', async (_what, value, printed) => {
    const [canonicalized, jsonCanonicalized, canonified] = printed
    expect(theirs(value)).toEqual({
      ...{ canonicalize: canonicalized, 'json-canonicalize': jsonCanonicalized, canonify: canonified },
    })
    await expectCode(() => canonicalize(value), 'ERR_JSON_NOT_CANONICAL')
  })
})

describe('canonical JSON read and printed again', () => {
  it('is the same text, for every value that has one', () => {
    fc.assert(
      fc.property(exactJson, (value) => {
        const text = canonicalize(value)
        expect(canonicalize(parseJson(text))).toBe(text)
        expect(canonicalize(parseJson(new TextEncoder().encode(text), { maxBytes: 1e6 }))).toBe(text)
      }),
      { seed: 7159, numRuns: 500 },
    )
  })

  it('is the one text of every spelling of a value: white space, escapes, order, exponents', () => {
    fc.assert(
      fc.property(exactJson, fc.infiniteStream(fc.nat(9)), (value, choices) => {
        const choose = () => choices.next().value ?? 0
        const spelled = spell(value, choose)
        expect(canonicalize(parseJson(spelled))).toBe(canonicalize(value))
        expect(canonicalize(parseJson(new TextEncoder().encode(spelled)))).toBe(canonicalize(value))
      }),
      { seed: 404, numRuns: 500 },
    )
  })
})

/** Some JSON text of a value, by chance: nothing in it needs to be canonical. */
function spell(value: unknown, choose: () => number): string {
  const space = () => ['', ' ', '\n', '\t', '\r\n'][choose() % 5] ?? ''
  if (Array.isArray(value)) {
    return `[${space()}${value.map((item) => spell(item, choose)).join(`${space()},${space()}`)}${space()}]`
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([name, member]) => `${spell(name, choose)}${space()}:${space()}${spell(member, choose)}`,
    )
    if (choose() % 2 === 0) members.reverse()
    return `{${space()}${members.join(`${space()},`)}${space()}}`
  }
  if (typeof value === 'string') {
    const unit = (_: unknown, at: number) =>
      choose() === 0
        ? `\\u${value.charCodeAt(at).toString(16).padStart(4, '0')}`
        : JSON.stringify(value.charAt(at)).slice(1, -1) // half a pair comes out escaped, which is as good
    return `"${Array.from({ length: value.length }, unit).join('')}"`
  }
  if (typeof value === 'number' && choose() % 2 === 0) return value.toExponential()
  return JSON.stringify(value)
}
