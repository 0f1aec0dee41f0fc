/** Copies of JSON data that nobody can change afterwards: neither who passed it in, nor who reads it. */
import { canonicalCopy, type JsonValue } from '../encoding/canonical-json.js'

/** A deeply frozen copy of a value that has an exact JSON form.
 * @throws AgenticError ERR_JSON_NOT_CANONICAL for anything else (undefined, Date, NaN, a cycle, …)
 */
export function frozenJson<T extends JsonValue>(value: T): T {
  return deepFreeze(canonicalCopy(value) as T)
}

/** Freezes objects and arrays in place, all the way down. For data just made here: no cycles, no classes. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}
