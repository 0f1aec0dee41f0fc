/** What the engine reports of a step: that it begins, who delegated it, how it ended (PROTOCOL 6). */

import type { Journal } from '../audit/journal.js'
import { nowSeconds } from '../clock.js'
import { signingInputHash } from '../delegation/assertion.js'
import { verifyChain } from '../delegation/verify-chain.js'
import { newUuid } from '../encoding/uuid.js'
import type { ExecutionAuthority, Lease, PendingReceipt, StepOutcome } from '../engine/authority-port.js'
import { completeActivation, endActivation, openActivation, requireLive } from '../execution/activation.js'
import { checkpointDigest } from '../execution/checkpoint.js'
import type { ActivationRow } from '../execution/records.js'
import { prerequisites } from '../workflow/prerequisites.js'
import type { AuthorityDeps } from './deps.js'
import { agentStep, loadPinned, requirePinned, requirePinnedWorkflow, requireWorkflowHops } from './hops.js'
import { requireLeafFor } from './issue.js'

type OpenRequest = Parameters<ExecutionAuthority['activate']>[1]
type DelegateRequest = Parameters<ExecutionAuthority['delegate']>[1]
type EndRequest = Parameters<ExecutionAuthority['endActivation']>[1]

/** @throws AgenticError ERR_STEP_PREREQUISITE, ERR_EPOCH_STALE, ERR_EXECUTION_ENDED, ERR_AGENT_REVOKED */
export async function activate(
  lease: Lease,
  request: OpenRequest,
  deps: AuthorityDeps,
  journal: Journal,
): Promise<ActivationRow> {
  const { execution } = await deps.executions.snapshot(lease.executionId, [])
  requirePinnedWorkflow(execution, request.workflow)
  const agent = await pinnedAgentOf(request, execution, deps)
  const steps = [request.step, ...prerequisites(request.workflow, request.step)]
  const row = await deps.executions.decide(lease.executionId, steps, (snapshot) =>
    openActivation(snapshot, {
      workflow: request.workflow,
      step: request.step,
      iteration: request.iteration,
      item: request.item,
      epoch: lease.epoch,
      ...(agent && { agent }),
      engineKey: deps.engineKey,
      rootHash: signingInputHash(snapshot.execution.root),
      newId: newUuid(deps.clock),
      nowMs: deps.clock.nowMs(),
    }),
  )
  await journal.record({
    executionId: lease.executionId,
    type: 'activation.opened',
    actor: 'engine',
    activationId: row.activationId,
    data: {
      step: row.step,
      attempt: row.attempt,
      epoch: row.epoch,
      checkpoint: row.checkpoint,
      ...(agent && { agent: agent.agentId, agent_checksum: agent.agentChecksum }),
    },
  })
  return row
}

async function pinnedAgentOf(
  request: OpenRequest,
  execution: Parameters<typeof loadPinned>[0],
  deps: AuthorityDeps,
) {
  const step = request.workflow.steps.find((candidate) => candidate.id === request.step)
  if (step?.kind !== 'agent') return undefined
  const pinned = await loadPinned(execution, deps.registrations)
  const registration = requirePinned(pinned, step.agent, nowSeconds(deps.clock))
  return {
    agentId: registration.agentId,
    registrationId: registration.registrationId,
    agentChecksum: registration.agentChecksum,
  }
}

/** Verifies the whole chain, I8 and I9 included, before it counts. @throws AgenticError ERR_CHAIN_* */
export async function delegate(
  lease: Lease,
  request: DelegateRequest,
  deps: AuthorityDeps,
  journal: Journal,
): Promise<ActivationRow> {
  const { execution } = await deps.executions.snapshot(lease.executionId, [])
  requirePinnedWorkflow(execution, request.workflow)
  const pinned = await loadPinned(execution, deps.registrations)
  const step = agentStep(request.workflow, request.step)
  const row = await deps.executions.decide(lease.executionId, [request.step], (snapshot) => {
    const live = requireLive(snapshot, request.activationId, lease.epoch)
    const now = nowSeconds(deps.clock)
    const chain = verifyChain(request.chain, {
      trustedKeys: deps.keys.trustedKeys('root'),
      issuer: deps.issuer,
      now,
      keyring: deps.keyring,
      cache: deps.links,
    })
    requireWorkflowHops(chain.hops, request.workflow, pinned, now)
    requireLeafFor(chain, live)
    // What its tokens can carry at most: granted to the agent, to the step, and signed over by its delegator.
    const { scopes } = requirePinned(pinned, step.agent, now)
    const scope = chain.scope.filter((name) => step.scope.includes(name) && scopes.includes(name))
    const held: ActivationRow = { ...live, chain: request.chain, scope }
    return { changes: [{ kind: 'activation', row: held }], result: held }
  })
  await journal.record({
    executionId: lease.executionId,
    type: 'delegation.derived',
    actor:
      step.delegatedBy === undefined
        ? 'authority'
        : `agent:${agentStep(request.workflow, step.delegatedBy).agent}`,
    activationId: row.activationId,
    subjects: { chain_hash: signingInputHash(row.chain.at(-1) ?? '') },
    data: { step: row.step, to: step.agent, hops: row.chain.length, scope: row.scope.join(' ') },
  })
  return row
}

export async function reportEnd(
  lease: Lease,
  request: EndRequest,
  deps: AuthorityDeps,
  journal: Journal,
): Promise<void> {
  await deps.executions.decide(lease.executionId, [request.step], (snapshot) =>
    endActivation(snapshot, {
      activationId: request.activationId,
      epoch: lease.epoch,
      state: request.state,
      ...(request.failure && { failure: request.failure }),
      nowMs: deps.clock.nowMs(),
    }),
  )
  await journal.record({
    executionId: lease.executionId,
    type: `activation.${request.state}`,
    actor: 'engine',
    activationId: request.activationId,
    data: { step: request.step, ...(request.failure && { code: request.failure.code }) },
  })
}

/** The receipt is signed now and counts once it is committed with the task's writes. */
export function prepareReceipt(
  lease: Lease,
  activation: ActivationRow,
  outcome: StepOutcome,
  deps: AuthorityDeps,
  journal: Journal,
): PendingReceipt {
  const skipped = outcome.skipped === true
  const receipt = deps.signReceipt({
    activation,
    inputDigest: outcome.inputDigest,
    outputDigest: outcome.outputDigest,
    tokens: outcome.tokens,
    calls: outcome.calls,
    checkpoint: checkpointDigest({
      executionId: activation.executionId,
      activationId: activation.activationId,
      writesDigest: outcome.writesDigest,
      previous: activation.checkpoint,
    }),
    skipped,
    endedAt: deps.clock.nowMs(),
  })
  return {
    steps: [activation.step],
    decide: (snapshot) =>
      completeActivation(snapshot, { epoch: lease.epoch, receipt, engineKey: deps.engineKey, skipped }),
    committed: () =>
      journal.record({
        executionId: lease.executionId,
        type: 'receipt.committed',
        actor: 'engine',
        activationId: activation.activationId,
        subjects: { receipt_hash: receipt.receiptHash, checkpoint: receipt.checkpoint },
        data: { step: activation.step, attempt: activation.attempt, skipped },
      }),
  }
}
