/**
 * A gate: asks a person to approve one call with exactly these arguments, and waits. Only the authority's
 * answer counts: whatever LangGraph is resumed with is never looked at.
 */
import { interrupt } from '@langchain/langgraph'
import { AgenticError } from '../errors.js'
import type { ApprovalRow } from '../execution/records.js'
import type { GateStep } from '../workflow/definition.js'
import { gateArguments } from '../workflow/mapping.js'
import type { NodeWork, RunState } from './graph.js'
import type { RunScope } from './scope.js'
import type { NodeCall } from './secure.js'
import { finish, type LiveStep, withActivation } from './step-activation.js'

/** @throws AgenticError ERR_APPROVAL_DENIED; LangGraph's interrupt while there is no answer */
export function walkGate(
  call: NodeCall,
  step: GateStep,
  scope: RunScope,
  invokeInner: (work: NodeWork) => Promise<unknown>,
): Promise<RunState> {
  return withActivation(call, step, scope, async (live) => {
    const args = gateArguments(scope.workflow, step, live.data)
    const gate = live.activation
    const approval = await scope.deps.authority.requestApproval(scope.lease, {
      workflow: scope.workflow,
      gate,
      args,
    })
    announce(approval, live)
    if (approval.state === 'pending') return wait(approval, live, invokeInner)
    if (approval.state === 'denied')
      throw new AgenticError('ERR_APPROVAL_DENIED', `"${step.tool}" was denied`)
    const output = { approval_id: approval.approvalId, tool: approval.tool, args_digest: approval.argsDigest }
    return finish(live, { input: args, output, tokens: [], calls: [] })
  })
}

function announce(approval: ApprovalRow, { step, scope }: LiveStep<GateStep>): void {
  if (scope.announced.has(approval.approvalId)) return
  scope.announced.add(approval.approvalId)
  const { approvalId, opens, tool, argsDigest } = approval
  const data = { approval_id: approvalId, opens, tool, args_digest: argsDigest }
  scope.events.add('approval.requested', data, step.id)
}

async function wait(
  approval: ApprovalRow,
  { step, scope, activation }: LiveStep<GateStep>,
  invokeInner: (work: NodeWork) => Promise<unknown>,
): Promise<never> {
  const { activationId } = activation
  await scope.deps.authority.endActivation(scope.lease, { activationId, step: step.id, state: 'suspended' })
  scope.pending.set(step.id, approval)
  scope.events.add('step.waiting', { approval_id: approval.approvalId }, step.id)
  await invokeInner({ run: () => interrupt({ approval_id: approval.approvalId }) })
  throw new AgenticError('ERR_APPROVAL_REQUIRED', `"${step.tool}" was resumed without an approval`)
}
