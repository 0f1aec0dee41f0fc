/** Reading members of parsed JSON whose shape nobody vouches for. Own members only. */
import { AgenticError, type JsonObject, type JsonValue } from '../../runtime/index.js'

/** A member's value; undefined when there is none. */
export function member(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** A member that must be a text when it is there.
 * @param where how a message names the object
 * @throws AgenticError ERR_TOOL_FAILED */
export function textOf(object: JsonObject, key: string, where: string): string | undefined {
  const value = member(object, key)
  if (value === undefined || typeof value === 'string') return value
  throw wrongType(where, key, 'a string', value)
}

/** A member that must be an object when it is there. */
export function objectOf(object: JsonObject, key: string, where: string): JsonObject | undefined {
  const value = member(object, key)
  if (value === undefined) return undefined
  if (isObject(value)) return value
  throw wrongType(where, key, 'an object', value)
}

/** A member that must be an object of texts when it is there, as its entries. */
export function textsOf(
  object: JsonObject,
  key: string,
  where: string,
): readonly (readonly [string, string])[] {
  const value = objectOf(object, key, where)
  if (!value) return []
  return Object.entries(value).map(([name, text]) => {
    if (typeof text !== 'string') throw wrongType(`${where}, "${key}"`, name, 'a string', text)
    return [name, text] as const
  })
}

/** True for `{…}`: no array, no null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrongType(where: string, key: string, expected: string, found: JsonValue): AgenticError {
  const kind = found === null ? 'null' : Array.isArray(found) ? 'an array' : `a ${typeof found}`
  return new AgenticError('ERR_TOOL_FAILED', `${where}: "${key}" must be ${expected}, found ${kind}`)
}
