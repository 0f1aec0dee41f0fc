/** The port behind which tools of the same process run: a guard that verifies first and runs second. */
import type { JsonObject } from '../encoding/canonical-json.js'

/** One invocation, with everything that proves it (PROTOCOL 8). */
export interface ToolInvocation {
  readonly token: string
  readonly chain: readonly string[]
  /** `pop+jwt` */
  readonly proof: string
  readonly tool: string
  readonly args: JsonObject
  /** Not proven, only handed on: the step's own input, as the runtime holds it. */
  readonly input: unknown
  readonly signal: AbortSignal
}

export interface ToolServer {
  /** The audience its tokens must name. */
  readonly audience: string
  /** @throws AgenticError the guard's reason, or ERR_TOOL_FAILED */
  invoke(invocation: ToolInvocation): Promise<unknown>
}
