/** An agent's tools as a chat model sees them: other names, since models allow no `/`, and the hashed schemas. */
import type { AgentManifest } from '../identity/manifest.js'

/** What chat models accept as the name of a function. */
const modelName = /^[a-zA-Z0-9_-]{1,64}$/

/** One tool in the form that every chat model's `bindTools` takes. */
export interface ModelTool {
  readonly name: string
  readonly description: string
  readonly schema: Readonly<Record<string, unknown>>
}

export interface ModelTools {
  readonly tools: readonly ModelTool[]
  /** The agent's tool behind a name the model used; what it invented stays as it is. */
  toolNamed(name: string): string
}

/**
 * @throws TypeError when two tools would have one name before the model, or a name is too long for it
 */
export function toolsForModel(manifest: Pick<AgentManifest, 'tools'>): ModelTools {
  const named = new Map<string, string>()
  const tools = manifest.tools.map((tool) => {
    const name = nameForModel(tool.name)
    const other = named.get(name)
    if (other !== undefined) throw new TypeError(`a model cannot tell tool "${tool.name}" from "${other}"`)
    named.set(name, tool.name)
    const { $schema: _, ...schema } = tool.parameters
    return { name, description: tool.description, schema }
  })
  return { tools, toolNamed: (name) => named.get(name) ?? name }
}

function nameForModel(tool: string): string {
  const name = tool.replaceAll('/', '__').replaceAll(/[.:]/g, '_')
  if (!modelName.test(name)) throw new TypeError(`tool "${tool}" has no name that a model accepts`)
  return name
}

/** A name that may stand in a model's history, also when the model invented it. */
export function historyName(name: string): string {
  return modelName.test(name) ? name : 'unknown_tool'
}
