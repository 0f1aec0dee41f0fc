import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonEdit } from '../../agents/dependencies/change.js'
import { pointerTo } from '../../agents/dependencies/change.js'
import { applyEdits, editsAreApplied } from '../../agents/dependencies/edit-text.js'
import { parseJsonFile } from '../../agents/dependencies/json-text.js'
import type { JsonObject, JsonValue } from '../../runtime/index.js'
import { expectCode } from '../support/expect-code.js'

const edit = (pointer: string, from: JsonValue, to: JsonValue): JsonEdit => ({ pointer, from, to })

describe('a JSON file', () => {
  it.each([
    ['{\n  "name": "x",\n  "version": }', 'package.json is not valid JSON (line 3, column 14)'],
    ['{\n  "a": 1,\n}', 'package.json is not valid JSON (line 3, column 1)'],
    ['\uFEFF{"a" 1}', 'package.json is not valid JSON (line 1, column 6)'],
    ['{"a": "tab\there"}', 'package.json is not valid JSON (line 1, column 11)'],
    ['{"a": "\\x"}', 'package.json is not valid JSON (line 1, column 8)'],
    ['{} {}', 'package.json is not valid JSON (line 1, column 4)'],
    ['', 'package.json is not valid JSON (line 1, column 1)'],
    ['[1]', 'package.json must hold a JSON object'],
    ['null', 'package.json must hold a JSON object'],
  ])('that is broken is named with the place of the mistake (%#)', async (text, sentence) => {
    const error = await expectCode(() => parseJsonFile('package.json', text), 'ERR_TOOL_FAILED')
    expect(error.message).toBe(sentence)
  })

  it('may begin with a byte order mark, as npm allows', () => {
    expect(parseJsonFile('package.json', '\uFEFF{"a": 1}')).toEqual({ a: 1 })
  })

  it('is found broken where JSON.parse finds it, for any damage', () => {
    const text = '{"a": [1, -2.5e3, "x\\u00e9\\n"], "b": {"c": null, "d": true}}'
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.constantFrom('"', ',', '}', '\\', '0', '\n', ''),
        (at, damage) => {
          const damaged = text.slice(0, at) + damage + text.slice(at + 1)
          let valid = true
          try {
            JSON.parse(damaged)
          } catch {
            valid = false
          }
          if (valid) return
          expect(() => parseJsonFile('f', damaged)).toThrow(/^f is not valid JSON \(line \d+, column \d+\)$/)
        },
      ),
      { seed: 7, numRuns: 500 },
    )
  })
})

describe('an edit of a JSON text', () => {
  const text = '\uFEFF{\r\n\t"b" : "1",\r\n\t"a": {"x": "old",  "y": [1,\t2]},\r\n\t"c": "3"\r\n}'

  it('changes its value and no other byte', () => {
    expect(applyEdits(text, [edit('/a/x', 'old', 'new')])).toBe(text.replace('"old"', '"new"'))
    expect(applyEdits(text, [])).toBe(text)
  })

  it.each([
    ['/b', '1', '{\r\n\t"a": {"x": "old",  "y": [1,\t2]},\r\n\t"c": "3"\r\n}'],
    ['/c', '3', '{\r\n\t"b" : "1",\r\n\t"a": {"x": "old",  "y": [1,\t2]}\r\n}'],
  ])('removes a member with its comma: %s', (pointer, from, result) => {
    expect(applyEdits(text, [edit(pointer, from, null)])).toBe(`\uFEFF${result}`)
  })

  it('removes neighbours together', () => {
    expect(applyEdits('{"a": "1", "b": "2", "c": "3"}', [edit('/a', '1', null), edit('/b', '2', null)])).toBe(
      '{"c": "3"}',
    )
    expect(applyEdits('{"a": "1", "b": "2", "c": "3"}', [edit('/c', '3', null), edit('/b', '2', null)])).toBe(
      '{"a": "1"}',
    )
    const all = [edit('/a', '1', null), edit('/b', '2', null)]
    expect(applyEdits('{\n "a": "1",\n "b": "2"\n}', all)).toBe('{}')
  })

  it('inserts at the end of its object, in the style of the file', () => {
    const overrides = { 'x@1.0.0': '1.0.1' }
    expect(applyEdits('{\n  "a": "1"\n}\n', [edit('/overrides', null, overrides)])).toBe(
      '{\n  "a": "1",\n  "overrides": {\n    "x@1.0.0": "1.0.1"\n  }\n}\n',
    )
    expect(applyEdits('{\r\n\t"a": "1"\r\n}', [edit('/overrides', null, overrides)])).toBe(
      '{\r\n\t"a": "1",\r\n\t"overrides": {\r\n\t\t"x@1.0.0": "1.0.1"\r\n\t}\r\n}',
    )
    expect(applyEdits('{"a":"1","b":"2"}', [edit('/c', null, overrides)])).toBe(
      '{"a":"1","b":"2","c":{"x@1.0.0":"1.0.1"}}',
    )
    expect(applyEdits('{\n  "o": {}\n}', [edit('/o/k', null, 'v')])).toBe('{\n  "o": {\n    "k": "v"\n  }\n}')
    expect(applyEdits('{\n    "o": {\n        "j": "u"\n    }\n}', [edit('/o/k', null, 'v')])).toBe(
      '{\n    "o": {\n        "j": "u",\n        "k": "v"\n    }\n}',
    )
  })

  it('refuses when the present value is another, missing, or there already', async () => {
    await expectCode(() => applyEdits(text, [edit('/a/x', 'older', 'new')]), 'ERR_TOOL_FAILED')
    await expectCode(() => applyEdits(text, [edit('/a/z', 'old', 'new')]), 'ERR_TOOL_FAILED')
    await expectCode(() => applyEdits(text, [edit('/z/x', 'old', 'new')]), 'ERR_TOOL_FAILED')
    await expectCode(() => applyEdits(text, [edit('/b', null, 'new')]), 'ERR_TOOL_FAILED')
    await expectCode(() => applyEdits(text, [edit('/a/y/0', 1, 2)]), 'ERR_TOOL_FAILED')
    await expectCode(() => applyEdits('{"a": null}', [edit('/a', null, 'x')]), 'ERR_TOOL_FAILED')
    expect(applyEdits(text, [edit('/a/y', [1, 2], 'new')])).toContain('"y": "new"')
  })

  it('refuses two edits of one place, one within another, and a key that occurs twice', async () => {
    await expectCode(() => applyEdits(text, [edit('/b', '1', '2'), edit('/b', '1', '3')]), 'ERR_TOOL_FAILED')
    await expectCode(
      () => applyEdits(text, [edit('/a', null, '2'), edit('/a/x', 'old', '3')]),
      'ERR_TOOL_FAILED',
    )
    await expectCode(
      () => applyEdits(text, [edit('/a/x', 'old', '3'), edit('/a', null, '2')]),
      'ERR_TOOL_FAILED',
    )
    await expectCode(() => applyEdits('{"a": "1", "a": "1"}', [edit('/a', '1', '2')]), 'ERR_TOOL_FAILED')
    await expectCode(() => applyEdits(text, [edit('b', '1', '2')]), 'ERR_TOOL_FAILED')
    expect(applyEdits('{"a": "1", "a": "1", "b": "1"}', [edit('/b', '1', '2')])).toBe(
      '{"a": "1", "a": "1", "b": "2"}',
    )
  })

  it('reaches names with slashes, tildes, quotes and `__proto__`', () => {
    const keys = ['@s/n~1', 'a"b\\', '__proto__', '']
    for (const key of keys) {
      const before = `{${JSON.stringify(key)}: "1"}`
      expect(applyEdits(before, [edit(pointerTo(key), '1', '2')])).toBe(`{${JSON.stringify(key)}: "2"}`)
    }
  })

  it('is known to be applied already', () => {
    const edits = [edit('/a/x', 'old', 'new'), edit('/c', '3', null), edit('/d', null, { e: 'f' })]
    expect(editsAreApplied(text, edits)).toBe(false)
    expect(editsAreApplied(applyEdits(text, edits), edits)).toBe(true)
  })

  it('means the same as changing the value, and can be taken back, for any object and edits', () => {
    const value = fc.oneof(
      fc.string(),
      fc.constant('{"x":[1,"}"]}'),
      fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }),
    )
    const object = fc.dictionary(fc.string({ maxLength: 3 }), value, {
      minKeys: 1,
      maxKeys: 6,
      noNullPrototype: true,
    })
    const style = fc.constantFrom<string | number>(0, 2, 4, '\t')
    const change = fc.tuple(fc.constantFrom('replace', 'remove', 'insert'), fc.nat(5), value)
    fc.assert(
      fc.property(
        object,
        style,
        fc.boolean(),
        fc.array(change, { maxLength: 4 }),
        (before, indent, crlf, wanted) => {
          const expected: Record<string, JsonValue> = { ...before }
          const edits = new Map<string, JsonEdit>()
          for (const [kind, at, to] of wanted) {
            const key =
              kind === 'insert' ? `new ${at}` : (Object.keys(before)[at % Object.keys(before).length] ?? '')
            if (edits.has(key) || key === '__proto__') continue
            edits.set(key, edit(pointerTo(key), before[key] ?? null, kind === 'remove' ? null : to))
            if (kind === 'remove') delete expected[key]
            else expected[key] = to
          }
          const printed = JSON.stringify({ '': 'first', ...before }, null, indent)
          const source = `${crlf ? printed.replaceAll('\n', '\r\n') : printed}\n`
          if (edits.has('')) return
          const result = applyEdits(source, [...edits.values()])
          expect(JSON.parse(result)).toEqual({ '': 'first', ...expected })
          expect(result.endsWith('}\n')).toBe(true)
          if (crlf) expect(result.replaceAll('\r\n', '')).not.toContain('\r')
          const back = [...edits.values()].map(({ pointer, from, to }) => edit(pointer, to, from))
          expect(JSON.parse(applyEdits(result, back))).toEqual(JSON.parse(source) as JsonObject)
        },
      ),
      { seed: 11, numRuns: 400 },
    )
  })
})
