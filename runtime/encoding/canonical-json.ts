/**
 * Canonical JSON (JCS, RFC 8785): one text per value, so that a digest or a signature over it means the
 * value. Strict where the RFC leaves room: what has no exact JSON form is an error, never dropped or guessed.
 */
import { AgenticError } from '../errors.js'

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue
}

/** Deepest nesting that is printed, and by default read (strict-json.ts). Also what ends a cycle. A token needs 69 for
 * constraints that are nested as deep as they may be, 32 (PROTOCOL 1). */
export const maxJsonDepth = 72

/** Prints a value as RFC 8785 canonical JSON.
 * Refused: undefined, functions, symbols, bigint, NaN and Infinity, integers beyond 2^53 − 1, lone
 * surrogates, sparse arrays, accessors, hidden or symbol keys, `__proto__` as a key, objects that are not
 * plain, nesting deeper than 72 (so cycles too). `-0` prints as `0`.
 * @throws AgenticError ERR_JSON_NOT_CANONICAL
 * @see PROTOCOL 2.1
 */
export function canonicalize(value: unknown): string {
  return print(value, 1)
}

/** A plain copy that no getter and no later change of the original can reach.
 * @throws AgenticError ERR_JSON_NOT_CANONICAL */
export function canonicalCopy(value: unknown): JsonValue {
  return parse(canonicalize(value)) as JsonValue
}

/** True for numbers that every JSON parser reads as the same number.
 * An integer that prints without exponent is read as an exact integer elsewhere, so it must be exact here;
 * from 1e21 on JSON has an exponent and is read as a double everywhere (RFC 8785 §3.2.2.3).
 */
export function isExactNumber(value: number): boolean {
  if (Number.isSafeInteger(value)) return true
  if (!Number.isFinite(value)) return false
  return !Number.isInteger(value) || Math.abs(value) >= 1e21
}

function print(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return printString(value)
    case 'number':
      if (!isExactNumber(value)) throw refused('a number that is not finite or not exact')
      return String(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      if (depth > maxJsonDepth) throw refused(`nesting deeper than ${maxJsonDepth}, or a cycle`)
      return Array.isArray(value) ? printArray(value, depth) : printObject(value, depth)
    default:
      throw refused(`a value of type ${typeof value}`)
  }
}

function printArray(array: readonly unknown[], depth: number): string {
  if (Object.getPrototypeOf(array) !== Array.prototype) throw refused('an array of a class of its own')
  // `length` is the one hidden key of a dense array without extras.
  if (Reflect.ownKeys(array).length !== array.length + 1)
    throw refused('a sparse array or one with extra keys')
  let text = '['
  for (let index = 0; index < array.length; index++) {
    if (index > 0) text += ','
    text += print(ownData(array, String(index)), depth + 1)
  }
  return `${text}]`
}

function printObject(object: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype !== Object.prototype && prototype !== null) throw refused('an object that is not plain')
  const keys = Object.keys(object)
  if (Reflect.ownKeys(object).length !== keys.length) throw refused('an object with hidden or symbol keys')
  keys.sort() // by UTF-16 code units, as RFC 8785 §3.2.3 demands
  let text = '{'
  for (const key of keys) {
    if (key === '__proto__') throw refused('the key "__proto__"')
    if (text.length > 1) text += ','
    text += `${printString(key)}:${print(ownData(object, key), depth + 1)}`
  }
  return `${text}}`
}

/** The value of a data property. An accessor could answer differently at each reading, so it counts as undefined. */
function ownData(object: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value
}

const plainText = /^[ !#-[\]-~]*$/
const loneSurrogate = /\p{Surrogate}/u
// Taken once: a later patch gives no two values one text, and no text another value.
const { parse, stringify: quote } = JSON

function printString(text: string): string {
  if (plainText.test(text)) return `"${text}"`
  if (loneSurrogate.test(text)) throw refused('a lone surrogate')
  return quote(text) // escapes exactly as RFC 8785 §3.2.2.2 once surrogates are paired
}

function refused(what: string): AgenticError {
  return new AgenticError('ERR_JSON_NOT_CANONICAL', `canonical JSON cannot hold ${what}`)
}
