/** Tools of this process behind the guard: nothing runs before the invocation is proven. */
import type { ToolInvocation, ToolServer } from '../client/tool-server.js'
import { nowSeconds } from '../clock.js'
import { decodeAssertion } from '../delegation/assertion.js'
import { canonicalCopy, type JsonObject } from '../encoding/canonical-json.js'
import { AgenticError } from '../errors.js'
import type { ToolDefinition } from '../identity/agent.js'
import { verifyInvocationProof } from '../tokens/invocation-proof.js'
import type { PresentedCall } from './check.js'
import type { GuardDeps } from './deps.js'
import { perform, recordRefusal } from './perform.js'

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
    async invoke(asked) {
      const invocation = { ...asked } // each member read once
      const { input, signal } = invocation
      const { call, run } = await presented(invocation, audience, tools, deps)
      return perform(call, run, { input, signal }, deps)
    },
  }
}

/** What an invocation asks for; a refusal on the way is recorded like any other. */
async function presented(
  invocation: ToolInvocation,
  audience: string,
  tools: (name: string, token: string) => ToolDefinition | undefined,
  deps: GuardDeps,
) {
  try {
    const definition = tools(invocation.tool, invocation.token)
    if (!definition?.run) throw new AgenticError('ERR_TOOL_UNKNOWN', 'there is no such tool here')
    return { call: present(invocation, definition, audience, deps), run: definition.run }
  } catch (error) {
    await recordRefusal({ audience }, error, deps)
    throw error
  }
}

function present(
  invocation: ToolInvocation,
  definition: ToolDefinition,
  audience: string,
  deps: GuardDeps,
): PresentedCall {
  // Copied before anything is checked: the caller still holds these, and the checks wait for one another.
  const args = canonicalCopy(invocation.args) as JsonObject
  const chain = [...invocation.chain]
  const { token: accessToken, proof } = invocation
  return {
    token: accessToken,
    chain,
    tool: { definition },
    args,
    audience,
    verifyProof: (token) =>
      verifyInvocationProof(proof, {
        // The chain is verified later; a forged leaf id only makes the proof fail earlier.
        leafId: leafIdOf(chain),
        tool: definition.name,
        audience,
        args,
        accessToken,
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
