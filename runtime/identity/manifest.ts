/**
 * The manifest: what of an agent is hashed into its checksum (A-JWT §5.2, PROTOCOL 2.1). Agents defined here
 * get theirs from live-agent.ts; a manifest from outside comes in through `parseManifest`.
 */
import type { JsonObject, JsonValue } from '../encoding/canonical-json.js'
import { isIdentifier, isToolName } from '../encoding/identifier.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError, codeOf } from '../errors.js'
import { frozenJson } from './frozen-json.js'

export interface ToolManifest {
  readonly name: string
  readonly description: string
  /** JSON Schema of the arguments. */
  readonly parameters: JsonObject
  /** Digest of the modules the tool is loaded from, or, in manifests from outside, its source. */
  readonly source_code?: string
}

export interface AgentManifest {
  readonly agent_id: string
  /** As written; the checksum normalizes it. */
  readonly prompt_template: string
  readonly tools: readonly ToolManifest[]
  readonly configuration?: JsonObject
}

/** Most tools of one agent (PROTOCOL 1). */
export const maxTools = 256

/** Configuration keys that the runtime writes itself: digests of the exact prompt, the modules, the packages. */
export const reservedConfiguration = ['prompt', 'code', 'deps'] as const

const digest = /^sha256:[0-9a-f]{64}$/

/** Checks the shape of a manifest from outside. Proves nothing about who sent it.
 * Unknown keys are refused: they would not be part of the checksum.
 * @returns a deeply frozen copy, without the keys that were absent
 * @throws AgenticError ERR_MANIFEST_INVALID
 */
export function parseManifest(value: unknown): AgentManifest {
  const manifest = objectOf(value, 'manifest', ['agent_id', 'prompt_template', 'tools', 'configuration'])
  const { agent_id, prompt_template, tools, configuration } = manifest
  if (!isIdentifier(agent_id)) throw invalid('"agent_id": expected an identifier')
  if (typeof prompt_template !== 'string') throw invalid('"prompt_template": expected a string')
  if (!Array.isArray(tools) || tools.length > maxTools)
    throw invalid(`"tools": expected an array of at most ${maxTools}`)
  for (const tool of tools as readonly unknown[]) requireTool(tool)
  if (configuration !== undefined) requireConfiguration(configuration)
  const copy = copyOf(manifest)
  sortTools((copy as unknown as AgentManifest).tools) // refuses duplicates
  return copy as unknown as AgentManifest
}

/** The tools in code-point order of their names, as the checksum takes them.
 * @throws AgenticError ERR_MANIFEST_INVALID when two have one name
 */
export function sortTools(tools: readonly ToolManifest[]): readonly ToolManifest[] {
  const sorted = [...tools].sort((a, b) => compareCodePoints(a.name, b.name))
  sorted.forEach((tool, index) => {
    if (tool.name === sorted[index - 1]?.name) throw invalid('"tools": a name occurs twice')
  })
  return sorted
}

/** UTF-8 bytes sort as code points do; UTF-16 units, JavaScript's own order, do not. */
function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function requireTool(value: unknown): void {
  const tool = objectOf(value, 'tool', ['name', 'description', 'parameters', 'source_code'])
  if (!isToolName(tool.name)) throw invalid('tool "name": expected a tool name')
  if (typeof tool.description !== 'string') throw invalid('tool "description": expected a string')
  if (!isPlainObject(tool.parameters)) throw invalid('tool "parameters": expected a JSON Schema object')
  if ('source_code' in tool && typeof tool.source_code !== 'string') {
    throw invalid('tool "source_code": expected a string')
  }
}

function requireConfiguration(value: unknown): void {
  if (!isPlainObject(value)) throw invalid('"configuration": expected an object')
  for (const key of reservedConfiguration) {
    const text = Object.hasOwn(value, key) ? value[key] : undefined
    if (text !== undefined && !(typeof text === 'string' && digest.test(text))) {
      throw invalid(`configuration "${key}": expected "sha256:" and 64 hex digits`)
    }
  }
}

function objectOf(value: unknown, what: string, keys: readonly string[]): Readonly<Record<string, unknown>> {
  if (!isPlainObject(value)) throw invalid(`${what}: expected an object`)
  if (!Object.keys(value).every((key) => keys.includes(key))) throw invalid(`${what}: an unknown key`)
  // Own keys only: what a prototype holds is not printed, so it must not be read either.
  return Object.assign(Object.create(null) as Record<string, JsonValue>, value)
}

function copyOf(manifest: Readonly<Record<string, unknown>>): JsonObject {
  try {
    return frozenJson(manifest as JsonObject)
  } catch (error) {
    if (codeOf(error) !== 'ERR_JSON_NOT_CANONICAL') throw error
    throw invalid('a value without an exact JSON form', { cause: error })
  }
}

function invalid(what: string, options?: ErrorOptions): AgenticError {
  return new AgenticError('ERR_MANIFEST_INVALID', `agent manifest: ${what}`, options)
}
