/** Deriving: a delegator signs a narrower assertion to a delegatee (PROTOCOL 5.2). No server is involved. */
import { type Clock, nowSeconds } from '../clock.js'
import { newUuid } from '../encoding/uuid.js'
import { AgenticError } from '../errors.js'
import { signJws } from '../keys/jws.js'
import type { PublicKey } from '../keys/public-key.js'
import type { SigningKey } from '../keys/signing-key.js'
import { thumbprint, thumbprintUri } from '../keys/thumbprint.js'
import {
  type Assertion,
  type AssertionIntent,
  assertionToWire,
  decodeAssertion,
  maxDerivedSeconds,
  signingInputHash,
} from './assertion.js'
import { requireChild } from './narrowing.js'
import type { ToolGrants } from './tools.js'

export interface DerivationRequest {
  readonly delegatee: PublicKey
  readonly tools: ToolGrants
  readonly scope: readonly string[]
  readonly agentProof: { readonly agentChecksum: string; readonly registrationId: string }
  /** The step and activation it is for; run and intent are the parent's. */
  readonly intent: Pick<AssertionIntent, 'workflowStep' | 'activationId' | 'taskDigest'>
  /** Absolute; default and at most the parent's. */
  readonly maxDepth?: number
  /** In seconds; capped by the parent's end and by 24 hours, which is the default. */
  readonly lifetimeSeconds?: number
}

/**
 * Signs what is passed on.
 * @param parent the chain the delegator holds, root first; its last assertion must name the delegator's key
 * @returns compact `delegation+jwt`, to be appended to the chain
 * @throws AgenticError ERR_CHAIN_* when it would not narrow, ERR_TOKEN_EXPIRED when the parent has ended,
 *   ERR_CLAIM_INVALID, ERR_CONSTRAINT_INVALID, ERR_TOKEN_TOO_LARGE when no verifier would read it
 */
export function deriveAssertion(
  parent: { readonly chain: readonly string[] },
  request: DerivationRequest,
  delegatorKey: SigningKey,
  options: { readonly clock: Clock },
): string {
  const parentToken = parent.chain.at(-1)
  if (parentToken === undefined)
    throw new AgenticError('ERR_CHAIN_EMPTY', 'there is no assertion to derive from')
  const held = decodeAssertion(parentToken)
  const facts = { assertion: held, thumbprint: thumbprint(held.jwk), hash: signingInputHash(parentToken) }
  const child = childOf(held, facts.hash, request, delegatorKey, options.clock)
  requireChild(facts, child)
  const token = signJws({ typ: 'delegation+jwt' }, assertionToWire(child), delegatorKey)
  // What no verifier would read (a fraction for a depth, a constraint nobody knows, too long a token) is not passed on.
  decodeAssertion(token)
  return token
}

function childOf(
  held: Assertion,
  parentHash: string,
  request: DerivationRequest,
  delegatorKey: SigningKey,
  clock: Clock,
): Assertion {
  const iat = Math.max(nowSeconds(clock), held.iat)
  const lifetime = Math.min(request.lifetimeSeconds ?? maxDerivedSeconds, maxDerivedSeconds)
  const exp = Math.min(held.exp, iat + Math.floor(lifetime))
  if (exp <= iat)
    throw new AgenticError('ERR_TOKEN_EXPIRED', 'the delegator holds nothing that is still valid')
  return {
    jti: newUuid(clock),
    iss: thumbprintUri(delegatorKey.publicKey.thumbprint),
    iat,
    exp,
    jwk: request.delegatee.jwk,
    depth: held.depth + 1,
    maxDepth: request.maxDepth ?? held.maxDepth,
    parentHash,
    toolGrants: request.tools,
    scope: request.scope,
    agentProof: request.agentProof,
    intent: {
      executionId: held.intent.executionId,
      workflowId: held.intent.workflowId,
      intentHash: held.intent.intentHash,
      ...request.intent,
    },
  }
}
