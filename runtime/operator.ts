/**
 * What the operator of a runtime does beside running workflows: he makes agents known, takes that back, changes
 * their keys, and answers gates. What changes an agent is in the log before it is in the store: a change that the
 * log does not know of would be somebody's secret.
 */
import { nowSeconds } from './clock.js'
import { AgenticError } from './errors.js'
import type { ApprovalRow } from './execution/records.js'
import { rotateKey } from './identity/add-key.js'
import type { AgentDefinition } from './identity/agent.js'
import type { CodeCache } from './identity/code-cache.js'
import { freezeAgent, type LiveAgent } from './identity/live-agent.js'
import { type RegisterResult, registerAgent } from './identity/register.js'
import type { Registration } from './identity/registration.js'
import { type Parts, runtimeClientId } from './parts.js'
import type { ApprovalDecision, RegistrationReport } from './runtime.js'

/** @see Runtime.register */
export async function registerAgents(
  request: { readonly agents: readonly AgentDefinition[]; readonly acceptChanges?: boolean },
  to: { readonly live: Map<string, LiveAgent>; readonly codeCache: CodeCache; readonly parts: Parts },
): Promise<readonly RegistrationReport[]> {
  const { live, codeCache, parts } = to
  const { agents, acceptChanges = false } = request
  const reports: RegistrationReport[] = []
  for (const definition of agents) {
    const agent = await freezeAgent(definition, { cache: codeCache })
    const { registration, outcome } = await registerAgent(agent, {
      store: parts.store.registrations,
      key: { mode: 'derived', keyFor: parts.agentKey },
      clock: parts.clock,
      owner: runtimeClientId,
      acceptChanges,
      administrator: true, // whoever runs this program is the operator of its authority, too
      record: (result) => recordRegistration(result, parts),
    })
    live.set(definition.id, agent)
    reports.push({ agent: definition.id, outcome, registration })
  }
  return reports
}

async function recordRegistration({ registration, outcome }: RegisterResult, parts: Parts): Promise<void> {
  await parts.audit.append({
    type: `agent.${outcome}`,
    actor: 'operator',
    subjects: { registration_id: registration.registrationId },
    data: {
      agent: registration.agentId,
      version: registration.version,
      agent_checksum: registration.agentChecksum,
      scopes: registration.scopes.join(' '),
    },
  })
}

/** @see Runtime.revoke */
export async function revokeAgent(agent: string, parts: Parts): Promise<void> {
  const registration = await parts.store.registrations.latest(agent)
  if (!registration) throw new AgenticError('ERR_AGENT_UNKNOWN', `agent "${agent}" is not registered`)
  await parts.audit.append({
    type: 'agent.revoked',
    actor: 'operator',
    subjects: { registration_id: registration.registrationId },
    data: { agent },
  })
  await parts.store.registrations.revokeAgent(agent)
}

const defaultOverlapSeconds = 24 * 3600

/** @see Runtime.rotateKey */
export async function rotateAgentKey(
  agent: string,
  overlapSeconds = defaultOverlapSeconds,
  parts: Parts,
): Promise<Registration> {
  const current = await parts.store.registrations.latest(agent)
  if (!current) throw new AgenticError('ERR_AGENT_UNKNOWN', `agent "${agent}" is not registered`)
  const { issuer, clock, keyring } = parts
  const registrationId = current.registrationId
  return rotateKey(
    { registrationId, clientId: runtimeClientId, overlapSeconds },
    {
      issuer,
      clock,
      keyring,
      store: parts.store.registrations,
      keyFor: parts.agentKey,
      async record({ kid, epoch }) {
        await parts.audit.append({
          type: 'agent.key_rotated',
          actor: 'operator',
          subjects: { registration_id: registrationId },
          data: { agent, kid, epoch, overlap_seconds: overlapSeconds },
        })
      },
    },
  )
}

/** @see Runtime.decide
 * @param approvalId the question that was asked; default whichever is open at that gate */
export async function decideGate(
  run: string,
  gate: string,
  decision: ApprovalDecision,
  parts: Parts,
  approvalId?: string,
): Promise<ApprovalRow> {
  const row = await parts.authority.decideApproval({
    executionId: run,
    gate,
    ...(approvalId !== undefined && { approvalId }),
    answer: {
      decision: decision.decision,
      approver: decision.approver,
      auth: { method: decision.method, time: nowSeconds(parts.clock) },
      ...(decision.reason !== undefined && { reason: decision.reason }),
    },
  })
  await parts.events.append({
    executionId: run,
    at: parts.clock.nowMs(),
    type: 'approval.decided',
    step: gate,
    data: { decision: decision.decision, approver: decision.approver, method: decision.method },
  })
  return row
}
