/** Arguments are made definite before anything is proven about them: parsed once, defaults applied, canonical. */
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
    const places = parsed.error.issues.map((issue) => `"${issue.path.join('.')}" (${issue.code})`)
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
