/**
 * The auditor reads a log with none of the code that wrote it: Node's built-ins and what stands in this folder.
 * This file says what one line is: a record, a checkpoint, or neither.
 */

/** A record as the auditor found it: canonical, with exactly the fields that records have. */
export interface AuditedRecord {
  readonly v: 1
  readonly seq: number
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly type: string
  readonly actor: string
  readonly execution_id?: string
  readonly activation_id?: string
  readonly subjects?: Readonly<Record<string, string>>
  readonly data: Readonly<Record<string, unknown>>
}

export type AuditedLine =
  | { readonly kind: 'record'; readonly record: AuditedRecord }
  | { readonly kind: 'checkpoint'; readonly note: string }
  | { readonly kind: 'unreadable'; readonly reason: string }

const maxLineBytes = 65_536
const maxDepth = 66

const required = ['actor', 'data', 'seq', 'time', 'type', 'v']
const optional = ['activation_id', 'execution_id', 'subjects']

/** Cuts a segment into lines, without their newlines; the last may have none, and then is not `whole`. */
export function* cutLines(segment: Uint8Array): Generator<{ bytes: Uint8Array; whole: boolean }> {
  for (let start = 0; start < segment.length; ) {
    const newline = segment.indexOf(0x0a, start)
    const end = newline < 0 ? segment.length : newline
    yield { bytes: segment.subarray(start, end), whole: newline >= 0 }
    start = end + 1
  }
}

/** Reads one line; never throws.
 * @param bytes without the newline */
export function readLine(bytes: Uint8Array): AuditedLine {
  if (bytes.length > maxLineBytes) return unreadable('a line is longer than 64 KiB')
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch {
    return unreadable('a line is not JSON in UTF-8')
  }
  if (printSorted(value, 0) !== text) return unreadable('a line is not in canonical form')
  if (typeof value === 'string') return { kind: 'checkpoint', note: value }
  if (!isRecord(value)) return unreadable('a line is neither a record nor a checkpoint')
  return { kind: 'record', record: value }
}

/** The one spelling of a value; undefined for what has none. A line that says the same key twice, spells a
 * number or an escape another way, or orders its keys otherwise is not its own spelling. */
function printSorted(value: unknown, depth: number): string | undefined {
  if (depth > maxDepth) return undefined
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined
  if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) return undefined
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const parts: string[] = []
  if (Array.isArray(value)) {
    for (const item of value) {
      const part = printSorted(item, depth + 1)
      if (part === undefined) return undefined
      parts.push(part)
    }
    return `[${parts.join(',')}]`
  }
  for (const [key, item] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = printSorted(key, depth + 1)
    const part = printSorted(item, depth + 1)
    if (name === undefined || part === undefined) return undefined
    parts.push(`${name}:${part}`)
  }
  return `{${parts.join(',')}}`
}

function isRecord(value: unknown): value is AuditedRecord {
  if (!isObject(value)) return false
  const keys = Object.keys(value)
  return (
    required.every((key) => Object.hasOwn(value, key)) &&
    keys.every((key) => required.includes(key) || optional.includes(key)) &&
    value.v === 1 &&
    isCount(value.seq) &&
    isCount(value.time) &&
    typeof value.type === 'string' &&
    /^[a-z]+(\.[a-z_]+)+$/.test(value.type) &&
    ['actor', 'activation_id', 'execution_id'].every((key) => isTextOrAbsent(value[key])) &&
    isObject(value.data) &&
    (value.subjects === undefined ||
      (isObject(value.subjects) && Object.values(value.subjects).every(isTextOrAbsent)))
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && value !== '')
}

function unreadable(reason: string): AuditedLine {
  return { kind: 'unreadable', reason }
}
