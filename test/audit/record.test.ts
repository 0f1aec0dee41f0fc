import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AuditEntry, maxRecordBytes, prepareRecord, recordLine } from '../../runtime/audit/record.js'
import { canonicalize, type JsonObject } from '../../runtime/encoding/canonical-json.js'
import { entry } from '../support/audit-logs.js'
import { expectCode } from '../support/expect-code.js'

describe('a record line', () => {
  it('is the canonical form of its record, whatever fields the entry has', () => {
    const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
    const arbitrary = fc.record(
      {
        type: fc.constantFrom('token.minted', 'execution.step.ended', 'audit.torn_tail_cut'),
        actor: text,
        execution_id: text,
        activation_id: text,
        subjects: fc.dictionary(text, text),
        data: fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text))),
      },
      { requiredKeys: ['type', 'actor', 'data'] },
    )
    fc.assert(
      fc.property(arbitrary, fc.nat(), fc.nat(), (made, seq, time) => {
        fc.pre(!('__proto__' in made.data && Object.hasOwn(made.data, '__proto__')))
        const line = recordLine(prepareRecord(made as AuditEntry, time), seq)
        expect(line).toBe(canonicalize({ ...made, seq, time, v: 1 }))
      }),
      { seed: 20260101, numRuns: 300 },
    )
  })

  it('does not change with the entry it was made of', () => {
    const data = { note: 'before' }
    const record = prepareRecord(entry('', { data }), 0)
    data.note = 'after'
    expect(recordLine(record, 0)).toContain('before')
  })
})

describe('an entry', () => {
  it.each([
    ['a type of one word', { type: 'token' }],
    ['a type in upper case', { type: 'Token.minted' }],
    ['a type with a newline', { type: 'token.minted\n' }],
    ['no actor', { actor: '' }],
    ['a long execution', { execution_id: 'x'.repeat(129) }],
    ['an activation that is no text', { activation_id: 7 as unknown as string }],
    ['data that is an array', { data: [] as unknown as JsonObject }],
    ['a subject that is no text', { subjects: { token: 7 as unknown as string } }],
    ['a field of its own', { seq: 7 } as object],
  ])('with %s is a mistake of the caller', (_what, wrong) => {
    expect(() => prepareRecord(entry('x', wrong), 0)).toThrow(TypeError)
  })

  it('with a type of several words is taken', () => {
    expect(recordLine(prepareRecord(entry('x', { type: 'a.torn_tail.cut' }), 0), 0)).toContain(
      'a.torn_tail.cut',
    )
  })

  it('whose data has no canonical form is refused', async () => {
    const undefinedInside = { note: undefined } as unknown as JsonObject
    await expectCode(() => prepareRecord(entry('x', { data: undefinedInside }), 0), 'ERR_JSON_NOT_CANONICAL')
    await expectCode(
      () => prepareRecord(entry('x', { data: { n: Number.NaN } }), 0),
      'ERR_JSON_NOT_CANONICAL',
    )
    expect(recordLine(prepareRecord(entry('x', { data: { note: null } }), 0), 0)).toContain('{"note":null}')
  })

  it('fits into 64 KiB, counted in bytes', async () => {
    const around = recordLine(prepareRecord(entry(''), 0), 0).length - 1
    const room = maxRecordBytes - around - 16
    expect(recordLine(prepareRecord(entry('x'.repeat(room)), 0), 0).length).toBeLessThanOrEqual(
      maxRecordBytes,
    )
    await expectCode(() => prepareRecord(entry('x'.repeat(room + 1)), 0), 'ERR_AUDIT_ENTRY_TOO_LARGE')
    await expectCode(() => prepareRecord(entry('é'.repeat(room / 2 + 1)), 0), 'ERR_AUDIT_ENTRY_TOO_LARGE')
  })
})
