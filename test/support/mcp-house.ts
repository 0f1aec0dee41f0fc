/** A guarded tool behind the MCP SDK's own server, and its client before it; what travels between them is JSON. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  CallToolRequestSchema,
  type CallToolResult,
  CallToolResultSchema,
  type JSONRPCMessage,
  ListToolsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'
import { type McpCall, type McpCallParams, mcpCallParams } from '../../runtime/client/mcp-call.js'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import type { GuardDeps } from '../../runtime/guard/deps.js'
import { createMcpHandler, type McpNames, type McpToolCall } from '../../runtime/guard/mcp.js'
import { createToolServer } from '../../runtime/guard/tool-server.js'
import type { ToolCallInfo, ToolDefinition } from '../../runtime/identity/agent.js'
import { recordsOf } from './authority-house.js'
import { fixedKey } from './fixed-keys.js'
import { type Counter, counter, guardOf } from './guard-house.js'
import { audience } from './intent-claims.js'
import { shippingTools } from './shipping.js'

export interface McpHouseOptions {
  readonly step?: string
  readonly tool?: string
  readonly args?: JsonObject
  readonly names?: McpNames
  readonly guard?: (counter: Counter) => Partial<GuardDeps>
  /** What the tool does once it runs. */
  readonly run?: (args: JsonObject, info: ToolCallInfo) => unknown
}

export interface Ran {
  readonly args: JsonObject
  readonly info: ToolCallInfo
}

export type McpHouse = Awaited<ReturnType<typeof mcpHouse>>

/** One step with a token for one tool, served over MCP as `read` for `stock/read`. */
export async function mcpHouse(options: McpHouseOptions = {}) {
  const { step = 'look', tool = 'stock/read', args = { item: 'apples' } } = options
  const { names = { server: 'stock' } } = options
  const setting = await counter(step, tool, args)
  const { house, activation, token } = setting
  const guard = guardOf(house, options.guard?.(setting))
  const ran: Ran[] = []
  const local = (name: string): ToolDefinition => {
    const { http: _, ...definition } = shippingTools[name] as ToolDefinition
    const run = (given: JsonObject, info: ToolCallInfo) => {
      ran.push({ args: given, info })
      return options.run ? options.run(given, info) : { done: true }
    }
    return { ...definition, run }
  }
  const tools = new Map(Object.keys(shippingTools).map((name) => [name, local(name)]))
  const toolServer = createToolServer(audience, (name) => tools.get(name), guard)
  const handler = createMcpHandler(toolServer, names, guard)
  const key = fixedKey(activation.agentId ?? '')

  /** The parameters of a call, right in everything but what is changed before the proof is made. */
  function params(changes: Partial<McpCall> = {}): McpCallParams {
    const whole = { token, chain: activation.chain, audience, tool, args, ordinal: 0, ...names, ...changes }
    return mcpCallParams(whole, key, house)
  }

  /** A server of the SDK around the handler, which lists its tools as well. */
  function sdkServer(): Server {
    const server = new Server({ name: 'stock', version: '1.0.0' }, { capabilities: { tools: {} } })
    server.setRequestHandler(CallToolRequestSchema, ({ params }, request) => handler(params, request))
    server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [...tools.values()].map(listed) }))
    return server
  }

  return { ...setting, guard, ran, handler, toolServer, params, sdkServer, records: () => recordsOf(house) }
}

function listed({ name, description, parameters }: ToolDefinition) {
  const { properties, required } = z.toJSONSchema(parameters) as { properties: object; required: string[] }
  const inputSchema = { type: 'object' as const, properties: properties as Record<string, object>, required }
  return { name: name.slice('stock/'.length), description, inputSchema }
}

/** Joins client and server in memory, as text in between. */
export async function connected({ sdkServer }: Pick<McpHouse, 'sdkServer'>) {
  const client = new Client({ name: 'agent', version: '1.0.0' })
  const [near, far] = InMemoryTransport.createLinkedPair()
  const server = sdkServer()
  await Promise.all([server.connect(asText(far)), client.connect(asText(near))])
  return { client, server, call: (call: McpToolCall) => callOver(client, call) }
}

/** `tools/call` with parameters that the SDK's types would not let through. */
export function callOver(client: Client, call: McpToolCall): Promise<CallToolResult> {
  const params = call as unknown as McpCallParams
  return client.request({ method: 'tools/call', params }, CallToolResultSchema)
}

function asText(transport: InMemoryTransport): Transport {
  const send = transport.send.bind(transport)
  transport.send = (message, options) => send(JSON.parse(JSON.stringify(message)) as JSONRPCMessage, options)
  return transport as Transport
}
