/**
 * The resource's side: a call is checked in the order of PROTOCOL 10, and the first reason against it
 * answers. Nothing has happened before the last line.
 */
import { nowSeconds } from '../clock.js'
import { parseToolDetails } from '../delegation/assertion.js'
import { checkArguments } from '../delegation/tools.js'
import { type VerifiedChain, verifyChain } from '../delegation/verify-chain.js'
import { canonicalize, type JsonObject } from '../encoding/canonical-json.js'
import { digestOf, equalConstantTime } from '../encoding/digest.js'
import { parseJsonObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'
import { idempotencyKey } from '../tokens/idempotency.js'
import { type VerifiedIntentToken, verifyIntentToken } from '../tokens/intent-token.js'
import type { GuardDeps, GuardedTool } from './deps.js'

/** A call as it arrived: everything still to be proven. */
export interface PresentedCall {
  readonly token: string
  /** Undefined: not carried, to be fetched by its hash. */
  readonly chain: readonly string[] | undefined
  readonly tool: GuardedTool
  readonly args: JsonObject
  /** This resource, as tokens must name it. */
  readonly audience: string
  /** Verifies and spends the proof that came with exactly this call. */
  verifyProof(token: VerifiedIntentToken): Promise<{ readonly ordinal: number }>
}

declare const authorized: unique symbol
/** Made only by `check`: the call may happen, with exactly these arguments. */
export interface AuthorizedCall {
  readonly token: VerifiedIntentToken
  readonly chain: VerifiedChain
  /** A frozen clone; the only arguments a handler sees. */
  readonly args: JsonObject
  readonly idempotencyKey: string
  readonly [authorized]: true
}

/** @throws AgenticError the first reason in the order of PROTOCOL 10 */
export async function check(call: PresentedCall, deps: GuardDeps): Promise<AuthorizedCall> {
  const token = verifyToken(call, deps) // encoding, signature, issuer, typ, times, audience
  const { ordinal } = await call.verifyProof(token) // possession of the token's key, spent
  await deps.requireStanding(token) // revocation, epoch, live activation
  const chain = await requireChain(call, token, deps) // I1–I7, the token's own chain and key
  await deps.requireStandingHops(chain) // nobody on the way was revoked
  requireStep(call.tool, token) // workflow and step allowed here
  const args = requireArguments(call, token, chain) // schema, details of token and leaf, approval
  requireScope(call.tool, token, chain) // last: 403 only for proven callers
  await spendOnce(token, deps)
  const place = { activationId: token.intent.activationId, tool: call.tool.definition.name, ordinal }
  const key = idempotencyKey({ ...place, argsDigest: digestOf(args) })
  return { token, chain, args, idempotencyKey: key } as AuthorizedCall
}

function verifyToken(call: PresentedCall, deps: GuardDeps): VerifiedIntentToken {
  return verifyIntentToken(call.token, {
    issuer: deps.issuer,
    trustedKeys: deps.trustedKeys('token'),
    audience: call.audience,
    now: nowSeconds(deps.clock),
    keyring: deps.keyring,
  })
}

async function requireChain(
  call: PresentedCall,
  token: VerifiedIntentToken,
  deps: GuardDeps,
): Promise<VerifiedChain> {
  const tokens = call.chain ?? (await deps.fetchChain(token.intent.chainHash))
  if (!tokens)
    throw new AgenticError('ERR_CHAIN_MISSING', 'the delegation chain is neither carried nor known')
  const chain = verifyChain(tokens, {
    trustedKeys: deps.trustedKeys('root'),
    issuer: deps.issuer,
    now: nowSeconds(deps.clock),
    keyring: deps.keyring,
    cache: deps.links,
  })
  if (!equalConstantTime(chain.chainHash, token.intent.chainHash)) {
    throw new AgenticError('ERR_CHAIN_HASH', '"chain_hash" of the token must name the leaf of this chain')
  }
  if (!equalConstantTime(chain.key.thumbprint, token.key.thumbprint)) {
    throw new AgenticError('ERR_CHAIN_HASH', 'token and leaf must be bound to one key')
  }
  const { leaf } = chain
  if (
    leaf.intent.executionId !== token.intent.executionId ||
    leaf.intent.intentHash !== token.intent.intentHash
  ) {
    throw new AgenticError('ERR_CHAIN_INTENT', 'token and chain must serve one run and one intent')
  }
  return chain
}

function requireStep(tool: GuardedTool, token: VerifiedIntentToken): void {
  if (!tool.only) return
  const { workflowId, workflowStep } = token.intent
  if (tool.only.workflow !== workflowId || !tool.only.steps.includes(workflowStep)) {
    throw new AgenticError('ERR_TOOL_NOT_GRANTED', `tool "${tool.definition.name}" is not open to this step`)
  }
}

/** Parsed once, strictly; what the schema returns must be what was sent. */
function requireArguments(call: PresentedCall, token: VerifiedIntentToken, chain: VerifiedChain): JsonObject {
  const { name, parameters } = call.tool.definition
  const parsed = parameters.safeParse(call.args)
  const sent = canonicalize(call.args)
  if (!parsed.success || canonicalize(parsed.data) !== sent) {
    throw new AgenticError('ERR_ARGUMENT_INVALID', `the arguments of "${name}" do not fit its schema exactly`)
  }
  checkArguments(parseToolDetails(token.authorizationDetails), name, call.args)
  checkArguments(chain.toolGrants, name, call.args)
  requireApproved(name, call.args, token)
  return deepFreeze(parseJsonObject(sent, { maxBytes: sent.length }))
}

function requireApproved(tool: string, args: JsonObject, token: VerifiedIntentToken): void {
  const { approval } = token.intent
  if (!approval) return
  if (approval.tool !== tool || !equalConstantTime(approval.argsDigest, digestOf(args))) {
    throw new AgenticError('ERR_APPROVAL_ARGUMENTS', `"${tool}" was approved with other arguments`)
  }
}

function requireScope(tool: GuardedTool, token: VerifiedIntentToken, chain: VerifiedChain): void {
  const { scope, name } = tool.definition
  if (!token.scope.includes(scope) || !chain.scope.includes(scope)) {
    throw new AgenticError('ERR_SCOPE_MISSING', `tool "${name}" needs scope "${scope}"`)
  }
}

async function spendOnce(token: VerifiedIntentToken, deps: GuardDeps): Promise<void> {
  if (token.intent.use !== 'once') return
  if ((await deps.singleUse.claim(`once:${token.jti}`, token.exp)) !== true) {
    throw new AgenticError('ERR_TOKEN_USED', 'this token was good for one call, which has been made')
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member)
    Object.freeze(value)
  }
  return value
}
