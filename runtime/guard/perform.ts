/**
 * A checked call is performed, and every outcome is recorded: what allows an effect before the effect,
 * a refusal before its answer.
 */
import { canonicalCopy, type JsonValue } from '../encoding/canonical-json.js'
import { AgenticError, codeOf, isAgenticError } from '../errors.js'
import type { ToolCallInfo } from '../identity/agent.js'
import { type AuthorizedCall, check, type PresentedCall } from './check.js'
import type { GuardDeps } from './deps.js'

/** The tool's own code. It may throw an AgenticError ERR_TOOL_FAILED whose text is meant for people. */
// biome-ignore lint/suspicious/noExplicitAny: the arguments were checked against the tool's schema
export type ToolHandler = (args: any, call: ToolCallInfo) => unknown

/**
 * Checks, records, runs.
 * @returns the handler's result as plain JSON
 * @throws AgenticError the guard's reason, or ERR_TOOL_FAILED
 */
export async function perform(
  call: PresentedCall,
  handler: ToolHandler,
  info: Pick<ToolCallInfo, 'input' | 'signal'>,
  deps: GuardDeps,
): Promise<JsonValue> {
  const allowed = await checkAndRecord(call, deps)
  return run(call, allowed, handler, info)
}

async function checkAndRecord(call: PresentedCall, deps: GuardDeps): Promise<AuthorizedCall> {
  let allowed: AuthorizedCall
  try {
    allowed = await check(call, deps)
  } catch (error) {
    await recordRefusal(call, error, deps)
    throw error
  }
  const { intent } = allowed.token
  await deps.journal.record({
    type: 'call.allowed',
    actor: `agent:${allowed.token.sub}`,
    executionId: intent.executionId,
    activationId: intent.activationId,
    subjects: { jti: allowed.token.jti, chain_hash: allowed.chain.chainHash },
    data: {
      audience: call.audience,
      tool: call.tool.definition.name,
      args: await deps.journal.digest(intent.executionId, allowed.args),
    },
  })
  return allowed
}

/** Nothing of a refused call is believed: the record says where it came in and why it went no further. */
export async function recordRefusal(
  call: { readonly audience: string; readonly tool?: PresentedCall['tool'] },
  error: unknown,
  deps: Pick<GuardDeps, 'journal'>,
): Promise<void> {
  await deps.journal.record({
    type: 'call.refused',
    actor: 'guard',
    data: {
      audience: call.audience,
      ...(call.tool && { tool: call.tool.definition.name }),
      code: codeOf(error) ?? 'server_error',
    },
  })
}

async function run(
  call: PresentedCall,
  allowed: AuthorizedCall,
  handler: ToolHandler,
  info: Pick<ToolCallInfo, 'input' | 'signal'>,
): Promise<JsonValue> {
  const { name } = call.tool.definition
  let result: unknown
  try {
    result = await handler(allowed.args, {
      ...info,
      idempotencyKey: allowed.idempotencyKey,
      executionId: allowed.token.intent.executionId,
      activationId: allowed.token.intent.activationId,
      agentId: allowed.token.sub,
    })
  } catch (error) {
    if (isAgenticError(error) && error.code === 'ERR_TOOL_FAILED') throw error
    // Foreign errors may quote what they worked on; only their place is told.
    throw new AgenticError('ERR_TOOL_FAILED', `tool "${name}" failed`, { cause: error })
  }
  return plainResult(name, result)
}

function plainResult(tool: string, result: unknown): JsonValue {
  try {
    return canonicalCopy(result ?? null)
  } catch (cause) {
    throw new AgenticError('ERR_TOOL_FAILED', `the result of "${tool}" is not plain JSON`, { cause })
  }
}
