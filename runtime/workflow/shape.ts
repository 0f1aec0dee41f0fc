/** The shapes that the wire form of a definition is made of: each function demands one, or fails at its place. */
import { isPlainObject } from '../encoding/strict-json.js'
import { didYouMean, type Fail, type Place, quoted } from './place.js'

/** An object read by its own members only; one that is not in `known` fails. */
export function members(
  value: unknown,
  known: readonly string[],
  place: Place,
  fail: Fail,
): Record<string, unknown> {
  const found = entries(value, place, fail)
  for (const [key] of found) {
    if (!known.includes(key))
      fail([...place, key], `no such member${didYouMean(key, known)}; known: ${known.join(', ')}`)
  }
  return Object.assign(Object.create(null), Object.fromEntries(found))
}

/** The members of an object whose names are free. */
export function entries(value: unknown, place: Place, fail: Fail): readonly [string, unknown][] {
  if (!isPlainObject(value)) return fail(place, `expected an object, found ${kindOf(value)}`)
  return Object.entries(value)
}

export function text(value: unknown, maxLength: number, place: Place, fail: Fail): string {
  if (typeof value !== 'string') return fail(place, `expected a text, found ${kindOf(value)}`)
  if (value === '' || value.length > maxLength)
    fail(place, `expected 1 to ${maxLength} characters, found ${value.length}`)
  return value
}

/** A text for which `matches` holds. */
export function word(
  value: unknown,
  matches: (text: string) => boolean,
  what: string,
  place: Place,
  fail: Fail,
): string {
  const found = text(value, 256, place, fail)
  if (!matches(found)) fail(place, `expected ${what}, found ${quoted(found)}`)
  return found
}

export function list(value: unknown, maxLength: number, place: Place, fail: Fail): readonly unknown[] {
  if (!Array.isArray(value)) return fail(place, `expected a list, found ${kindOf(value)}`)
  if (value.length > maxLength) fail(place, `expected at most ${maxLength} items, found ${value.length}`)
  return value
}

/** A set of words written as a list: none twice; sorted, since their order means nothing. */
export function wordSet(
  value: unknown,
  matches: (text: string) => boolean,
  what: string,
  place: Place,
  fail: Fail,
): readonly string[] {
  const seen = new Set<string>()
  list(value, 256, place, fail).forEach((item, index) => {
    const found = word(item, matches, what, [...place, index], fail)
    if (seen.has(found)) fail([...place, index], `${quoted(found)} is listed twice`)
    seen.add(found)
  })
  return [...seen].sort()
}

export function whole(value: unknown, min: number, max: number, place: Place, fail: Fail): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    const found = typeof value === 'number' ? String(value) : kindOf(value)
    return fail(place, `expected a whole number from ${min} to ${max}, found ${found}`)
  }
  return value
}

export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
