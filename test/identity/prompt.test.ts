import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalizePrompt } from '../../runtime/identity/prompt.js'

/** Python's `\s` for str, written out; the draft's three substitutions as it writes them. */
const space = '\\x09-\\x0d\\x1c-\\x1f\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
function reference(text: string): string {
  const strip = (line: string) =>
    line.replace(new RegExp(`^[${space}]+`), '').replace(new RegExp(`[${space}]+$`), '')
  return strip(text)
    .replaceAll('\r\n', '\n')
    .replace(new RegExp(`\\n[${space}]*\\n`, 'g'), '\n')
    .split('\n')
    .map(strip)
    .filter((line) => line.length > 0)
    .join('\n')
}

describe('normalizePrompt (A-JWT §5.3.1)', () => {
  it('is the draft’s substitutions, for any text', () => {
    const unit = fc.constantFrom(
      ...'a \t\n\r\x0b\x1c\x1f\x85\xa0\u1680\u180e\u2003\u2028\u202f\u205f\u3000\ufeff'.split(''),
      'b',
      '\r\n',
      '\n\n',
    )
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 40 }), (units) => {
        const text = units.join('')
        expect(normalizePrompt(text)).toBe(reference(text))
      }),
      { seed: 20_260_101, numRuns: 3000 },
    )
  })

  it('strips exactly the characters that Python calls white space', () => {
    const stripped: number[] = []
    for (let unit = 0; unit < 0x10000; unit++) {
      if (normalizePrompt(`${String.fromCharCode(unit)}x`) === 'x') stripped.push(unit)
    }
    const python = [
      ...[0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680],
      ...Array.from({ length: 11 }, (_, index) => 0x2000 + index),
      ...[0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
    ]
    expect(stripped).toEqual(python)
  })

  it('changes nothing when applied again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
        const once = normalizePrompt(text)
        expect(normalizePrompt(once)).toBe(once)
      }),
      { seed: 20_260_102 },
    )
  })
})
