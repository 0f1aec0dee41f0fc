/**
 * What a program says of an agent and of its tools: prompt, tools, configuration, and the function that
 * runs a step. `freezeAgent` (live-agent.ts) turns it into the snapshot that is registered and run.
 */
import type { z } from 'zod'
import type { JsonObject } from '../encoding/canonical-json.js'
import type { CodeMode } from './registration.js'

/** Where a tool's call goes when it is an HTTP request to a guarded resource. Declared once, used by client and guard. */
export interface HttpRoute {
  /** Identifier of the resource that serves it. */
  readonly resource: string
  readonly method: 'POST' | 'PUT' | 'PATCH'
  /** Absolute path without parameters or query; the arguments travel as the JSON body. */
  readonly path: string
}

/** What a tool's own code gets beside its verified arguments. */
export interface ToolCallInfo {
  /** The step's input, a frozen clone; only for tools that run in the agent's process. */
  readonly input: unknown
  /** Stable for one activation, tool, arguments and ordinal: use it to make an effect happen once. */
  readonly idempotencyKey: string
  readonly executionId: string
  readonly activationId: string
  readonly agentId: string
  readonly signal: AbortSignal
}

export interface ToolDefinition {
  readonly name: string
  readonly description: string
  /** A zod object; its JSON Schema is part of the agent checksum. */
  readonly parameters: z.ZodObject
  /** The scope a token needs for this tool. */
  readonly scope: string
  /** Present: the call is an HTTP request to that resource. Absent: `run` is called in this process, behind the tool guard. */
  readonly http?: HttpRoute
  // biome-ignore lint/suspicious/noExplicitAny: the arguments were parsed by `parameters` before
  readonly run?: (args: any, call: ToolCallInfo) => unknown
  /** URL of the module whose graph is hashed into the tool's `source_code`. */
  readonly module?: string
}

/** All that an agent's code gets. It dies with its activation: a later use is refused. */
export interface AgentContext {
  readonly run: { readonly id: string; readonly workflow: string }
  readonly step: { readonly id: string; readonly activation: string; readonly attempt: number }
  /** One of the agent's tools, as a function of its arguments. Token and proof are made outside the agent's reach. */
  tool(name: string): (args: JsonObject) => Promise<unknown>
  /** A line for the run's events. */
  log(message: string): void
  readonly signal: AbortSignal
}

/** A tool call that succeeded in this activation, as the runtime saw it. */
export interface ToolCallResult {
  readonly tool: string
  readonly args: JsonObject
  readonly result: unknown
}

export interface AgentDefinition {
  readonly id: string
  readonly prompt: string
  readonly tools: readonly ToolDefinition[]
  /** Part of the checksum: `model_name`, `temperature`, …; the keys `prompt`, `code`, `deps` are the runtime's. */
  readonly configuration?: JsonObject
  /** The scopes its registration may be granted. */
  readonly scopes: readonly string[]
  /** URL of the module this agent is loaded from (`import.meta.url`): its graph is hashed into the checksum. */
  readonly module?: string
  /** `shallow`, the draft's default: the checksum covers the description alone, and no module is read, the tools'
   * neither. `deep`: the files behind it, too; needs `module`, which also covers the tools that name none. Default:
   * what is named is read. Kept with the registration; a switch is a mismatch. */
  readonly code?: CodeMode
  /** Runs one step without a model. */
  // biome-ignore lint/suspicious/noExplicitAny: the input's shape is the workflow's, checked by the agent
  readonly run: (context: AgentContext, input: any) => unknown
  /** Words for the model: what this input asks. Needed to be driven by a model. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly task?: (input: any) => string
  /** The step's output from the calls that really succeeded; throws when they do not suffice. Needed to be driven by a model. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly conclude?: (calls: readonly ToolCallResult[], input: any) => unknown
}
