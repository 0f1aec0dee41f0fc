/**
 * The traps of the 23 vectors, from the other side: for each, the reading that a program in another language would
 * make, and exactly which vectors it gets wrong. So a vector is there for a reason, and a reading that is changed to
 * the naive one fails. The right reading is written here a second time, by itself; it shares nothing with the runtime.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { vectors } from '../support/vectors.js'

interface Tool {
  name: string
  description: string
  parameters: object
}

interface Spec {
  agent_id: string
  prompt: string
  tools: Tool[]
  configuration?: object
}

/** One way to read PROTOCOL 2.1. */
interface Reading {
  prompt(text: string): string | undefined
  tools(tools: readonly Tool[]): readonly object[] | undefined
  configuration(configuration: object | undefined): object | null | undefined
  keys(keys: string[]): string[]
  text(text: string): string
  number(value: number): string
}

/** What Python calls white space, for a character class. */
const python = '\\t-\\r\\x1c-\\x1f \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'

/** The draft's five rules, one by one. @param space the white space, for a character class */
function normalize(text: string, space = python): string {
  return stripped(text, space)
    .replaceAll('\r\n', '\n')
    .replace(new RegExp(`\\n[${space}]*\\n`, 'g'), '\n')
    .split('\n')
    .map((line) => stripped(line, space))
    .filter((line) => line !== '')
    .join('\n')
}

function stripped(text: string, space: string): string {
  return text.replace(new RegExp(`^[${space}]+|[${space}]+$`, 'g'), '')
}

const byCodePoint = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

const right = {
  prompt: normalize,
  tools: (tools: readonly Tool[]) => [...tools].sort((a, b) => byCodePoint(a.name, b.name)),
  configuration: (configuration: object | undefined) => configuration ?? {},
  keys: (keys: string[]) => keys.sort(),
  text: (text: string) => JSON.stringify(text),
  number: String,
} satisfies Reading

function print(value: unknown, reading: Reading): string {
  if (typeof value === 'string') return reading.text(value)
  if (typeof value === 'number') return reading.number(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map((item) => print(item, reading)).join(',')}]`
  const object = value as Record<string, unknown>
  const keys = reading.keys(Object.keys(object).filter((key) => object[key] !== undefined))
  return `{${keys.map((key) => `${reading.text(key)}:${print(object[key], reading)}`).join(',')}}`
}

function checksum({ prompt, ...spec }: Spec, changes: Partial<Reading> = {}): string {
  const reading = { ...right, ...changes }
  const read = {
    agent_id: spec.agent_id,
    prompt_template: reading.prompt(prompt),
    tools: reading.tools(spec.tools),
    configuration: reading.configuration(spec.configuration),
  }
  return `sha256:${createHash('sha256').update(print(read, reading)).digest('hex')}`
}

const ascii = (text: string) =>
  JSON.stringify(text).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** A naive reading, and the numbers of the vectors (from 0, in the file's order) that it gets wrong. */
const traps: readonly [what: string, wrong: readonly number[], reading: Partial<Reading>][] = [
  // The list of tools.
  ['tools in the order they are given', [0, 1, 2, 3, 4, 21], { tools: (tools) => tools }],
  [
    'tools as a dictionary sorts them',
    [21],
    { tools: (tools) => [...tools].sort((a, b) => a.name.localeCompare(b.name)) },
  ],
  [
    'an empty list of tools left out',
    [7],
    { tools: (tools) => (tools.length > 0 ? right.tools(tools) : undefined) },
  ],
  [
    'descriptions left out',
    [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22],
    { tools: (tools) => right.tools(tools).map(({ description: _, ...tool }) => tool) },
  ],
  // White space of the prompt.
  ['the prompt as it is written', [2, 6, 13, 15, 17, 18, 22], { prompt: (text) => text }],
  ['the prompt stripped and nothing else', [2, 17, 22], { prompt: (text) => stripped(text, python) }],
  ['white space as JavaScript has it', [14, 15], { prompt: (text) => normalize(text, '\\s') }],
  [
    'white space as ASCII has it',
    [13, 15, 17, 18],
    { prompt: (text) => normalize(text, '\\t\\n\\v\\f\\r ') },
  ],
  ['the byte order mark as white space', [14], { prompt: (text) => normalize(text, `${python}\ufeff`) }],
  [
    'U+180E as white space, as in older Unicode',
    [16],
    { prompt: (text) => normalize(text, `${python}\u180e`) },
  ],
  [
    'no white space from U+001C to U+001F',
    [15],
    { prompt: (text) => normalize(text, python.replace('\\x1c-\\x1f', '')) },
  ],
  ['U+0085 not as white space', [15], { prompt: (text) => normalize(text, python.replace('\\x85', '')) }],
  [
    'the no-break space not as white space',
    [13],
    { prompt: (text) => normalize(text, python.replace('\\xa0', '')) },
  ],
  [
    'line separators not as white space',
    [18],
    { prompt: (text) => normalize(text, python.replace('\\u2028\\u2029', '')) },
  ],
  [
    'wide blanks not as white space',
    [17],
    { prompt: (text) => normalize(text, python.replace('\\u2000-\\u200a', '')) },
  ],
  ['a lone CR as the end of a line', [17], { prompt: (text) => normalize(text.replace(/\r\n?/g, '\n')) }],
  ['U+2028 as the end of a line', [18], { prompt: (text) => normalize(text.replaceAll('\u2028', '\n')) }],
  [
    'lines not stripped',
    [2, 22],
    {
      prompt: (text) =>
        stripped(text, python)
          .replaceAll('\r\n', '\n')
          .split('\n')
          .filter((line) => stripped(line, python) !== '')
          .join('\n'),
    },
  ],
  [
    'one space for any white space',
    [0, 1, 2, 3, 4, 14, 17, 18, 22],
    { prompt: (text) => normalize(text).replace(/\s+/g, ' ') },
  ],
  ['characters composed (NFC)', [10], { prompt: (text) => normalize(text.normalize('NFC')) }],
  ['characters decomposed (NFD)', [9], { prompt: (text) => normalize(text.normalize('NFD')) }],
  ['an empty prompt left out', [5, 6], { prompt: (text) => normalize(text) || undefined }],
  ['a long prompt cut', [22], { prompt: (text) => normalize(text.slice(0, 16_384)) }],
  [
    'the prompt not part of it',
    [0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22],
    { prompt: () => '' },
  ],
  // The configuration.
  ['an absent configuration left out', [8], { configuration: (configuration) => configuration }],
  ['an absent configuration as null', [8], { configuration: (configuration) => configuration ?? null }],
  // The canonical text.
  [
    'keys in the order they are written',
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22],
    { keys: (keys) => keys },
  ],
  ['keys by code point', [11], { keys: (keys) => keys.sort(byCodePoint) }],
  ['escapes for all that is not ASCII', [9, 10, 11, 14, 16, 18, 21], { text: ascii }],
  ['an escape for DEL', [12], { text: (text) => JSON.stringify(text).replaceAll('\x7f', '\\u007f') }],
  [
    'no short escapes',
    [0, 1, 2, 3, 4, 12, 17, 20, 22],
    { text: (text) => JSON.stringify(text).replaceAll('\\t', '\\u0009').replaceAll('\\n', '\\u000a') },
  ],
  ['NUL left out', [12], { text: (text) => JSON.stringify(text.replaceAll('\0', '')) }],
  ['minus zero as it is', [19], { number: (value) => (Object.is(value, -0) ? '-0' : String(value)) }],
  [
    'large numbers written out',
    [19],
    { number: (value) => (value >= 1e21 ? BigInt(value).toString() : String(value)) },
  ],
  [
    'a decimal point in every number',
    [0, 1, 2, 3, 4, 11, 19],
    { number: (value) => (Number.isInteger(value) ? value.toFixed(1) : String(value)) },
  ],
]

const file = vectors('ajwt/checksums.json')

describe.skipIf(!file)('the traps of the A-JWT vectors', () => {
  const all = file
    ? (
        JSON.parse(readFileSync(file, 'utf8')) as {
          checksums: { desc: string; spec: Spec; checksum: string }[]
        }
      ).checksums
    : []
  const wrongIn = (reading: Partial<Reading>) =>
    all.flatMap(({ spec, checksum: expected }, index) =>
      checksum(spec, reading) === expected ? [] : [index],
    )

  it('are none for the reading written here, which is the draft’s', () => {
    expect(wrongIn({})).toEqual([])
  })

  it('concern every vector', () => {
    const telling = traps.filter(([, wrong]) => wrong.length < 20)
    expect(new Set(telling.flatMap(([, wrong]) => wrong)).size).toBe(23)
  })

  it.each(traps)('%s: another checksum, there and nowhere else', (_, wrong, reading) => {
    expect(wrongIn(reading)).toEqual(wrong)
  })
})
