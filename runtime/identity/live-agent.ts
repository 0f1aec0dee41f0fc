/**
 * The agent that runs: the snapshot that is registered and the snapshot whose checksum is recomputed before
 * every activation are one and the same (PROTOCOL 2.2). Prompt, texts and configuration are frozen copies;
 * what cannot be frozen, schemas and files, is looked at again on every call.
 */
import type { JsonObject } from '../encoding/canonical-json.js'
import { digestOf, sha256Hex } from '../encoding/digest.js'
import type { AgentDefinition, ToolDefinition } from './agent.js'
import { agentChecksum, componentDigests } from './checksum.js'
import { type CodeCache, createCodeCache } from './code-cache.js'
import { type CodeDigest, codeDigest } from './code-digest.js'
import { defineAgent } from './define.js'
import type { AgentManifest } from './manifest.js'
import type { ComponentDigests } from './registration.js'
import { watchParameters } from './tool-schema.js'

export interface LiveAgent {
  /** The frozen snapshot. Run this, not what was passed to `freezeAgent`. */
  readonly definition: AgentDefinition
  /** What the agent is now; deeply frozen.
   * @throws AgenticError ERR_CODE_UNRESOLVED when its modules no longer resolve */
  manifest(): AgentManifest
  /** The checksum of what the agent is now: `sha256:` and 64 hex digits.
   * @throws as `manifest` */
  checksum(): string
  /** Digests of what the agent is now, by component.
   * @throws as `manifest` */
  components(): ComponentDigests
}

/** Takes the snapshot of an agent and reads the modules it and its tools are loaded from.
 * Costs the first walk of those module graphs; share a `cache` among the agents of a process.
 * @throws TypeError for a wrong definition
 * @throws AgenticError ERR_CODE_UNRESOLVED
 */
export async function freezeAgent(
  definition: AgentDefinition,
  options: { cache?: CodeCache } = {},
): Promise<LiveAgent> {
  const agent = defineAgent(definition)
  const cache = options.cache ?? createCodeCache()
  const modules = new Map<string, CodeDigest>()
  for (const { module } of agent.code === 'shallow' ? [] : [agent, ...agent.tools]) {
    if (module !== undefined && !modules.has(module)) modules.set(module, await codeDigest(module, { cache }))
  }
  const parameters = agent.tools.map((tool) => watchParameters(tool.parameters))
  const prompt = `sha256:${sha256Hex(agent.prompt)}`
  let last: Snapshot | undefined

  function current(): Snapshot {
    const code = new Map([...modules].map(([module, graph]) => [module, recheck(graph)]))
    const schemas = parameters.map((read) => read())
    // All the rest is frozen: with equal files and the same schemas, the manifest is the same.
    const inputs = [...code.values(), ...schemas]
    if (last === undefined || inputs.some((input, index) => input !== last?.inputs[index])) {
      const manifest = buildManifest(agent, prompt, code, schemas)
      last = { inputs, manifest, checksum: agentChecksum(manifest), components: componentDigests(manifest) }
    }
    return last
  }

  current()
  return Object.freeze({
    definition: agent,
    manifest: () => current().manifest,
    checksum: () => current().checksum,
    components: () => current().components,
  })
}

interface Snapshot {
  readonly inputs: readonly unknown[]
  readonly manifest: AgentManifest
  readonly checksum: string
  readonly components: ComponentDigests
}

/** Digest of the modules and digest of the packages, in one text. */
function recheck(graph: CodeDigest): string {
  return `${graph.recheck()} ${graph.deps}`
}

function buildManifest(
  agent: AgentDefinition,
  prompt: string,
  code: ReadonlyMap<string, string>,
  schemas: readonly JsonObject[],
): AgentManifest {
  const [modules, packages] = digestsOf(agent.module, code)
  const configuration = Object.freeze({
    ...agent.configuration,
    prompt,
    ...(modules === undefined ? {} : { code: modules }),
    ...(packages === undefined ? {} : { deps: packages }),
  })
  const tools = agent.tools.map((tool, index) =>
    Object.freeze({
      name: tool.name,
      description: tool.description,
      parameters: schemas[index] ?? {},
      ...sourceOf(tool, code),
    }),
  )
  return Object.freeze({
    agent_id: agent.id,
    prompt_template: agent.prompt,
    tools: Object.freeze(tools),
    configuration,
  })
}

/** A tool's code is its modules and the packages they use; `source_code` holds one digest over both. */
function sourceOf(tool: ToolDefinition, code: ReadonlyMap<string, string>): { source_code?: string } {
  const [modules, packages] = digestsOf(tool.module, code)
  return modules === undefined || packages === undefined
    ? {}
    : { source_code: digestOf({ code: modules, deps: packages }) }
}

/** @returns the digests of modules and packages; nothing where no code is hashed */
function digestsOf(
  module: string | undefined,
  code: ReadonlyMap<string, string>,
): readonly (string | undefined)[] {
  return module === undefined ? [] : (code.get(module)?.split(' ') ?? [])
}
