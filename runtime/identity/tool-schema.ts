/**
 * A tool's parameters: the zod object that checks arguments, and the JSON Schema that describes it to models
 * and is hashed into the checksum. Zod objects are live and cannot be frozen without breaking them, so the
 * JSON Schema is watched: it is made anew as soon as anything it was made from is no longer the same.
 */
import { z } from 'zod'
import { canonicalize, type JsonObject } from '../encoding/canonical-json.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { deepFreeze } from './frozen-json.js'

// Taken once: a later patch of the zod namespace or of its registry variable does not change what is read.
const { toJSONSchema, globalRegistry } = z

/** Makes the object schema closed: an argument that it does not name is refused.
 * @param what names the tool in errors
 * @returns the same object when it is closed already, else a closed copy with its checks and its description
 * @throws TypeError when it is no zod 4 object or has no JSON Schema of its own
 */
export function strictParameters(schema: z.ZodObject, what: string): z.ZodObject {
  if (!(schema instanceof z.ZodObject)) throw new TypeError(`${what}: "parameters" is no zod 4 object`)
  const closed = schema._zod.def.catchall?._zod.def.type === 'never' ? schema : strictCopy(schema)
  let json: JsonObject
  try {
    json = jsonSchemaOf(closed)
    canonicalize(json)
  } catch (error) {
    throw new TypeError(`${what}: "parameters" has no JSON Schema (a transform, a date, a custom type?)`, {
      cause: error,
    })
  }
  // Converters for another zod version return an almost empty schema, and all tools would hash alike.
  const described = isPlainObject(json.properties) ? Object.keys(json.properties) : []
  if (json.type !== 'object' || described.length !== Object.keys(closed.shape).length) {
    throw new TypeError(`${what}: the JSON Schema of "parameters" does not describe it`)
  }
  return closed
}

/** Watches a schema. The function it returns gives the current JSON Schema, deeply frozen: the same object as
 * long as the schema is the same, another one as soon as it is not.
 */
export function watchParameters(schema: z.ZodObject): () => JsonObject {
  let json = deepFreeze(jsonSchemaOf(schema))
  let unchanged = recordSchema(schema)
  return () => {
    if (unchanged()) return json
    const next = jsonSchemaOf(schema)
    unchanged = recordSchema(schema)
    if (canonicalize(next) !== canonicalize(json)) json = deepFreeze(next)
    return json
  }
}

function strictCopy(schema: z.ZodObject): z.ZodObject {
  const closed = schema.strict()
  const { id: _, ...metadata } = { ...globalRegistry.get(schema) }
  if (Object.keys(metadata).length > 0) globalRegistry.add(closed, metadata)
  return closed
}

function jsonSchemaOf(schema: z.ZodObject): JsonObject {
  return JSON.parse(JSON.stringify(toJSONSchema(schema))) as JsonObject // drops zod's hidden `~standard`
}

/** What of a schema's internals a JSON Schema is made from; what `def` holds is recorded whole. */
const internals =
  'def bag parent traits innerType optin optout pattern values toJSONSchema processJSONSchema'.split(' ')

type Members = Readonly<Record<string, unknown>>

/** Records everything that the JSON Schema was made from: all that is reachable from the schema's definition
 * through own properties, and its metadata.
 * @returns true as long as all of it is identical; never true for a schema of which identity cannot tell
 *   (a default that is an object is such a one: its accessor makes another at each reading)
 */
function recordSchema(schema: z.ZodObject): () => boolean {
  const seen = new Set<unknown>()
  const slots: { readonly object: Members; readonly key: string; readonly value: unknown }[] = []
  const sizes: { readonly object: Members; readonly size: number }[] = []
  const described: { readonly schema: z.ZodType; readonly metadata: Members | undefined }[] = []
  let watchable = true

  function visit(value: unknown): void {
    // The source of a regular expression cannot change; its lastIndex does.
    if (typeof value !== 'object' || value === null || value instanceof RegExp || seen.has(value)) return
    seen.add(value)
    if (value instanceof z.ZodType) {
      const metadata: Members | undefined = globalRegistry.get(value)
      described.push({ schema: value, metadata: globalRegistry.has(value) ? metadata : undefined })
      for (const member of Object.values(metadata ?? {})) visit(member)
    }
    if ('_zod' in value)
      record(value._zod as Members, internals) // a schema or a check
    else if (value instanceof Map) watchable = false
    else if (value instanceof Set) for (const member of value) visit(member)
    else recordPlain(value as Members)
  }

  function recordPlain(object: Members): void {
    const keys = Object.getOwnPropertyNames(object)
    if (!Array.isArray(object)) sizes.push({ object, size: countKeys(object) })
    record(object, keys)
  }

  function record(object: Members, keys: readonly string[]): void {
    for (const key of keys) {
      const value = object[key]
      // What toJSONSchema calls for a value: `.catch(…)`, and schemas with a JSON Schema of their own.
      if ((key === 'catchValue' || key === 'toJSONSchema') && value !== undefined) watchable = false
      slots.push({ object, key, value })
      visit(value)
    }
  }

  visit(schema)
  return () =>
    watchable &&
    slots.every(({ object, key, value }) => object[key] === value) &&
    sizes.every(({ object, size }) => countKeys(object) === size) &&
    described.every((entry) => sameMetadata(entry.schema, entry.metadata))
}

/** Without an array of keys: this is most of the cost of a look. */
function countKeys(object: Members): number {
  let count = 0
  for (const _ in object) count += 1
  return count
}

/** Asks for a schema's own entry only: what it inherits is another schema's, which is recorded too.
 * The registry answers with a merged copy, so members are compared. */
function sameMetadata(schema: z.ZodType, before: Members | undefined): boolean {
  if (before === undefined) return !globalRegistry.has(schema)
  const now: Members | undefined = globalRegistry.get(schema)
  if (now === undefined || countKeys(now) !== countKeys(before)) return false
  for (const key in before) if (now[key] !== before[key]) return false
  return true
}
