import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalize } from '../../runtime/encoding/canonical-json.js'
import { isPlainObject, parseJson, parseJsonObject } from '../../runtime/encoding/strict-json.js'
import { isAgenticError } from '../../runtime/errors.js'
import { exactJson } from '../support/exact-json.js'
import { expectCode } from '../support/expect-code.js'

/** Runs a parse on input that may be anything; only a value or ERR_JSON_INVALID may come of it. */
function outcome(input: string | Uint8Array): unknown {
  try {
    return { value: parseJson(input) }
  } catch (error) {
    if (!isAgenticError(error) || error.code !== 'ERR_JSON_INVALID') throw error
    return 'refused'
  }
}

describe('strict JSON', () => {
  it.each([
    ['a duplicate key', '{"a":1,"a":1}', '{"a":1,"b":1}'],
    ['a duplicate key in an inner object', '[{"x":{"a":1,"a":2}}]', '[{"x":{"a":1},"a":2}]'],
    ['a duplicate key spelled with an escape', '{"a":1,"\\u0061":2}', '{"a":1,"\\u0062":2}'],
    ['a duplicate key with space before its colon', '{"a" :1,"a"\n:1}', '{"a" :1,"b"\n:1}'],
    ...[' ', '\t', '\r', '\n', ' \r\n\t'].map((space): [string, string, string] => [
      `a duplicate key with ${JSON.stringify(space)} before one colon`,
      `{"a"${space}:1,"a":1}`,
      `{"a"${space}:1,"b":1}`,
    ]),
    [
      'a duplicate key after a text that ends in backslashes',
      '{"a\\\\":1,"a\\\\":2}',
      '{"a\\\\":1,"a\\"":2}',
    ],
    ['a duplicate key beside texts with colons', '{"a":":","a":"\\":"}', '{"a":":","b":"\\":"}'],
    ['a duplicate empty key', '{"":1,"":2}', '{"":1," ":2}'],
    ['a duplicate index', '{"0":1,"0":2}', '{"0":1,"1":2}'],
    ['the key __proto__', '{"__proto__":{"a":1}}', '{"_proto__":{"a":1}}'],
    ['the key __proto__ spelled with an escape', '{"\\u005f_proto__":1}', '{"\\u005fproto__":1}'],
    ['an escaped lone high surrogate', '"\\ud83d"', '"\\ud83d\\ude02"'],
    ['an escaped lone low surrogate', '["\\uDE02"]', '["\\uD83D\\uDE02"]'],
    ['an escaped lone surrogate in a key', '{"\\ud83d":1}', '{"\\ud83d\\ude02":1}'],
    ['a byte order mark', '\ufeff{}', '{}'],
    ['NaN', 'NaN', 'null'],
    ['Infinity', '[Infinity]', '[0]'],
    ['1e400, which would be infinite', '1e400', '1e300'],
    ['2^53', '9007199254740992', '9007199254740991'],
    ['2^53 spelled as a fraction', '9007199254740992.0', '9007199254740991.0'],
    ['-2^53', '-9007199254740992', '-9007199254740991'],
    ['an integer of many digits', '1000000000000000000001', '1e21'],
    [
      'an integer of many digits beside texts',
      '["1",-1000000000000000000001,"2"]',
      '["1",-1e21,"1000000000000000000001"]',
    ],
    ['a trailing comma', '[1,]', '[1]'],
    ['a comment', '{}//', '{}'],
    ['something after the value', '{} {}', '{} '],
    ['a single quote', "{'a':1}", '{"a":1}'],
    ['a leading zero', '01', '0.1'],
    ['a raw control character', '"\u0001"', '"\\u0001"'],
    ['nothing', '', '""'],
  ])('%s is refused, its nearest neighbour is read', async (_what, refused, accepted) => {
    await expectCode(() => parseJson(refused), 'ERR_JSON_INVALID')
    await expectCode(() => parseJson(Buffer.from(refused)), 'ERR_JSON_INVALID')
    expect(parseJson(accepted)).toEqual(JSON.parse(accepted))
    expect(parseJson(Buffer.from(accepted))).toEqual(JSON.parse(accepted))
  })

  it('a raw lone surrogate is refused in a text; bytes cannot hold one', async () => {
    await expectCode(() => parseJson('"\ud83d"'), 'ERR_JSON_INVALID')
    await expectCode(() => parseJson('{"\ude02":1}'), 'ERR_JSON_INVALID')
    expect(parseJson('"\ud83d\ude02"')).toBe('\u{1f602}')
  })

  it.each([
    ['a byte that no UTF-8 has', [0x22, 0xff, 0x22], [0x22, 0x7f, 0x22]],
    ['an overlong form', [0x22, 0xc0, 0xaf, 0x22], [0x22, 0x2f, 0x22]],
    ['a surrogate in UTF-8', [0x22, 0xed, 0xa0, 0xbd, 0x22], [0x22, 0xed, 0x9f, 0xbf, 0x22]],
    ['a sequence cut short', [0x22, 0xc3, 0x22], [0x22, 0xc3, 0xa9, 0x22]],
  ])('%s is refused', async (_what, refused, accepted) => {
    await expectCode(() => parseJson(Uint8Array.from(refused)), 'ERR_JSON_INVALID')
    expect(typeof parseJson(Uint8Array.from(accepted))).toBe('string')
  })

  it('limits depth: 72 levels are read, 73 are not, and a limit of its own counts', async () => {
    const nest = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(Array.isArray(parseJson(nest(72)))).toBe(true)
    await expectCode(() => parseJson(nest(73)), 'ERR_JSON_INVALID')
    expect(parseJson('[[]]', { maxDepth: 2 })).toEqual([[]])
    await expectCode(() => parseJson('[[]]', { maxDepth: 1 }), 'ERR_JSON_INVALID')
    expect(parseJson('1', { maxDepth: 0 })).toBe(1)
  })

  it('survives a million open brackets', async () => {
    await expectCode(() => parseJson('['.repeat(1_000_000)), 'ERR_JSON_INVALID')
    await expectCode(() => parseJson('{"a":'.repeat(200_000)), 'ERR_JSON_INVALID')
  })

  it('limits length in bytes before it reads', async () => {
    expect(parseJson('"abc"', { maxBytes: 5 })).toBe('abc')
    await expectCode(() => parseJson('"abcd"', { maxBytes: 5 }), 'ERR_JSON_INVALID')
    await expectCode(() => parseJson(`1${' '.repeat(1_048_576)}`), 'ERR_JSON_INVALID')
    expect(parseJson(`1${' '.repeat(1_048_575)}`)).toBe(1)
  })

  it('takes limits from its argument, not from a polluted Object.prototype', async () => {
    const prototype = Object.prototype as Record<string, unknown>
    Object.assign(prototype, { maxDepth: 1000, maxBytes: 1e9, bare: true })
    try {
      await expectCode(() => parseJson('['.repeat(73) + ']'.repeat(73)), 'ERR_JSON_INVALID')
      await expectCode(() => parseJson(`1${' '.repeat(1_048_576)}`), 'ERR_JSON_INVALID')
      expect(Object.getPrototypeOf(parseJson('{}'))).toBe(prototype)
    } finally {
      for (const name of ['maxDepth', 'maxBytes', 'bare']) delete prototype[name]
    }
  })

  it('makes objects without a prototype where that is asked for, at every level', () => {
    const value = parseJsonObject('{"a":[{"b":{}}]}', { bare: true }) as { a: [{ b: object }] }
    for (const object of [value, value.a[0], value.a[0].b]) expect(Object.getPrototypeOf(object)).toBeNull()
    expect(Array.isArray(value.a)).toBe(true)
    expect(Object.getPrototypeOf(parseJson('{}', { bare: false }))).toBe(Object.prototype)
  })

  it('keeps -0, which prints as 0', () => {
    expect(canonicalize(parseJson('-0'))).toBe('0')
  })

  it('never repeats the input in its message', async () => {
    const error = await expectCode(() => parseJson('{"secret":1,"secret":2}'), 'ERR_JSON_INVALID')
    expect(error.message).not.toContain('secret')
    expect((await expectCode(() => parseJson('secret'), 'ERR_JSON_INVALID')).cause).toBeUndefined()
  })

  it('demands an object where an object is asked for', async () => {
    expect(parseJsonObject('{"a":[]}')).toEqual({ a: [] })
    for (const text of ['[]', 'null', '1', '"{}"']) {
      await expectCode(() => parseJsonObject(text), 'ERR_JSON_INVALID')
    }
  })

  it('tells plain objects from the rest', () => {
    for (const plain of [{}, Object.create(null)]) expect(isPlainObject(plain)).toBe(true)
    for (const other of [null, undefined, [], 1, '', new Date(), new Map(), Object.create({})]) {
      expect(isPlainObject(other)).toBe(false)
    }
  })

  it('reads back what canonical JSON prints', () => {
    fc.assert(
      fc.property(exactJson, (value) => {
        const text = canonicalize(value)
        expect(canonicalize(parseJson(text))).toBe(text)
        expect(canonicalize(parseJson(Buffer.from(text)))).toBe(text)
        // However it is spelled.
        expect(canonicalize(parseJson(JSON.stringify(value, null, 2)))).toBe(text)
      }),
      { seed: 8259, numRuns: 500 },
    )
  })

  it('says of a text with one member repeated what it is', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), exactJson, { minKeys: 1, maxKeys: 5, noNullPrototype: true }),
        (object) => {
          const keys = Object.keys(object).filter((key) => key !== '__proto__')
          fc.pre(keys.length > 0)
          const members = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(object[key])}`)
          expect(outcome(`{${members.join(',')}}`)).not.toBe('refused')
          expect(outcome(`{${[...members, members[0]].join(' , ')}}`)).toBe('refused')
        },
      ),
      { seed: 7493, numRuns: 300 },
    )
  })

  it('answers every byte string with a value or a code', () => {
    const jsonLike = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        ':',
        ',',
        '\\',
        '\\u',
        'd83d',
        '"a"',
        '1',
        '-',
        'e9',
        '1e999',
        ' ',
        'null',
        '\ufeff',
      ),
      { maxLength: 14 },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 64 }),
          jsonLike.map((parts) => parts.join('')),
        ),
        (input) => {
          outcome(input)
        },
      ),
      { seed: 1, numRuns: 5000 },
    )
  })
})
