/** Authority follows delegation: what a step may do is signed by the agent of the step that delegates it. */
import { nowSeconds } from '../clock.js'
import { type Assertion, decodeAssertion } from '../delegation/assertion.js'
import { deriveAssertion } from '../delegation/derive.js'
import { AgenticError } from '../errors.js'
import type { ActivationRow } from '../execution/records.js'
import type { Registration } from '../identity/registration.js'
import { verifyIdentity } from '../identity/verify-identity.js'
import type { SigningKey } from '../keys/signing-key.js'
import type { AgentStep } from '../workflow/definition.js'
import { stepGrant } from '../workflow/grant.js'
import type { LiveStep } from './step-activation.js'

/**
 * Gets the chain the step acts with, and has the authority verify and record it. The entry holds the root.
 * @param registration of the step's agent, just verified
 * @returns the activation with its chain and scope
 * @throws AgenticError ERR_CHAIN_* when it would not narrow, ERR_AGENT_* when the delegator is not what it was
 */
export async function obtainAuthority(
  live: LiveStep<AgentStep>,
  registration: Registration,
): Promise<ActivationRow> {
  const { step, scope, activation } = live
  const chain =
    step.delegatedBy === undefined
      ? [scope.execution.root]
      : await delegatedChain(live, step.delegatedBy, registration)
  const { activationId } = activation
  const request = { workflow: scope.workflow, activationId, step: step.id, chain }
  const held = await scope.deps.authority.delegate(scope.lease, request)
  scope.chains.set(step.id, held.chain)
  return held
}

async function delegatedChain(
  { step, scope, activation }: LiveStep<AgentStep>,
  delegatorId: string,
  registration: Registration,
): Promise<readonly string[]> {
  const held = scope.chains.get(delegatorId)
  const leaf = held?.at(-1)
  if (held === undefined || leaf === undefined) {
    throw new AgenticError(
      'ERR_CHAIN_DELEGATOR',
      `step "${delegatorId}" holds nothing it could pass on to "${step.id}"`,
    )
  }
  const grant = stepGrant(scope.workflow, step, decodeAssertion(leaf).toolGrants, scope.execution.input)
  const assertion = deriveAssertion(
    { chain: held },
    {
      delegatee: scope.deps.agents.keyOf(registration).publicKey,
      tools: grant.tools,
      scope: grant.scope,
      agentProof: { agentChecksum: registration.agentChecksum, registrationId: registration.registrationId },
      intent: { workflowStep: step.id, activationId: activation.activationId },
    },
    await delegatorKey(delegatorId, decodeAssertion(leaf), scope),
    { clock: scope.deps.clock },
  )
  return [...held, assertion]
}

/** An agent that changed since it was registered signs nothing. What it passes on it signs with the key that holds it.
 * @param held what the delegator holds */
async function delegatorKey(
  delegatorId: string,
  held: Assertion,
  scope: LiveStep['scope'],
): Promise<SigningKey> {
  const delegator = scope.workflow.step(delegatorId)
  const registrationId = delegator.kind === 'agent' ? scope.execution.pinned[delegator.agent] : undefined
  if (delegator.kind !== 'agent' || registrationId === undefined) {
    throw new AgenticError('ERR_CHAIN_DELEGATOR', `no agent of this run delegates as step "${delegatorId}"`)
  }
  const { agents, clock } = scope.deps
  const registration = await agents.registration(registrationId)
  verifyIdentity(agents.agent(delegator.agent), registration, nowSeconds(clock))
  return agents.keyOf(registration, held.jwk)
}
