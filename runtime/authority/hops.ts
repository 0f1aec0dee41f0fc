/** I8 and I9: each hop is the pinned, unrevoked registration, and the workflow allows the delegation. */
import type { Assertion } from '../delegation/assertion.js'
import { AgenticError } from '../errors.js'
import type { ExecutionRow } from '../execution/records.js'
import { requireServing } from '../identity/lifecycle.js'
import type { Registration, RegistrationStore } from '../identity/registration.js'
import { countingKeys } from '../identity/registration-keys.js'
import type { AgentStep, Workflow } from '../workflow/definition.js'

/** agent id → its pinned registration, read when a decision about it is due. */
export type PinnedRegistrations = ReadonlyMap<string, Registration>

/** @throws AgenticError ERR_AGENT_UNKNOWN */
export async function loadPinned(
  execution: ExecutionRow,
  store: RegistrationStore,
): Promise<PinnedRegistrations> {
  const pinned = new Map<string, Registration>()
  for (const [agentId, registrationId] of Object.entries(execution.pinned)) {
    const registration = await store.byId(registrationId)
    if (!registration || registration.agentId !== agentId) {
      throw new AgenticError('ERR_AGENT_UNKNOWN', `agent "${agentId}" has no registration`)
    }
    pinned.set(agentId, registration)
  }
  return pinned
}

/** The registration that acts for an agent in this run.
 * @param now NumericDate, seconds
 * @throws AgenticError ERR_AGENT_UNKNOWN, ERR_AGENT_REVOKED, ERR_AGENT_SUPERSEDED */
export function requirePinned(pinned: PinnedRegistrations, agentId: string, now: number): Registration {
  const registration = pinned.get(agentId)
  if (!registration) throw new AgenticError('ERR_AGENT_UNKNOWN', 'this agent takes no part in this run')
  requireServing(registration, now)
  return registration
}

/** @throws AgenticError ERR_WORKFLOW_CHANGED unless it is the definition that the run was started with */
export function requirePinnedWorkflow(execution: ExecutionRow, workflow: Workflow): void {
  if (execution.workflowDigest !== workflow.digest) {
    throw new AgenticError('ERR_WORKFLOW_CHANGED', 'the run is pinned to another workflow definition')
  }
}

/**
 * @param hops root first, signatures already verified
 * @param now NumericDate, seconds
 * @throws AgenticError ERR_CHAIN_AGENT (I8), ERR_CHAIN_DELEGATOR (I9), ERR_AGENT_REVOKED, ERR_AGENT_SUPERSEDED
 */
export function requireWorkflowHops(
  hops: readonly Assertion[],
  workflow: Workflow,
  pinned: PinnedRegistrations,
  now: number,
): void {
  let delegator: string | undefined
  for (const hop of hops) {
    const step = agentStep(workflow, hop.intent.workflowStep)
    requireRegisteredHop(hop, requirePinned(pinned, step.agent, now), now)
    const allowed = delegator === undefined ? step.id === workflow.entry : step.delegatedBy === delegator
    if (!allowed || hop.intent.workflowId !== workflow.id) {
      throw new AgenticError(
        'ERR_CHAIN_DELEGATOR',
        `the workflow does not let step "${step.id}" be delegated to this way`,
      )
    }
    delegator = step.id
  }
}

function requireRegisteredHop(hop: Assertion, registration: Registration, now: number): void {
  const isPinned =
    hop.agentProof.registrationId === registration.registrationId &&
    hop.agentProof.agentChecksum === registration.agentChecksum &&
    countingKeys(registration, now).some((key) => key.jwk.x === hop.jwk.x)
  if (!isPinned) {
    throw new AgenticError(
      'ERR_CHAIN_AGENT',
      `a hop does not name the pinned registration of "${registration.agentId}"`,
    )
  }
}

/** @throws AgenticError ERR_STEP_UNKNOWN for a gate, too: no agent acts there */
export function agentStep(workflow: Workflow, id: string): AgentStep {
  const step = workflow.steps.find((candidate) => candidate.id === id)
  if (step?.kind !== 'agent') throw new AgenticError('ERR_STEP_UNKNOWN', 'no agent acts in this step')
  return step
}

/** Every tool that a gate of the workflow opens: no step gets it without that gate's approval. */
export function gatedTools(workflow: Workflow): ReadonlySet<string> {
  return new Set(workflow.steps.flatMap((step) => (step.kind === 'gate' ? [step.tool] : [])))
}

/** Whether the step is the one that the gate of this tool opens. */
export function isOpenedByGate(workflow: Workflow, step: AgentStep, tool: string): boolean {
  return workflow.steps.some((gate) => gate.kind === 'gate' && gate.opens === step.id && gate.tool === tool)
}
