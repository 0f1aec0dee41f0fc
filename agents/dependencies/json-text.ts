/**
 * Where things stand in a JSON text. `JSON.parse` reads values; this finds the spans of members, so that one
 * value can be changed without touching any other byte, and the place of a mistake, which engines report
 * differently or not at all.
 */
import { AgenticError, type JsonObject, type JsonValue } from '../../runtime/index.js'

/** One member of an object: `text.slice(start, end)` is `"key": value`; offsets in UTF-16 units. */
export interface Member {
  readonly key: string
  readonly start: number
  readonly valueStart: number
  readonly end: number
}

/** Deepest nesting read; a lock file of version 1 nests a few levels per nested package. */
const maxDepth = 500

/** Parses the text of a file that must hold one JSON object. A byte order mark is skipped, as npm does.
 * @param file how messages name the file
 * @throws AgenticError ERR_TOOL_FAILED, with line and column of the first mistake
 */
export function parseJsonFile(file: string, text: string): JsonObject {
  let value: JsonValue
  try {
    value = JSON.parse(text.slice(documentStart(text))) as JsonValue
  } catch {
    throw failed(`${file} is not valid JSON${placeOfMistake(text)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw failed(`${file} must hold a JSON object`)
  }
  return value as JsonObject
}

/** The offset of the text's one value: after a byte order mark and white space. */
export function documentStart(text: string): number {
  return skipSpace(text, text.charCodeAt(0) === 0xfeff ? 1 : 0)
}

/** The members of the object that starts at `at`, in file order, duplicates included.
 * @throws AgenticError ERR_TOOL_FAILED when no well-formed object starts there */
export function membersOf(text: string, at: number): readonly Member[] {
  const members: Member[] = []
  scanObject(text, at, 1, (member) => members.push(member))
  return members
}

/** The end of the value that starts at `at`. */
export function endOfValue(text: string, at: number): number {
  return scanValue(text, at, 1)
}

function placeOfMistake(text: string): string {
  try {
    const end = skipSpace(text, scanValue(text, documentStart(text), 1))
    if (end < text.length) throw mistake(text, end)
    return ''
  } catch (error) {
    return error instanceof AgenticError ? ` ${error.message}` : ''
  }
}

function scanValue(text: string, at: number, depth: number): number {
  switch (text[at]) {
    case '{':
      return scanObject(text, at, depth)
    case '[':
      return scanArray(text, at, depth)
    case '"':
      return scanString(text, at)
    default: {
      scalar.lastIndex = at
      const found = scalar.exec(text)
      if (!found) throw mistake(text, at)
      return at + found[0].length
    }
  }
}

const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

function scanObject(text: string, open: number, depth: number, visit?: (member: Member) => void): number {
  if (text[open] !== '{' || depth > maxDepth) throw mistake(text, open)
  let at = skipSpace(text, open + 1)
  if (text[at] === '}') return at + 1
  for (;;) {
    const start = at
    const keyEnd = scanString(text, start)
    const colon = skipSpace(text, keyEnd)
    if (text[colon] !== ':') throw mistake(text, colon)
    const valueStart = skipSpace(text, colon + 1)
    const end = scanValue(text, valueStart, depth + 1)
    visit?.({ key: JSON.parse(text.slice(start, keyEnd)) as string, start, valueStart, end })
    at = skipSpace(text, end)
    if (text[at] === '}') return at + 1
    if (text[at] !== ',') throw mistake(text, at)
    at = skipSpace(text, at + 1)
  }
}

function scanArray(text: string, open: number, depth: number): number {
  if (depth > maxDepth) throw mistake(text, open)
  let at = skipSpace(text, open + 1)
  if (text[at] === ']') return at + 1
  for (;;) {
    at = skipSpace(text, scanValue(text, at, depth + 1))
    if (text[at] === ']') return at + 1
    if (text[at] !== ',') throw mistake(text, at)
    at = skipSpace(text, at + 1)
  }
}

function scanString(text: string, open: number): number {
  if (text[open] !== '"') throw mistake(text, open)
  for (let at = open + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 0x22) return at + 1
    if (unit < 0x20) throw mistake(text, at)
    if (unit !== 0x5c) continue
    escapeForm.lastIndex = at
    const found = escapeForm.exec(text)
    if (!found) throw mistake(text, at)
    at += found[0].length - 1
  }
  throw mistake(text, text.length)
}

const escapeForm = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

function skipSpace(text: string, from: number): number {
  let at = from
  for (;;) {
    const unit = text.charCodeAt(at)
    if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return at
    at += 1
  }
}

function mistake(text: string, offset: number): AgenticError {
  const before = text.slice(text.charCodeAt(0) === 0xfeff ? 1 : 0, offset)
  const line = before.split('\n').length
  return failed(`(line ${line}, column ${before.length - before.lastIndexOf('\n')})`)
}

function failed(sentence: string): AgenticError {
  return new AgenticError('ERR_TOOL_FAILED', sentence)
}
