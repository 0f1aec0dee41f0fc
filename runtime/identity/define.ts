/**
 * Where an agent enters: what a program says of it is checked once, copied and frozen. What the program does
 * to its own objects afterwards has no effect. Wrong definitions are mistakes of our caller: TypeError.
 */
import type { JsonObject } from '../encoding/canonical-json.js'
import { isIdentifier, isToolName } from '../encoding/identifier.js'
import { isPlainObject } from '../encoding/strict-json.js'
import type { AgentDefinition, HttpRoute, ToolDefinition } from './agent.js'
import { frozenJson } from './frozen-json.js'
import { maxTools, reservedConfiguration } from './manifest.js'
import { isScopeToken } from './scope-token.js'
import { strictParameters } from './tool-schema.js'

const toolKeys = ['name', 'description', 'parameters', 'scope', 'http', 'run', 'module']
const agentKeys = [
  'id',
  'prompt',
  'tools',
  'configuration',
  'scopes',
  'module',
  'code',
  'run',
  'task',
  'conclude',
]
const methods = ['POST', 'PUT', 'PATCH']
/** Segments of unreserved characters: nothing that a proxy and a router could read differently. */
const absolutePath = /^(?:\/[A-Za-z0-9._~@:-]+)+$/

/** Checks a tool and returns a frozen copy whose `parameters` refuse unknown arguments.
 * Exactly one of `http` and `run` is given. The schema must have a JSON Schema (so no transforms, dates, …).
 * @throws TypeError naming what is wrong
 */
export function defineTool(definition: ToolDefinition): ToolDefinition {
  const tool = shapeOf(definition, 'tool', toolKeys)
  if (!isToolName(tool.name)) throw new TypeError('tool "name": expected a tool name (PROTOCOL 1)')
  const what = `tool "${tool.name}"`
  if (typeof tool.description !== 'string' || tool.description === '') {
    throw new TypeError(`${what}: expected a "description"`)
  }
  if (!isScopeToken(tool.scope)) throw new TypeError(`${what}: "scope" is no scope token (RFC 6749 §3.3)`)
  if ((tool.http === undefined) === (tool.run === undefined)) {
    throw new TypeError(`${what}: expected exactly one of "http" and "run"`)
  }
  if (tool.run !== undefined && typeof tool.run !== 'function')
    throw new TypeError(`${what}: "run" is no function`)
  return Object.freeze({
    name: tool.name,
    description: tool.description,
    parameters: strictParameters(tool.parameters, what),
    scope: tool.scope,
    ...(tool.http === undefined ? {} : { http: routeOf(tool.http, what) }),
    ...(tool.run === undefined ? {} : { run: tool.run }),
    ...(tool.module === undefined ? {} : { module: moduleOf(tool.module, what) }),
  })
}

/** Checks an agent and returns a deeply frozen copy (functions are kept as they are).
 * Tool names are unique, and `scopes` holds the scope of every tool.
 * @throws TypeError naming what is wrong
 */
export function defineAgent(definition: AgentDefinition): AgentDefinition {
  const agent = shapeOf(definition, 'agent', agentKeys)
  if (!isIdentifier(agent.id)) throw new TypeError('agent "id": expected an identifier (PROTOCOL 1)')
  const what = `agent "${agent.id}"`
  if (typeof agent.prompt !== 'string') throw new TypeError(`${what}: expected a "prompt"`)
  if (/\p{Surrogate}/u.test(agent.prompt)) throw new TypeError(`${what}: "prompt" holds a lone surrogate`)
  if (typeof agent.run !== 'function') throw new TypeError(`${what}: expected a function "run"`)
  for (const key of ['task', 'conclude'] as const) {
    if (agent[key] !== undefined && typeof agent[key] !== 'function') {
      throw new TypeError(`${what}: "${key}" is no function`)
    }
  }
  requireCodeMode(agent, what)
  const tools = toolsOf(agent.tools, what)
  return Object.freeze({
    id: agent.id,
    prompt: agent.prompt,
    tools,
    ...(agent.configuration === undefined
      ? {}
      : { configuration: configurationOf(agent.configuration, what) }),
    scopes: scopesOf(agent.scopes, tools, what),
    ...(agent.module === undefined ? {} : { module: moduleOf(agent.module, what) }),
    ...(agent.code === undefined ? {} : { code: agent.code }),
    run: agent.run,
    ...(agent.task === undefined ? {} : { task: agent.task }),
    ...(agent.conclude === undefined ? {} : { conclude: agent.conclude }),
  })
}

/** A misspelt key would silently not be part of the agent, so unknown keys are refused. */
function shapeOf<T extends object>(definition: T, what: string, keys: readonly string[]): T {
  if (!isPlainObject(definition)) throw new TypeError(`${what}: expected an object`)
  const unknown = Object.keys(definition).find((key) => !keys.includes(key))
  if (unknown !== undefined) throw new TypeError(`${what}: unknown key "${unknown}"`)
  return { ...definition } // read once: an accessor cannot answer the check and the copy differently
}

function requireCodeMode({ code, module }: AgentDefinition, what: string): void {
  if (code !== undefined && code !== 'shallow' && code !== 'deep') {
    throw new TypeError(`${what}: "code" is neither "shallow" nor "deep"`)
  }
  if (code === 'deep' && module === undefined)
    throw new TypeError(`${what}: "code" is "deep" without "module"`)
}

function toolsOf(tools: readonly ToolDefinition[], what: string): readonly ToolDefinition[] {
  if (!Array.isArray(tools) || tools.length > maxTools) {
    throw new TypeError(`${what}: expected "tools", an array of at most ${maxTools}`)
  }
  const defined = (tools as readonly ToolDefinition[]).map(defineTool)
  if (new Set(defined.map((tool) => tool.name)).size !== defined.length) {
    throw new TypeError(`${what}: two tools have one name`)
  }
  return Object.freeze(defined)
}

function configurationOf(configuration: JsonObject, what: string): JsonObject {
  if (!isPlainObject(configuration)) throw new TypeError(`${what}: "configuration" is no object`)
  const reserved = reservedConfiguration.find((key) => Object.hasOwn(configuration, key))
  if (reserved !== undefined) throw new TypeError(`${what}: configuration key "${reserved}" is the runtime's`)
  try {
    return frozenJson(configuration)
  } catch (error) {
    throw new TypeError(`${what}: "configuration" has no exact JSON form`, { cause: error })
  }
}

function scopesOf(
  scopes: readonly string[],
  tools: readonly ToolDefinition[],
  what: string,
): readonly string[] {
  if (!Array.isArray(scopes) || !scopes.every(isScopeToken) || new Set(scopes).size !== scopes.length) {
    throw new TypeError(`${what}: expected "scopes", scope tokens, each once`)
  }
  const uncovered = tools.find((tool) => !scopes.includes(tool.scope))
  if (uncovered !== undefined)
    throw new TypeError(`${what}: "scopes" lacks the scope of tool "${uncovered.name}"`)
  return Object.freeze([...scopes])
}

function routeOf(route: HttpRoute, what: string): HttpRoute {
  const { resource, method, path } = shapeOf(route, `${what} "http"`, ['resource', 'method', 'path'])
  if (!isIdentifier(resource)) throw new TypeError(`${what}: "http.resource" is no identifier`)
  if (!methods.includes(method))
    throw new TypeError(`${what}: "http.method" is none of ${methods.join(', ')}`)
  if (typeof path !== 'string' || !absolutePath.test(path) || /\/\.{1,2}(?:\/|$)/.test(path)) {
    throw new TypeError(`${what}: "http.path" is no plain absolute path`)
  }
  return Object.freeze({ resource, method, path })
}

function moduleOf(module: string, what: string): string {
  if (typeof module !== 'string' || !URL.canParse(module) || new URL(module).protocol !== 'file:') {
    throw new TypeError(`${what}: "module" is no file: URL (pass import.meta.url)`)
  }
  return module
}
