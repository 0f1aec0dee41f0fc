/**
 * Drives one step with a chat model. The model proposes tool calls; the context makes them, with the
 * authority of this activation and no other. What the model writes goes nowhere: the step's output is made
 * from the calls that really succeeded.
 */
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { type BaseMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages'
import { AgenticError, type ErrorCode, isAgenticError } from '../errors.js'
import type { AgentContext, ToolCallResult } from '../identity/agent.js'
import type { LiveAgent } from '../identity/live-agent.js'
import { type BoundModel, type CallLimits, callModel, systemTimers, type Timers } from './model-call.js'
import { type ModelRequest, readRequests } from './model-requests.js'
import { type ModelTools, toolsForModel } from './model-tools.js'

export interface ModelLimits extends CallLimits {
  /** How often the model is asked in one step. */
  readonly maxTurns: number
  /** Tool calls of one step, refused ones included. */
  readonly maxCalls: number
}

export const defaultModelLimits: ModelLimits = {
  maxTurns: 24,
  maxCalls: 64,
  callTimeoutMs: 60_000,
  maxRetries: 4,
}

/** The same call with the same arguments may be made this often. */
const maxRepeats = 3
/** Longest tool result shown to a model, in UTF-16 units. */
const maxResultLength = 32 * 1024

export interface ModelDrive {
  readonly agent: LiveAgent
  readonly model: BaseChatModel
  readonly context: AgentContext
  readonly input: unknown
  /** The calls that succeeded so far. */
  readonly calls: () => readonly ToolCallResult[]
  readonly limits?: Partial<ModelLimits>
  readonly timers?: Timers
}

/**
 * What a model may be told, to do better: everything else ends the step, above all a misused approval, a
 * stale lease or a revoked agent.
 */
const correctable: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_TOOL_UNKNOWN',
  'ERR_TOOL_NOT_GRANTED',
  'ERR_TOOL_FAILED',
  'ERR_ARGUMENT_INVALID',
  'ERR_ARGUMENT_REFUSED',
  'ERR_SCOPE_MISSING',
])

/** True for an agent that says what it asks a model and what it makes of the calls. */
export function canBeDriven({ definition }: LiveAgent): boolean {
  return definition.task !== undefined && definition.conclude !== undefined
}

/**
 * @returns the step's output
 * @throws AgenticError ERR_MODEL_LOOP, ERR_MODEL_FAILED, ERR_MODEL_OUTPUT, or the code of a refusal that no model can correct
 */
export async function driveWithModel(drive: ModelDrive): Promise<unknown> {
  const { definition } = drive.agent
  if (!definition.task || !definition.conclude) {
    throw new TypeError(`agent "${definition.id}" has no "task" and "conclude" to be driven by a model`)
  }
  const limits = { ...defaultModelLimits, ...drive.limits }
  const tools = toolsForModel(drive.agent.manifest())
  const model = bindModel(drive.model, tools)
  const messages: BaseMessage[] = [
    new SystemMessage(definition.prompt),
    new HumanMessage(definition.task(drive.input)),
  ]
  const budget = createBudget(limits.maxCalls)

  for (let turn = 0; ; turn += 1) {
    if (turn === limits.maxTurns)
      throw new AgenticError('ERR_MODEL_LOOP', `the model did not finish in ${turn} turns`)
    const answer = await callModel(
      model,
      messages,
      limits,
      drive.context.signal,
      drive.timers ?? systemTimers,
    )
    const { requests, message } = readRequests(answer)
    if (requests.length === 0) return conclude(drive, definition.conclude)
    messages.push(message)
    for (const request of requests) {
      budget.spend(request)
      messages.push(await answerRequest(request, tools, drive.context))
    }
  }
}

function bindModel(model: BaseChatModel, { tools }: ModelTools): BoundModel {
  if (tools.length === 0) return model as unknown as BoundModel
  if (typeof model.bindTools !== 'function') {
    throw new AgenticError('ERR_MODEL_UNAVAILABLE', 'this chat model cannot call tools')
  }
  return model.bindTools(tools.map((tool) => ({ ...tool }))) as unknown as BoundModel
}

/** @throws AgenticError ERR_MODEL_LOOP */
function createBudget(maxCalls: number) {
  const repeats = new Map<string, number>()
  let calls = 0
  return {
    spend({ name, args, malformed }: ModelRequest): void {
      calls += 1
      if (calls > maxCalls)
        throw new AgenticError('ERR_MODEL_LOOP', `the model made more than ${maxCalls} tool calls`)
      const place = JSON.stringify([name, args, malformed])
      const made = (repeats.get(place) ?? 0) + 1
      repeats.set(place, made)
      if (made > maxRepeats) {
        throw new AgenticError(
          'ERR_MODEL_LOOP',
          `the model repeated one tool call more than ${maxRepeats} times`,
        )
      }
    },
  }
}

async function answerRequest(
  request: ModelRequest,
  tools: ModelTools,
  context: AgentContext,
): Promise<ToolMessage> {
  try {
    if (request.malformed !== undefined)
      throw new AgenticError('ERR_ARGUMENT_INVALID', 'the arguments are not one JSON object')
    const result = await context.tool(tools.toolNamed(request.name))(request.args)
    return toolMessage(request, shorten(JSON.stringify(result ?? null)))
  } catch (error) {
    if (!isAgenticError(error) || !correctable.has(error.code)) throw error
    return toolMessage(request, JSON.stringify({ error: error.code, message: error.message }), 'error')
  }
}

function toolMessage(
  request: ModelRequest,
  content: string,
  status: 'success' | 'error' = 'success',
): ToolMessage {
  return new ToolMessage({ content, tool_call_id: request.id, name: request.historyName, status })
}

function shorten(text: string): string {
  return text.length <= maxResultLength ? text : `${text.slice(0, maxResultLength)}… [cut]`
}

function conclude(
  drive: ModelDrive,
  make: (calls: readonly ToolCallResult[], input: unknown) => unknown,
): unknown {
  try {
    return make(drive.calls(), drive.input)
  } catch (cause) {
    throw new AgenticError('ERR_MODEL_OUTPUT', 'the calls the model made do not add up to an output', {
      cause,
    })
  }
}
