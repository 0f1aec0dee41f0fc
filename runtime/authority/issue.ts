/**
 * The token endpoint's decision: an intent token for a live activation, or the first reason against it
 * (PROTOCOL 9). What it reads and writes about the activation is one transaction.
 */

import type { IssuedToken, TokenRequest } from '../client/issuer.js'
import { nowSeconds } from '../clock.js'
import { toolDetails } from '../delegation/assertion.js'
import { type VerifiedChain, verifyChain } from '../delegation/verify-chain.js'
import { equalConstantTime } from '../encoding/digest.js'
import { AgenticError } from '../errors.js'
import { requireLive } from '../execution/activation.js'
import { consumeApproval } from '../execution/approval.js'
import type { ActivationRow, ApprovalRow } from '../execution/records.js'
import type { Decision, ExecutionChange, ExecutionSnapshot } from '../execution/store.js'
import { sequenceHash } from '../identity/checksum.js'
import { requireMintingClient } from '../identity/owner.js'
import type { Registration } from '../identity/registration.js'
import { countingKeys } from '../identity/registration-keys.js'
import type { PublicKey } from '../keys/public-key.js'
import { verifyDpopProof } from '../tokens/dpop-proof.js'
import { defaultIntentTokenSeconds, mintIntentToken } from '../tokens/intent-token.js'
import type { AgentStep, Workflow } from '../workflow/definition.js'
import type { AuthorityDeps } from './deps.js'
import {
  agentStep,
  gatedTools,
  isOpenedByGate,
  loadPinned,
  type PinnedRegistrations,
  requirePinned,
  requirePinnedWorkflow,
  requireWorkflowHops,
} from './hops.js'

/** A minted token with what the audit record says of it. */
export interface Minted {
  readonly issued: IssuedToken
  readonly jti: string
  readonly hops: number
  readonly approvalId?: string
}

/** @throws AgenticError in the order of PROTOCOL 9 */
export async function issueToken(
  request: TokenRequest,
  workflow: Workflow,
  deps: AuthorityDeps,
): Promise<Minted> {
  const { execution } = await deps.executions.snapshot(request.executionId, [])
  const pinned = await loadPinned(execution, deps.registrations)
  const known = pinned.get(request.agentId)
  if (known) requireMintingClient(known, deps.clientId) // step 3
  const registration = requirePinned(pinned, request.agentId, nowSeconds(deps.clock)) // step 4
  requireChecksum(request, registration) // step 5
  const proven = await requireProof(request, registration, deps) // step 6
  const steps = workflow.steps.map((step) => step.id)
  return deps.executions.decide(request.executionId, steps, (snapshot) =>
    mint({ request, workflow, pinned, registration, proven, snapshot, deps }),
  )
}

function requireChecksum(request: TokenRequest, registration: Registration): void {
  if (!equalConstantTime(request.computedChecksum, registration.agentChecksum)) {
    throw new AgenticError(
      'ERR_AGENT_CHECKSUM_MISMATCH',
      `agent "${registration.agentId}" is not what is registered under that name`,
    )
  }
}

async function requireProof(
  request: TokenRequest,
  registration: Registration,
  deps: AuthorityDeps,
): Promise<PublicKey> {
  const now = nowSeconds(deps.clock)
  const proof = await verifyDpopProof(request.proof, {
    method: 'POST',
    url: `${deps.issuer}/token`,
    now,
    keyring: deps.keyring,
    singleUse: deps.singleUse,
  })
  const keys = countingKeys(registration, now)
  if (!keys.some((key) => equalConstantTime(key.kid, proof.key.thumbprint))) {
    throw new AgenticError('ERR_PROOF_KEY', 'the proof must be made with a key of the registration')
  }
  return proof.key
}

interface MintFacts {
  readonly request: TokenRequest
  readonly workflow: Workflow
  readonly pinned: PinnedRegistrations
  readonly registration: Registration
  /** The agent's key that made the proof. */
  readonly proven: PublicKey
  readonly snapshot: ExecutionSnapshot
  readonly deps: AuthorityDeps
}

/** Steps 7 to 11, inside the transaction on the activation. */
function mint(facts: MintFacts): Decision<Minted> {
  const { request, workflow, snapshot, deps } = facts
  requirePinnedWorkflow(snapshot.execution, workflow)
  if (request.workflowId !== workflow.id) {
    throw new AgenticError('ERR_WORKFLOW_CHANGED', 'the run is of another workflow')
  }
  const step = agentStep(workflow, request.workflowStep)
  const activation = requireActivation(facts, step) // step 7
  const chain = requireChain(facts, activation) // step 8
  requireScopes(request, facts.registration, step, activation, chain) // step 9
  const granted = requireTool(facts, step, chain)
  if (!deps.audiences().includes(request.audience)) {
    throw new AgenticError('ERR_TARGET_INVALID', 'the audience is not a resource of this authority')
  }
  const approval = granted.gated ? spendApproval(facts, activation) : undefined
  const minted = mintIntentToken(
    claimsOf(facts, activation, chain, granted.tools, approval?.result),
    deps.keys.signingKey(),
    { clock: deps.clock },
  )
  const changes: ExecutionChange[] = [
    ...(approval?.changes ?? []),
    {
      kind: 'token',
      row: {
        jti: minted.jti,
        executionId: request.executionId,
        activationId: activation.activationId,
        audience: request.audience,
        scope: request.scope,
        exp: minted.exp,
        ...(approval && { approvalId: approval.result.approvalId }),
      },
    },
  ]
  return {
    changes,
    result: {
      issued: {
        accessToken: minted.token,
        tokenType: 'DPoP',
        expiresIn: defaultIntentTokenSeconds,
        scope: request.scope,
        tools: Object.keys(granted.tools),
        ...(approval && { use: 'once' as const }),
      },
      jti: minted.jti,
      hops: chain.hops.length,
      ...(approval && { approvalId: approval.result.approvalId }),
    },
  }
}

function requireActivation({ request, snapshot }: MintFacts, step: AgentStep): ActivationRow {
  const activation = requireLive(snapshot, request.activationId, request.epoch)
  if (activation.step !== step.id || step.agent !== request.agentId || activation.agentId !== step.agent) {
    throw new AgenticError('ERR_ACTIVATION_NOT_LIVE', 'the activation is of another step or agent')
  }
  return activation
}

function requireChain(
  { request, workflow, pinned, proven, deps }: MintFacts,
  activation: ActivationRow,
): VerifiedChain {
  const now = nowSeconds(deps.clock)
  const chain = verifyChain(request.chain, {
    trustedKeys: deps.keys.trustedKeys('root'),
    issuer: deps.issuer,
    now,
    keyring: deps.keyring,
    cache: deps.links,
  })
  requireWorkflowHops(chain.hops, workflow, pinned, now)
  requireLeafFor(chain, activation)
  if (!equalConstantTime(chain.key.thumbprint, proven.thumbprint)) {
    throw new AgenticError('ERR_CHAIN_AGENT', 'the leaf must be for the key that made the proof')
  }
  return chain
}

/** The leaf serves exactly this activation; the root serves the entry step. @throws AgenticError ERR_CHAIN_INTENT */
export function requireLeafFor(chain: VerifiedChain, activation: ActivationRow): void {
  const { intent } = chain.leaf
  const serves =
    intent.executionId === activation.executionId &&
    intent.workflowStep === activation.step &&
    (chain.hops.length === 1 || intent.activationId === activation.activationId)
  if (!serves) throw new AgenticError('ERR_CHAIN_INTENT', 'the leaf of the chain serves another activation')
}

function requireScopes(
  request: TokenRequest,
  registration: Registration,
  step: AgentStep,
  activation: ActivationRow,
  chain: VerifiedChain,
): void {
  const ceilings: readonly (readonly string[])[] = [registration.scopes, activation.scope, chain.scope]
  if (!request.scope.every((scope) => ceilings.every((ceiling) => ceiling.includes(scope)))) {
    throw new AgenticError('ERR_SCOPE_MISSING', `a scope asked for is not granted to step "${step.id}"`)
  }
}

/**
 * The tools the token names: those the agent declares and the leaf grants. One behind a gate is never
 * among the others; it gets a token of its own, opened by an approval, and only in the step the gate opens.
 */
function requireTool({ request, workflow, registration }: MintFacts, step: AgentStep, chain: VerifiedChain) {
  const held = Object.entries(chain.toolGrants).filter(([name]) => registration.tools.includes(name))
  const asked = held.find(([name]) => name === request.tool)
  if (!asked)
    throw new AgenticError('ERR_TOOL_NOT_GRANTED', `the tool asked for is not granted to step "${step.id}"`)
  const gated = gatedTools(workflow)
  if (!gated.has(request.tool)) {
    return { gated: false, tools: Object.fromEntries(held.filter(([name]) => !gated.has(name))) }
  }
  if (!isOpenedByGate(workflow, step, request.tool)) {
    throw new AgenticError(
      'ERR_APPROVAL_REQUIRED',
      `"${request.tool}" is behind a gate that does not open this step`,
    )
  }
  return { gated: true, tools: Object.fromEntries([asked]) }
}

function spendApproval(
  { request, snapshot, deps }: MintFacts,
  activation: ActivationRow,
): Decision<ApprovalRow> {
  return consumeApproval(snapshot, {
    activation,
    tool: request.tool,
    authorityKeys: deps.keys.trustedKeys('approval'),
    nowMs: deps.clock.nowMs(),
  })
}

function claimsOf(
  { request, workflow, snapshot, registration, deps }: MintFacts,
  activation: ActivationRow,
  chain: VerifiedChain,
  tools: VerifiedChain['toolGrants'],
  approval: ApprovalRow | undefined,
) {
  const agents = chain.hops.map((hop) => agentStep(workflow, hop.intent.workflowStep).agent)
  const done = [...snapshot.receipts].sort((a, b) => a.at - b.at).map((receipt) => receipt.step)
  return {
    iss: deps.issuer,
    aud: request.audience,
    sub: request.agentId,
    clientId: deps.clientId,
    scope: request.scope,
    cnf: { jkt: chain.key.thumbprint, jwk: chain.key.jwk },
    authorizationDetails: toolDetails(tools),
    intent: {
      workflowId: workflow.id,
      workflowStep: activation.step,
      workflowDigest: workflow.digest,
      executionId: activation.executionId,
      activationId: activation.activationId,
      epoch: request.epoch,
      executedBy: request.agentId,
      // From the root, which is signed; the stored row could have been edited.
      initiatedBy: chain.root.initiatedBy ?? '',
      delegationChain: sequenceHash(agents),
      stepSequenceHash: sequenceHash([...done, activation.step]),
      checkpoint: activation.checkpoint,
      intentHash: chain.root.intent.intentHash,
      chainHash: chain.chainHash,
      ...(approval && {
        approval: { id: approval.approvalId, tool: approval.tool, argsDigest: approval.argsDigest },
        use: 'once' as const,
      }),
    },
    agentProof: { agentChecksum: registration.agentChecksum, registrationId: registration.registrationId },
  }
}
