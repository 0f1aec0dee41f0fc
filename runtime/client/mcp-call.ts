/** One tool call as the parameters of an MCP `tools/call` request: a proof over exactly these arguments, and `_meta`. */
import { type Clock, systemClock } from '../clock.js'
import { decodeAssertion } from '../delegation/assertion.js'
import { invocationMeta } from '../delegation/carrying.js'
import { canonicalCopy, type JsonObject } from '../encoding/canonical-json.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'
import type { SigningKey } from '../keys/signing-key.js'
import { createInvocationProof } from '../tokens/invocation-proof.js'

export interface McpCall {
  readonly token: string
  /** Compact tokens, root first. */
  readonly chain: readonly string[]
  /** What the token names, and the tool server calls itself. */
  readonly audience: string
  /** The tool as grants name it. */
  readonly tool: string
  /** Our name of the server, where the tool's is `<server>/<its name there>` (pinMcpTools). Absent: the server
   * knows the tool by the same name. */
  readonly server?: string
  /** With all defaults applied: the guard's schema must return just these. */
  readonly args: JsonObject
  /** Which call of its activation with this tool and these arguments it is, counted from 0. */
  readonly ordinal: number
}

/** An alias, so that it fits the open type of the SDK. */
export type McpCallParams = {
  readonly name: string
  readonly arguments: JsonObject
  readonly _meta: ReturnType<typeof invocationMeta>
}

/**
 * Good for one call, within the window of its proof. It holds token and arguments in clear and is never logged.
 * @param key the leaf's, which is also the token's
 * @param options.clock default the system's
 * @throws TypeError when the tool is not one of the server named, the arguments are no object, or the ordinal no count
 * @throws AgenticError ERR_CHAIN_EMPTY, ERR_JSON_NOT_CANONICAL, or the gate's codes for a leaf that is none
 */
export function mcpCallParams(
  call: McpCall,
  key: SigningKey,
  options: { readonly clock?: Clock } = {},
): McpCallParams {
  const { clock = systemClock } = options
  // Without a prototype: where no server is named, none that every object inherits is.
  const own: McpCall = Object.assign(Object.create(null), call)
  const { token, chain, audience, tool, ordinal } = own
  const name = nameThere(own)
  if (!Number.isSafeInteger(ordinal) || ordinal < 0) throw new TypeError('ordinal: expected a count from 0')
  if (!isPlainObject(own.args)) throw new TypeError('args: expected an object of arguments')
  // What is sent must be what is proven, though the caller still holds his arguments.
  const args = canonicalCopy(own.args) as JsonObject
  const proof = createInvocationProof(
    { leafId: leafId(chain), tool, audience, args, accessToken: token, ordinal },
    key,
    { clock },
  )
  return { name, arguments: args, _meta: invocationMeta({ token, chain, proof }) }
}

function nameThere({ tool, server }: McpCall): string {
  if (server === undefined) return tool
  if (!tool.startsWith(`${server}/`)) throw new TypeError('tool: expected a tool of the server')
  return tool.slice(server.length + 1)
}

function leafId(chain: readonly string[]): string {
  const leaf = chain.at(-1)
  if (leaf === undefined) throw new AgenticError('ERR_CHAIN_EMPTY', 'this step holds no assertion')
  return decodeAssertion(leaf).jti
}
