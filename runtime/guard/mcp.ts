/**
 * Guarded tools over MCP: the parameters of a `tools/call` request become an invocation, and its outcome the result
 * of the call. The shapes are MCP's and fit its SDK, which is not needed here; transport and `tools/list` are for the
 * server around it.
 */
import type { ToolInvocation, ToolServer } from '../client/tool-server.js'
import { parseInvocationMeta } from '../delegation/carrying.js'
import { isIdentifier } from '../encoding/identifier.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError, codeOf, isAgenticError, oauthAnswer, oauthAnswers } from '../errors.js'
import type { GuardDeps } from './deps.js'
import { recordRefusal } from './perform.js'

/** The parameters of `tools/call`, as they arrived. */
export interface McpToolCall {
  readonly name: string
  readonly arguments?: Readonly<Record<string, unknown>> | undefined
  readonly _meta?: Readonly<Record<string, unknown>> | undefined
  readonly task?: unknown
}

/** A `CallToolResult`. An alias and writable, so that it fits the open type of the SDK. */
export type McpToolResult = {
  content: { type: 'text'; text: string }[]
  structuredContent?: Record<string, unknown>
  isError?: boolean
  _meta?: Record<string, unknown>
}

export interface McpNames {
  /** Our name of this server, in whose name its tools are granted: MCP's `read` is then our `<server>/read`, as
   * where a client pins them. Absent: tools have the same name here and in grants. */
  readonly server?: string
}

/**
 * @returns a handler of `tools/call`. It never throws: a refusal is a result with `isError`, our words for people, and
 *   in `_meta` our code (`ajwt/code`) and OAuth's word (`ajwt/error`; none when no credentials came). What broke
 *   without a reason of ours has neither code nor words. A tool server does not say which it was reading, so a proof
 *   that is none has the word for tokens
 * @throws TypeError when the server's name is no identifier
 * @see PROTOCOL 8, 10; MCP 2025-11-25, server/tools
 */
export function createMcpHandler(
  toolServer: ToolServer,
  names: McpNames,
  deps: Pick<GuardDeps, 'journal'>,
): (call: McpToolCall, request: { readonly signal: AbortSignal }) => Promise<McpToolResult> {
  const { server } = names
  if (server !== undefined && !isIdentifier(server)) {
    throw new TypeError('server: expected an identifier (PROTOCOL 1)')
  }
  const prefix = server === undefined ? '' : `${server}/`
  return async (call, request) => {
    try {
      return resultOf(await invoke(call, prefix, request.signal, toolServer, deps))
    } catch (error) {
      return refusalOf(error)
    }
  }
}

/** Reads the call and has it made, without a pause between: the caller may still hold what he sent. A refusal on the
 * way is recorded like those of the tool server. */
async function invoke(
  call: McpToolCall,
  prefix: string,
  signal: AbortSignal,
  toolServer: ToolServer,
  deps: Pick<GuardDeps, 'journal'>,
): Promise<unknown> {
  let presented: Presented
  try {
    presented = read(call, prefix)
  } catch (error) {
    // Without credentials nobody has claimed anything: that is no record, as at a resource.
    if (codeOf(error) !== 'ERR_CREDENTIALS_MISSING') {
      await recordRefusal({ audience: toolServer.audience }, error, deps)
    }
    throw error
  }
  return toolServer.invoke({ ...presented, input: undefined, signal })
}

type Presented = Omit<ToolInvocation, 'input' | 'signal'>

function read(call: McpToolCall, prefix: string): Presented {
  const member = (name: keyof McpToolCall): unknown => (Object.hasOwn(call, name) ? call[name] : undefined)
  const credentials = parseInvocationMeta(member('_meta'))
  // The answer to a task is another one than this handler gives, and would come too late for the effect.
  if (member('task') !== undefined) {
    throw new AgenticError('ERR_REQUEST_INVALID', 'a guarded tool cannot be called as a task')
  }
  const name = member('name')
  if (typeof name !== 'string') throw new AgenticError('ERR_REQUEST_INVALID', '"name" must be text')
  const given = member('arguments')
  const args = given === undefined ? {} : given
  if (!isPlainObject(args)) throw new AgenticError('ERR_REQUEST_INVALID', '"arguments" must be an object')
  return { ...credentials, tool: `${prefix}${name}`, args }
}

/** Text is told as it is, anything else as JSON; an object also as what it is. */
function resultOf(result: unknown): McpToolResult {
  const text = typeof result === 'string' ? result : JSON.stringify(result ?? null)
  return {
    content: [{ type: 'text', text }],
    ...(isPlainObject(result) && { structuredContent: { ...result } }),
  }
}

/** Never a cause, nor the words of what is not ours. Not in `structuredContent`, which is held against the schema of a
 * tool's output even where the call failed. */
function refusalOf(error: unknown): McpToolResult {
  const code = codeOf(error)
  // At this face a tool is what a route is to a resource: not to be there is no fault of the server.
  const row = code === 'ERR_TOOL_UNKNOWN' ? oauthAnswers.ERR_ROUTE_UNKNOWN : oauthAnswer(error, 'token')
  const [word, status] = row.resource
  const text = isAgenticError(error) && status !== 500 ? error.message : 'the tool server could not answer'
  return {
    content: [{ type: 'text', text }],
    isError: true,
    _meta: { ...(word !== '' && { 'ajwt/error': word }), ...(code && { 'ajwt/code': code }) },
  }
}
