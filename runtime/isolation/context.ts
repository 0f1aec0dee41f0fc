/**
 * The capability an agent's code gets for one activation: its own tools, a log line and a signal. Keys,
 * tokens, client and engine live in closures, so no property leads to them; with the activation it dies.
 */
import type { ActivationClient } from '../client/activation-client.js'
import type { JsonObject } from '../encoding/canonical-json.js'
import { AgenticError, codeOf, type ErrorCode, isAgenticError } from '../errors.js'
import type { AgentContext, ToolCallResult, ToolDefinition } from '../identity/agent.js'
import { type CloneRules, cloneFrozen } from './clone.js'

export interface ContextRequest {
  readonly run: AgentContext['run']
  readonly step: AgentContext['step']
  /** The agent's tools; no other can be named. */
  readonly tools: readonly ToolDefinition[]
  readonly client: Pick<ActivationClient, 'call' | 'end'>
  /** Ends the agent's work; the agent sees a signal of its own, which it cannot fire. */
  readonly signal: AbortSignal
  log(message: string): void
  /** Told of each call that succeeded, before the agent sees the result. */
  called(call: ToolCallResult): void
  /** Told of each call that did not. `tool` is text from the agent. The agent waits for it. */
  refused(refusal: { readonly tool: string; readonly code: ErrorCode }): Promise<void>
}

/** What the engine keeps of an open context. */
export interface OpenContext {
  readonly context: AgentContext
  /** The calls that succeeded, in the order they ended; frozen. */
  calls(): readonly ToolCallResult[]
  /** From now on every use is refused, also of calls under way. */
  end(): void
}

/** Limits on what an agent may write into the run's events. */
const maxLogLines = 1000
const maxLogLength = 2000

const plainData: CloneRules = { functions: false, keeps: () => false }

export function createContext(request: ContextRequest): OpenContext {
  const { client, signal: source } = request
  const tools = new Map(request.tools.map((tool) => [tool.name, tool]))
  const calls: ToolCallResult[] = []
  const own = new AbortController()
  const abort = () => own.abort(new AgenticError('ERR_CANCELLED', 'the step was cancelled'))
  let ended = false
  let lines = 0

  const requireOpen = (): void => {
    if (ended) throw new AgenticError('ERR_CONTEXT_ENDED', 'the activation this context belongs to has ended')
  }

  async function call(tool: ToolDefinition, args: unknown): Promise<unknown> {
    requireOpen()
    const given = copyArguments(tool.name, args)
    const result = await client.call(tool, given)
    requireOpen()
    const copied = cloneFrozen(result, plainData)
    const record = Object.freeze({ tool: tool.name, args: given, result: copied })
    calls.push(record)
    request.called(record)
    return copied
  }

  async function attempt(name: string, tool: ToolDefinition | undefined, args: unknown): Promise<unknown> {
    try {
      if (tool === undefined) {
        requireOpen()
        throw new AgenticError('ERR_TOOL_UNKNOWN', 'the agent has no tool of this name')
      }
      return await call(tool, args)
    } catch (error) {
      // Whatever became of a call that outlived its step: that it is too late is the answer.
      requireOpen()
      await request.refused({ tool: name, code: codeOf(error) ?? 'ERR_TOOL_FAILED' })
      throw withoutOrigin(error)
    }
  }

  function tool(name: string): (args: JsonObject) => Promise<unknown> {
    requireOpen()
    if (typeof name !== 'string') throw new TypeError('a tool is named by a string')
    const found = tools.get(name)
    return Object.freeze((args: JsonObject) => {
      const outcome = attempt(name, found, args)
      // An agent that does not wait for a call must not bring the process down when the call is refused.
      outcome.catch(() => undefined)
      return outcome
    })
  }

  function log(message: string): void {
    requireOpen()
    if (typeof message !== 'string') throw new TypeError('a log line is a string')
    lines += 1
    if (lines <= maxLogLines) request.log(message.slice(0, maxLogLength))
  }

  if (source.aborted) abort()
  else source.addEventListener('abort', abort, { once: true })

  const context: AgentContext = Object.freeze({
    run: Object.freeze({ ...request.run }),
    step: Object.freeze({ ...request.step }),
    tool: Object.freeze(tool),
    log: Object.freeze(log),
    signal: own.signal,
  })
  return {
    context,
    calls: () => [...calls],
    end() {
      if (ended) return
      ended = true
      source.removeEventListener('abort', abort)
      client.end()
    },
  }
}

function copyArguments(tool: string, args: unknown): JsonObject {
  try {
    if (typeof args !== 'object' || args === null || Array.isArray(args)) throw new TypeError('not an object')
    return cloneFrozen(args, plainData) as JsonObject
  } catch (cause) {
    throw new AgenticError('ERR_ARGUMENT_INVALID', `the arguments of "${tool}" must be one plain object`, {
      cause,
    })
  }
}

/** An error without its cause and origin, which may hold a request, a token or a file's path. */
function withoutOrigin(error: unknown): AgenticError {
  const made = isAgenticError(error)
    ? new AgenticError(error.code, error.message)
    : new AgenticError('ERR_TOOL_FAILED', 'the tool failed')
  made.stack = `${made.name}: ${made.message}`
  return made
}
