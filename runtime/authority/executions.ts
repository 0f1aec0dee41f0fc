/** Starting, taking over and ending a run: pins, root assertion, lease (PROTOCOL 5.1, 6). */

import type { Journal } from '../audit/journal.js'
import { nowSeconds } from '../clock.js'
import { decodeAssertion, signingInputHash } from '../delegation/assertion.js'
import { intentHash, issueRootAssertion } from '../delegation/root.js'
import { encodeBase64url } from '../encoding/base64url.js'
import type { JsonObject } from '../encoding/canonical-json.js'
import { newUuid } from '../encoding/uuid.js'
import type { ExecutionAuthority, Lease } from '../engine/authority-port.js'
import { AgenticError } from '../errors.js'
import { requireLease, requireOpen } from '../execution/lease.js'
import type { ExecutionRow } from '../execution/records.js'
import type { Registration } from '../identity/registration.js'
import { newestKey } from '../identity/registration-keys.js'
import type { Workflow } from '../workflow/definition.js'
import { resolveGrant } from '../workflow/grant.js'
import type { AuthorityDeps } from './deps.js'
import { agentStep, loadPinned, requirePinned, requirePinnedWorkflow } from './hops.js'

type StartRequest = Parameters<ExecutionAuthority['startExecution']>[0]
type Outcome = Parameters<ExecutionAuthority['endExecution']>[1]

/**
 * Pins the workflow and the newest registration of each of its agents, and signs the root assertion.
 * @throws AgenticError ERR_AGENT_UNKNOWN, ERR_AGENT_REVOKED
 */
export async function startExecution(
  request: StartRequest,
  deps: AuthorityDeps,
  journal: Journal,
): Promise<ExecutionRow> {
  const { workflow } = request
  const pins = await pinAgents(workflow, deps)
  const statement = {
    request: request.request,
    workflow_id: workflow.id,
    workflow_digest: workflow.digest,
    parameters: request.input,
    nonce: encodeBase64url(deps.random(16)),
  }
  const executionId = newUuid(deps.clock)
  const root = rootFor(request, executionId, intentHash(statement), pins, deps)
  const row: ExecutionRow = {
    executionId,
    workflowId: workflow.id,
    workflowVersion: workflow.version,
    workflowDigest: workflow.digest,
    input: request.input,
    initiator: request.initiator,
    intentHash: intentHash(statement),
    root,
    epoch: 1,
    status: 'running',
    pinned: Object.fromEntries([...pins].map(([agentId, pin]) => [agentId, pin.registrationId])),
    startedAt: deps.clock.nowMs(),
    driver: request.driver,
  }
  await journal.record({
    executionId,
    type: 'execution.started',
    actor: request.initiator.initiatedBy,
    subjects: { intent_hash: row.intentHash, root: signingInputHash(root) },
    data: {
      workflow: workflow.id,
      workflow_version: workflow.version,
      workflow_digest: workflow.digest,
      auth_method: request.initiator.auth.method,
      agents: { ...row.pinned },
      input: await journal.digest(executionId, request.input),
      driver: request.driver,
    },
  })
  await deps.executions.create(row)
  return row
}

async function pinAgents(workflow: Workflow, deps: AuthorityDeps): Promise<Map<string, Registration>> {
  const pins = new Map<string, Registration>()
  for (const step of workflow.steps) {
    if (step.kind !== 'agent' || pins.has(step.agent)) continue
    const registration = await deps.registrations.latest(step.agent)
    if (!registration) throw new AgenticError('ERR_AGENT_UNKNOWN', `agent "${step.agent}" is not registered`)
    pins.set(step.agent, registration)
    requirePinned(pins, step.agent, nowSeconds(deps.clock))
  }
  return pins
}

function rootFor(
  request: StartRequest,
  executionId: string,
  hash: string,
  pins: ReadonlyMap<string, Registration>,
  deps: AuthorityDeps,
): string {
  const { workflow } = request
  const entry = requirePinned(pins, agentStep(workflow, workflow.entry).agent, nowSeconds(deps.clock))
  const grant = resolveGrant(workflow, request.input)
  return issueRootAssertion(
    {
      issuer: deps.issuer,
      initiatedBy: request.initiator.initiatedBy,
      auth: request.initiator.auth,
      executionId,
      workflowId: workflow.id,
      workflowStep: workflow.entry,
      intentHash: hash,
      agentProof: { agentChecksum: entry.agentChecksum, registrationId: entry.registrationId },
      delegatee: deps.keyring.publicKey(newestKey(entry).jwk),
      tools: grant.tools,
      scope: grant.scope,
      maxDepth: grant.maxDepth,
      lifetimeSeconds: grant.lifetimeSeconds,
    },
    deps.keys.signingKey(),
    { clock: deps.clock },
  )
}

/**
 * Takes the run over for a new writer, after checking again what it was started with.
 * @throws AgenticError ERR_EXECUTION_ENDED, ERR_WORKFLOW_CHANGED, ERR_AGENT_REVOKED, ERR_AGENT_SUPERSEDED,
 *   ERR_TOKEN_EXPIRED
 */
export async function takeOver(
  executionId: string,
  workflow: Workflow,
  deps: AuthorityDeps,
  journal: Journal,
): Promise<ExecutionRow> {
  const { execution } = await deps.executions.snapshot(executionId, [])
  const pinned = await loadPinned(execution, deps.registrations)
  for (const agentId of pinned.keys()) requirePinned(pinned, agentId, nowSeconds(deps.clock))
  const taken = await deps.executions.decide(executionId, [], (snapshot) => {
    requireOpen(snapshot.execution)
    requirePinnedWorkflow(snapshot.execution, workflow)
    if (decodeAssertion(snapshot.execution.root).exp <= nowSeconds(deps.clock)) {
      throw new AgenticError('ERR_TOKEN_EXPIRED', 'the grant of this run has expired')
    }
    const row: ExecutionRow = {
      ...snapshot.execution,
      epoch: snapshot.execution.epoch + 1,
      status: 'running',
    }
    return { changes: [{ kind: 'execution', row }], result: row }
  })
  await journal.record({
    executionId,
    type: 'execution.taken_over',
    actor: 'engine',
    data: { epoch: taken.epoch },
  })
  return taken
}

/** Writes how the run ended, or that it waits. */
export async function endExecution(
  lease: Lease,
  outcome: Outcome,
  deps: AuthorityDeps,
  journal: Journal,
): Promise<void> {
  await deps.executions.decide(lease.executionId, [], (snapshot) => {
    requireLease(snapshot.execution, lease.epoch)
    const ended = outcome.status === 'waiting' ? {} : { endedAt: deps.clock.nowMs() }
    const row: ExecutionRow = {
      ...snapshot.execution,
      ...ended,
      status: outcome.status,
      ...(outcome.failure && { failure: outcome.failure }),
      ...(outcome.result !== undefined && { result: outcome.result }),
    }
    return { changes: [{ kind: 'execution', row }], result: undefined }
  })
  const failure: JsonObject = outcome.failure
    ? {
        code: outcome.failure.code,
        ...(outcome.failure.step !== undefined && { step: outcome.failure.step }),
      }
    : {}
  await journal.record({
    executionId: lease.executionId,
    type: `execution.${outcome.status}`,
    actor: 'engine',
    data: failure,
  })
}
