/** Arguments are made definite before anything is proven about them: parsed once, defaults applied, canonical. */
import { z } from 'zod'
import type { JsonObject } from '../encoding/canonical-json.js'
import { canonicalize } from '../encoding/canonical-json.js'
import { parseJsonObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'
import type { ToolDefinition } from '../identity/agent.js'

/** Deepest and longest arguments of one call. */
export const maxArgumentBytes = 2 * 1024 * 1024

/**
 * @returns a plain copy of the arguments as the tool's schema returns them
 * @throws AgenticError ERR_ARGUMENT_INVALID naming the places, never the values
 */
export function definiteArguments(tool: ToolDefinition, args: JsonObject): JsonObject {
  const parsed = tool.parameters.safeParse(args)
  if (!parsed.success) {
    const places = parsed.error.issues.map(
      (issue) => `"${declaredPlace(tool.parameters, issue.path)}" (${issue.code})`,
    )
    throw new AgenticError(
      'ERR_ARGUMENT_INVALID',
      `arguments of "${tool.name}" do not fit: ${places.join(', ')}`,
    )
  }
  try {
    return parseJsonObject(canonicalize(parsed.data), { maxBytes: maxArgumentBytes })
  } catch (cause) {
    throw new AgenticError('ERR_ARGUMENT_INVALID', `arguments of "${tool.name}" are not plain JSON`, {
      cause,
    })
  }
}

/** A path as far as the schema names it: the keys of a record are the caller's own words. */
function declaredPlace(schema: unknown, path: readonly PropertyKey[]): string {
  const shown: string[] = []
  let within = schema
  for (const key of path) {
    within = memberOf(within, key)
    if (within === undefined) break
    shown.push(String(key))
  }
  return shown.join('.')
}

function memberOf(schema: unknown, key: PropertyKey): unknown {
  if (schema instanceof z.ZodObject) {
    const shape: Readonly<Record<PropertyKey, unknown>> = schema.shape
    return Object.hasOwn(shape, key) ? shape[key] : undefined
  }
  if (schema instanceof z.ZodArray) return schema.element
  if (!(schema instanceof z.ZodType)) return undefined
  // Optional, with a default, nullable: the same place.
  const { innerType } = schema._zod.def as { readonly innerType?: unknown }
  return innerType === undefined ? undefined : memberOf(innerType, key)
}
