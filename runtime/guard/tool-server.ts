/** Tools of this process behind the guard: nothing runs before the invocation is proven. */
import type { ToolInvocation, ToolServer } from '../client/tool-server.js'
import { nowSeconds } from '../clock.js'
import { decodeAssertion } from '../delegation/assertion.js'
import { AgenticError } from '../errors.js'
import type { ToolDefinition } from '../identity/agent.js'
import { verifyInvocationProof } from '../tokens/invocation-proof.js'
import type { PresentedCall } from './check.js'
import type { GuardDeps } from './deps.js'
import { perform } from './perform.js'

/**
 * @param audience what tokens for these tools must name
 * @param tools looked up at each call, by name and by the token presented, which is not verified yet: what it
 *   leads to runs only if that very token proves good. Only tools with a `run` of their own are served
 */
export function createToolServer(
  audience: string,
  tools: (name: string, token: string) => ToolDefinition | undefined,
  deps: GuardDeps,
): ToolServer {
  return {
    audience,
    async invoke(invocation) {
      const definition = tools(invocation.tool, invocation.token)
      if (!definition?.run)
        throw new AgenticError('ERR_TOOL_UNKNOWN', `there is no tool "${invocation.tool}" here`)
      const { input, signal } = invocation
      return perform(present(invocation, definition, audience, deps), definition.run, { input, signal }, deps)
    },
  }
}

function present(
  invocation: ToolInvocation,
  definition: ToolDefinition,
  audience: string,
  deps: GuardDeps,
): PresentedCall {
  return {
    token: invocation.token,
    chain: invocation.chain,
    tool: { definition },
    args: invocation.args,
    audience,
    verifyProof: (token) =>
      verifyInvocationProof(invocation.proof, {
        // The chain is verified later; a forged leaf id only makes the proof fail earlier.
        leafId: leafIdOf(invocation.chain),
        tool: definition.name,
        audience,
        args: invocation.args,
        accessToken: invocation.token,
        key: token.key,
        now: nowSeconds(deps.clock),
        singleUse: deps.singleUse,
      }),
  }
}

function leafIdOf(chain: readonly string[]): string {
  const leaf = chain.at(-1)
  if (leaf === undefined) throw new AgenticError('ERR_CHAIN_MISSING', 'an invocation must carry its chain')
  return decodeAssertion(leaf).jti
}
