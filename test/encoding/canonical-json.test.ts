import oracle from 'canonicalize'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalize, maxJsonDepth } from '../../runtime/encoding/canonical-json.js'
import { exactJson } from '../support/exact-json.js'
import { expectCode } from '../support/expect-code.js'

class Point {
  x = 1
}

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { value }
  return value
}

describe('canonical JSON (RFC 8785)', () => {
  it('sorts keys by UTF-16 code units, not by code points', () => {
    // U+1F602 is a pair starting with D83D and so stands before U+FB33.
    expect(canonicalize({ '\ufb33': 1, '\u{1f602}': 2, b: 3, a: 4, B: 5, '10': 6, '9': 7 })).toBe(
      '{"10":6,"9":7,"B":5,"a":4,"b":3,"\u{1f602}":2,"\ufb33":1}',
    )
  })

  it('escapes as §3.2.2.2: two-letter escapes, lower-case hex, nothing else', () => {
    expect(canonicalize('\b\t\n\f\r"\\/\u0000\u001f\u007f\u2028é')).toBe(
      '"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001f\u007f\u2028é"',
    )
  })

  it('prints numbers as §3.2.2.3, and -0 as 0', () => {
    expect(canonicalize([-0, 1.0, 0.7, 1e21, 1e-7, 4.5, 5e-324, 1.7976931348623157e308])).toBe(
      '[0,1,0.7,1e+21,1e-7,4.5,5e-324,1.7976931348623157e+308]',
    )
  })

  it.each([
    ['undefined', undefined, null],
    ['undefined in an object', { a: undefined }, { a: null }],
    ['undefined in an array', [undefined], [null]],
    ['a function', { a: () => 1 }, { a: 1 }],
    ['a symbol', { a: Symbol('s') }, { a: 's' }],
    ['a bigint', { a: 1n }, { a: 1 }],
    ['NaN', Number.NaN, 0],
    ['Infinity', Number.POSITIVE_INFINITY, Number.MAX_VALUE],
    ['2^53', 2 ** 53, 2 ** 53 - 1],
    ['-2^53', -(2 ** 53), -(2 ** 53 - 1)],
    ['an integer just below 1e21', 1e21 - 2 ** 17, 1e21],
    ['a lone high surrogate', 'a\ud83d', 'a\ud83d\ude02'],
    ['a lone low surrogate as a key', { '\ude02': 1 }, { '\ud83d\ude02': 1 }],
    // biome-ignore lint/suspicious/noSparseArray: the hole is what is refused
    ['a sparse array', [1, , 2], [1, null, 2]],
    ['an array with an extra key', Object.assign([1], { extra: 2 }), [1]],
    ['an array of a class of its own', new (class extends Array<number> {})(), []],
    ['a Date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['a Map', new Map([['a', 1]]), { a: 1 }],
    ['an instance of a class', new Point(), { ...new Point() }],
    ['a boxed number', Object(1), 1],
    ['bytes', Uint8Array.of(1), [1]],
    ['a symbol key', { a: 1, [Symbol('s')]: 2 }, { a: 1 }],
    ['a hidden key', Object.defineProperty({ a: 1 }, 'b', { value: 2 }), { a: 1 }],
    ['an accessor', Object.defineProperty({}, 'a', { get: () => 1, enumerable: true }), { a: 1 }],
    ['an accessor in an array', Object.defineProperty([1], 0, { get: () => 1, enumerable: true }), [1]],
    ['the key __proto__', JSON.parse('{"__proto__":1}'), { proto: 1 }],
    ['an object with toJSON', { toJSON: () => 1 }, { toJSON: 1 }],
    ['nesting one too deep', nested(maxJsonDepth + 1), nested(maxJsonDepth)],
  ])('%s is refused, its nearest neighbour is printed', async (_what, refused, accepted) => {
    await expectCode(() => canonicalize(refused), 'ERR_JSON_NOT_CANONICAL')
    expect(JSON.parse(canonicalize(accepted))).toEqual(accepted)
  })

  it('refuses a cycle instead of running out of stack', async () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    await expectCode(() => canonicalize(cycle), 'ERR_JSON_NOT_CANONICAL')
  })

  it('never repeats the value in its message', async () => {
    const error = await expectCode(
      () => canonicalize({ 'secret-key': [() => 'secret'] }),
      'ERR_JSON_NOT_CANONICAL',
    )
    expect(error.message).not.toContain('secret')
  })

  it('prints null-prototype objects like any other', () => {
    expect(canonicalize(Object.assign(Object.create(null), { b: 1, a: 2 }))).toBe('{"a":2,"b":1}')
  })

  it('agrees byte for byte with the npm package canonicalize', () => {
    fc.assert(
      fc.property(exactJson, (value) => {
        expect(canonicalize(value)).toBe(oracle(value))
      }),
      { seed: 8785, numRuns: 1000 },
    )
  })
})
