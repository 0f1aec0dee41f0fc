/**
 * JSON from outside, read so that no two parsers can differ about it: no duplicate keys, no `__proto__`,
 * no lone surrogates, no numbers that lose digits, bounded size and depth. `JSON.parse` does the reading;
 * the walks after it find what `JSON.parse` lets through.
 */
import { AgenticError } from '../errors.js'
import { isExactNumber, type JsonObject, type JsonValue, maxJsonDepth } from './canonical-json.js'

export interface JsonLimits {
  /** Longest input: bytes, or UTF-16 units of a text; default 1 MiB. */
  readonly maxBytes?: number
  /** Deepest nesting, a lone scalar being 0; default 72. */
  readonly maxDepth?: number
  /** Objects without a prototype: a member that is missing reads as undefined even in a polluted realm. */
  readonly bare?: boolean
}

/** Parses JSON text (or its UTF-8 bytes) in time linear in its length.
 * @throws AgenticError ERR_JSON_INVALID; no other error for any input
 * @see PROTOCOL 2.1, RFC 8259, RFC 7493 (I-JSON)
 */
export function parseJson(text: string | Uint8Array, limits: JsonLimits = {}): JsonValue {
  // Own members only: a polluted `Object.prototype` must not loosen the limits.
  const maxBytes = own(limits, 'maxBytes') ?? 1_048_576
  const maxDepth = own(limits, 'maxDepth') ?? maxJsonDepth
  if (text.length > maxBytes) throw invalid(`expected at most ${maxBytes} bytes, found ${text.length}`)
  const source = typeof text === 'string' ? text : decodeUtf8(text)
  const value = read(source)
  // Decoded UTF-8 holds no lone surrogate; an escape can still make one, and then each string is looked at.
  if (typeof text === 'string') requirePairs(source)
  const found: Found = {
    members: 0,
    longNumbers: false,
    escapes: source.includes('\\u'),
    bare: own(limits, 'bare') === true,
  }
  walk(value, maxDepth, found)
  // JSON.parse keeps the last of two equal keys: then fewer members came out than stand in the text.
  if (countMembers(source, found.longNumbers) !== found.members)
    throw invalid('a key occurs twice in one object')
  return value
}

/** Like `parseJson`, and the value must be an object (not an array, not null). */
export function parseJsonObject(text: string | Uint8Array, limits: JsonLimits = {}): JsonObject {
  const value = parseJson(text, limits)
  if (!isPlainObject(value)) throw invalid('expected a JSON object')
  return value
}

/** True for `{…}` and null-prototype objects: no array, no null, no instance of a class. Shape only, not depth. */
export function isPlainObject(value: unknown): value is JsonObject {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }) // keeps a BOM, so that JSON.parse refuses it
// Taken once: between a signature and its claims stand these two, and a later patch must not read others out of it.
const decode = utf8.decode.bind(utf8)
const parse = JSON.parse
const loneSurrogate = /\p{Surrogate}/u
const longInteger = /(?<![\d.eE+-])-?\d{17,}(?![\d.eE])/

function own<N extends keyof JsonLimits>(limits: JsonLimits, name: N): JsonLimits[N] | undefined {
  return Object.hasOwn(limits, name) ? limits[name] : undefined
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decode(bytes)
  } catch {
    throw invalid('not UTF-8')
  }
}

function read(source: string): JsonValue {
  try {
    return parse(source) as JsonValue
  } catch {
    throw invalid('not JSON') // the engine's message quotes the input, so it is dropped
  }
}

interface Found {
  members: number
  /** A number from 1e21 on: legitimate with an exponent, but as plain digits it has lost some. */
  longNumbers: boolean
  readonly escapes: boolean
  readonly bare: boolean
}

function walk(value: JsonValue, depthLeft: number, found: Found): void {
  if (typeof value === 'string') {
    if (found.escapes) requirePairs(value)
  } else if (typeof value === 'number') {
    if (!isExactNumber(value)) throw invalid('a number that is not finite or not exact')
    if (value >= 1e21 || value <= -1e21) found.longNumbers = true
  } else if (typeof value === 'object' && value !== null) {
    if (depthLeft <= 0) throw invalid('nested too deeply')
    if (Array.isArray(value)) {
      for (const item of value as readonly JsonValue[]) walk(item, depthLeft - 1, found)
      return
    }
    const object = value as JsonObject
    if (found.bare) Object.setPrototypeOf(object, null)
    for (const key of Object.keys(object)) {
      if (key === '__proto__') throw invalid('the key "__proto__"')
      if (found.escapes) requirePairs(key)
      found.members += 1
      walk(object[key] as JsonValue, depthLeft - 1, found)
    }
  }
}

function requirePairs(text: string): void {
  if (loneSurrogate.test(text)) throw invalid('a lone surrogate')
}

/** Counts the members of all objects in a text known to be JSON: strings that a colon follows. */
function countMembers(source: string, checkNumbers: boolean): number {
  let members = 0
  let next = 0
  for (;;) {
    const open = source.indexOf('"', next)
    if (checkNumbers && longInteger.test(source.slice(next, open === -1 ? undefined : open))) {
      throw invalid('an integer has more digits than a number holds')
    }
    if (open === -1) return members
    let close = source.indexOf('"', open + 1)
    while (isEscaped(source, close)) close = source.indexOf('"', close + 1)
    next = close + 1
    while (isSpace(source.charCodeAt(next))) next += 1
    if (source.charCodeAt(next) === 0x3a) members += 1
  }
}

/** A quote is escaped when an odd number of backslashes stands before it. */
function isEscaped(source: string, quote: number): boolean {
  let first = quote
  while (source.charCodeAt(first - 1) === 0x5c) first -= 1
  return (quote - first) % 2 === 1
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09
}

function invalid(what: string): AgenticError {
  return new AgenticError('ERR_JSON_INVALID', `strict JSON: ${what}`)
}
