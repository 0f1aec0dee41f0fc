import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutLines, readLine } from '../../../runtime/audit/auditor/line.js'
import { canonicalize, type JsonObject } from '../../../runtime/encoding/canonical-json.js'

const record = { v: 1, seq: 0, time: 0, type: 'token.minted', actor: 'scanner', data: {} }
const bytes = (text: string) => Buffer.from(text)
const lineOf = (more: object) => bytes(canonicalize({ ...record, ...more }))

describe('a line', () => {
  it('in the canonical form of the writer is in that of the auditor', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__'))
        const data: JsonObject = { value: value as JsonObject }
        let text: string
        try {
          text = canonicalize({ ...record, data })
        } catch {
          return // no canonical form, so no line
        }
        expect(readLine(bytes(text))).toMatchObject({ kind: 'record' })
      }),
      { seed: 20260101, numRuns: 500 },
    )
  })

  it('that is a string is a checkpoint', () => {
    expect(readLine(bytes('"note\\n"'))).toEqual({ kind: 'checkpoint', note: 'note\n' })
  })

  it('with every field a record may have is a record', () => {
    const all = { execution_id: 'e', activation_id: 'a', subjects: { token: 't' }, data: { '\u20ac': 1.5 } }
    expect(readLine(lineOf(all))).toEqual({ kind: 'record', record: { ...record, ...all } })
  })

  it.each([
    ['white space', '{"actor":"a", "data":{},"seq":0,"time":0,"type":"a.b","v":1}'],
    ['keys in another order', '{"data":{},"actor":"a","seq":0,"time":0,"type":"a.b","v":1}'],
    ['a key said twice', '{"actor":"a","actor":"a","data":{},"seq":0,"time":0,"type":"a.b","v":1}'],
    ['a number spelt otherwise', '{"actor":"a","data":{},"seq":0,"time":0.0,"type":"a.b","v":1}'],
    ['an escape that is not needed', '{"actor":"\\u0061","data":{},"seq":0,"time":0,"type":"a.b","v":1}'],
    ['a lone surrogate', '{"actor":"\\ud800","data":{},"seq":0,"time":0,"type":"a.b","v":1}'],
    ['an infinite number', '{"actor":"a","data":{"n":1e400},"seq":0,"time":0,"type":"a.b","v":1}'],
    ['a byte order mark', '\ufeff{"actor":"a","data":{},"seq":0,"time":0,"type":"a.b","v":1}'],
    ['endless nesting', '['.repeat(60_000)],
    [
      'deep nesting',
      `{"actor":"a","data":${'{"a":'.repeat(80)}1${'}'.repeat(80)},"seq":0,"time":0,"type":"a.b","v":1}`,
    ],
    ['nothing', ''],
    ['more than 64 KiB', canonicalize({ ...record, data: { text: 'x'.repeat(65_536) } })],
  ])('with %s is unreadable', (_what, text) => {
    expect(readLine(bytes(text)).kind).toBe('unreadable')
  })

  it.each([
    ['another version', { v: 2 }],
    ['a field of its own', { extra: 1 }],
    ['a negative number', { seq: -1 }],
    ['a time that is a fraction', { time: 0.5 }],
    ['a type of one word', { type: 'token' }],
    ['an empty actor', { actor: '' }],
    ['data that is a list', { data: [] }],
    ['a subject that is a number', { subjects: { token: 1 } }],
  ])('with %s is no record', (_what, more) => {
    expect(readLine(lineOf(more)).kind).toBe('unreadable')
    expect(readLine(lineOf({})).kind).toBe('record')
  })

  it('of a record without one of its fields is no record', () => {
    for (const field of Object.keys(record)) {
      const { [field as 'v']: _left, ...rest } = record
      expect(readLine(bytes(canonicalize(rest))).kind).toBe('unreadable')
    }
  })

  it('that is not UTF-8 is unreadable', () => {
    expect(readLine(Buffer.concat([bytes('"'), Buffer.of(0xff), bytes('"')])).kind).toBe('unreadable')
  })
})

it('a segment is cut at its newlines, and what follows the last one is not whole', () => {
  const cut = [...cutLines(bytes('a\n\nbc'))].map(({ bytes, whole }) => [
    Buffer.from(bytes).toString(),
    whole,
  ])
  expect(cut).toEqual([
    ['a', true],
    ['', true],
    ['bc', false],
  ])
})
