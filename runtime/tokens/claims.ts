/**
 * Reading a claims set that somebody else wrote: own members only, one shape each, a coded refusal for
 * anything else. Values are never repeated in a message.
 */

import type { JsonObject, JsonValue } from '../encoding/canonical-json.js'
import { isIdentifier } from '../encoding/identifier.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'

/** Longest `jti`, `execution_id` or `activation_id` accepted from others (PROTOCOL 1). */
const maxForeignIdLength = 128

function refuse(name: string, expected: string): AgenticError {
  return new AgenticError('ERR_CLAIM_INVALID', `claim "${name}" must be ${expected}`)
}

function own(claims: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}

export function hasClaim(claims: JsonObject, name: string): boolean {
  return Object.hasOwn(claims, name)
}

export function readString(claims: JsonObject, name: string): string {
  const value = own(claims, name)
  if (typeof value !== 'string' || value.length === 0) throw refuse(name, 'a non-empty string')
  return value
}

export function readOptionalString(claims: JsonObject, name: string): string | undefined {
  return hasClaim(claims, name) ? readString(claims, name) : undefined
}

/** A unique identifier that another party chose: printable, bounded. */
export function readForeignId(claims: JsonObject, name: string): string {
  const value = readString(claims, name)
  if (value.length > maxForeignIdLength || !/^[\x21-\x7e]+$/.test(value)) {
    throw refuse(name, `at most ${maxForeignIdLength} printable characters`)
  }
  return value
}

export function readIdentifier(claims: JsonObject, name: string): string {
  const value = own(claims, name)
  if (!isIdentifier(value)) throw refuse(name, 'an identifier')
  return value
}

/** NumericDate as this protocol allows it: a whole, safe, non-negative number of seconds. */
export function readTime(claims: JsonObject, name: string): number {
  return readCount(claims, name)
}

export function readCount(claims: JsonObject, name: string): number {
  const value = own(claims, name)
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw refuse(name, 'a non-negative integer')
  }
  return value
}

export function readObject(claims: JsonObject, name: string): JsonObject {
  const value = own(claims, name)
  if (!isPlainObject(value)) throw refuse(name, 'an object')
  return value
}

export function readObjects(claims: JsonObject, name: string): readonly JsonObject[] {
  const value = own(claims, name)
  if (!Array.isArray(value) || !value.every(isPlainObject)) throw refuse(name, 'an array of objects')
  return value as readonly JsonObject[]
}

/** `scope` (RFC 6749 §3.3): tokens separated by one space, each once. An empty scope is the empty string. */
export function readScope(claims: JsonObject): readonly string[] {
  const value = own(claims, 'scope')
  if (typeof value !== 'string') throw refuse('scope', 'a string')
  return parseScope(value)
}

export function parseScope(text: string): readonly string[] {
  if (text === '') return []
  const scopes = text.split(' ')
  if (
    !scopes.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)) ||
    new Set(scopes).size !== scopes.length
  ) {
    throw refuse('scope', 'scope tokens separated by one space, each once')
  }
  return scopes
}

/** Whether a scope that was read is the one that was meant: a token that holds a space would be read as two. */
export function isSameScope(read: readonly string[], meant: readonly string[]): boolean {
  return read.length === meant.length && read.every((scope, index) => scope === meant[index])
}
