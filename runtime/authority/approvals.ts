/** Asking for an approval and recording the decision (PROTOCOL 11). */

import type { Journal } from '../audit/journal.js'
import { newUuid } from '../encoding/uuid.js'
import type { ExecutionAuthority, Lease } from '../engine/authority-port.js'
import { AgenticError } from '../errors.js'
import { requireLive, reserveActivation } from '../execution/activation.js'
import { type ApprovalAnswer, answerApproval, askApproval } from '../execution/approval.js'
import type { ApprovalRow } from '../execution/records.js'
import type { AuthorityDeps } from './deps.js'
import { requirePinnedWorkflow } from './hops.js'

type Question = Parameters<ExecutionAuthority['requestApproval']>[1]

/** Reserves the activation that the approval will open, and asks; or returns the answer that is there. */
export async function requestApproval(
  lease: Lease,
  request: Question,
  deps: AuthorityDeps,
  journal: Journal,
): Promise<ApprovalRow> {
  const gate = request.workflow.steps.find((step) => step.id === request.gate.step)
  if (gate?.kind !== 'gate') throw new AgenticError('ERR_STEP_UNKNOWN', 'this step is not a gate')
  const asked = await deps.executions.decide(lease.executionId, [gate.id, gate.opens], (snapshot) => {
    requirePinnedWorkflow(snapshot.execution, request.workflow)
    const live = requireLive(snapshot, request.gate.activationId, lease.epoch)
    const opened = reserveActivation(snapshot, {
      step: gate.opens,
      iteration: live.iteration,
      item: live.item,
      epoch: lease.epoch,
      newId: newUuid(deps.clock),
      nowMs: deps.clock.nowMs(),
    })
    const question = askApproval(snapshot, {
      gate: live,
      opened: opened.result,
      tool: gate.tool,
      args: request.args,
      newId: newUuid(deps.clock),
      nowMs: deps.clock.nowMs(),
    })
    return {
      changes: [...opened.changes, ...question.changes],
      result: { row: question.result, isNew: question.changes.length > 0 },
    }
  })
  if (asked.isNew) {
    await journal.record({
      executionId: lease.executionId,
      type: 'approval.requested',
      actor: 'engine',
      activationId: asked.row.activationId,
      subjects: { approval_id: asked.row.approvalId },
      data: {
        gate: asked.row.gate,
        tool: asked.row.tool,
        args: await journal.digest(lease.executionId, asked.row.args),
      },
    })
  }
  return asked.row
}

export interface ApprovalDecision {
  readonly executionId: string
  readonly gate: string
  /** The question that was shown; default: the one the gate asks now. */
  readonly approvalId?: string
  readonly answer: ApprovalAnswer
}

/** @throws AgenticError ERR_APPROVAL_UNKNOWN, ERR_APPROVAL_USED, ERR_EXECUTION_ENDED */
export async function decideApproval(
  request: ApprovalDecision,
  deps: AuthorityDeps,
  journal: Journal,
): Promise<ApprovalRow> {
  const row = await deps.executions.decide(request.executionId, [request.gate], (snapshot) => {
    // The newest question: an older one that nobody answered is of an attempt, or of arguments, that are void.
    const asked = snapshot.approvals.findLast(
      ({ gate, approvalId }) =>
        gate === request.gate && (request.approvalId === undefined || approvalId === request.approvalId),
    )
    if (!asked) {
      throw new AgenticError('ERR_APPROVAL_UNKNOWN', 'no gate of this name waits for such an approval')
    }
    return answerApproval(snapshot, {
      approvalId: asked.approvalId,
      answer: request.answer,
      authorityKey: deps.keys.signingKey(),
      nowMs: deps.clock.nowMs(),
    })
  })
  await journal.record({
    executionId: request.executionId,
    type: 'approval.decided',
    actor: request.answer.approver,
    activationId: row.activationId,
    subjects: { approval_id: row.approvalId },
    data: {
      gate: row.gate,
      tool: row.tool,
      decision: request.answer.decision,
      auth_method: request.answer.auth.method,
    },
  })
  return row
}
