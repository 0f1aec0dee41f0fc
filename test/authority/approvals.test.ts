import { describe, expect, it } from 'vitest'
import { workflowFromSource } from '../../runtime/workflow/define.js'
import { attack } from '../support/attack.js'
import { openHouse, recordsOf, startRun } from '../support/authority-house.js'
import { expectCode } from '../support/expect-code.js'
import { approvedArgs, shipping } from '../support/shipping.js'

async function atTheGate() {
  const house = await openHouse()
  const run = await startRun(house)
  const gate = await run.reach('approve')
  return { house, run, gate }
}

const answer = { approver: 'os:1000', auth: { method: 'terminal', time: 1_767_225_600 } }

describe('a gate that asks', () => {
  it('reserves the activation that the approval will open, and that step then goes on with it', async () => {
    const { run, gate } = await atTheGate()
    const asked = await run.ask(gate)
    expect(asked).toMatchObject({
      gate: 'approve',
      gateActivationId: gate.activationId,
      opens: 'write',
      tool: 'stock/write',
      args: approvedArgs,
      checkpoint: gate.checkpoint,
      state: 'pending',
    })
    expect(await run.ask(gate)).toEqual(asked)
    await run.decide('approved')
    await run.complete(gate)
    expect((await run.open('write')).activationId).toBe(asked.activationId)
  })

  it('leaves one record of it, with a digest of the arguments', async () => {
    const { house, run, gate } = await atTheGate()
    const asked = await run.ask(gate)
    await run.ask(gate)
    const records = recordsOf(house).filter(({ type }) => type === 'approval.requested')
    expect(records).toHaveLength(1)
    expect(records[0]).toMatchObject({
      subjects: { approval_id: asked.approvalId },
      data: { gate: 'approve', tool: 'stock/write', args: expect.stringMatching(/^hmac-sha256:/) },
    })
    expect(JSON.stringify(records)).not.toContain('apples')
  })

  attack('T8', 'is a gate, live, and of the pinned workflow', async () => {
    const { house, run, gate } = await atTheGate()
    const ask = (changes: object, lease = run.lease) =>
      house.authority.requestApproval(lease, { workflow: shipping, gate, args: approvedArgs, ...changes })
    await expectCode(ask({ gate: { ...gate, step: 'plan' } }), 'ERR_STEP_UNKNOWN')
    await expectCode(ask({ gate: { ...gate, activationId: 'x' } }), 'ERR_ACTIVATION_UNKNOWN')
    await expectCode(ask({}, { ...run.lease, epoch: 0 }), 'ERR_EPOCH_STALE')
    const other = workflowFromSource({ ...shipping.source, version: '2.0.0' })
    await expectCode(ask({ workflow: other }), 'ERR_WORKFLOW_CHANGED')
    await ask({})
  })
})

describe('a decision', () => {
  it('is signed, kept and recorded', async () => {
    const { house, run, gate } = await atTheGate()
    const asked = await run.ask(gate)
    const decided = await run.decide('denied')
    expect(decided).toMatchObject({ approvalId: asked.approvalId, state: 'denied' })
    expect(recordsOf(house).at(-1)).toMatchObject({
      type: 'approval.decided',
      actor: 'os:1000',
      subjects: { approval_id: asked.approvalId },
      data: { gate: 'approve', tool: 'stock/write', decision: 'denied', auth_method: 'terminal' },
    })
  })

  attack('X3', 'is made once, and only over what a gate asks', async () => {
    const { house, run, gate } = await atTheGate()
    await expectCode(run.decide('approved'), 'ERR_APPROVAL_UNKNOWN')
    await run.ask(gate)
    const { executionId } = run.execution
    const decision = { executionId, gate: 'plan', answer: { ...answer, decision: 'approved' as const } }
    await expectCode(house.authority.decideApproval(decision), 'ERR_APPROVAL_UNKNOWN')
    await run.decide('denied')
    await expectCode(run.decide('approved'), 'ERR_APPROVAL_USED')
  })

  attack(
    ['X3', 'X18'],
    'is over the question that was shown, not over one asked before or since',
    async () => {
      const { house, run, gate } = await atTheGate()
      const shown = await run.ask(gate)
      const later = await house.authority.requestApproval(run.lease, {
        workflow: shipping,
        gate,
        args: { ...approvedArgs, count: 90 },
      })
      const decide = (approvalId?: string) =>
        house.authority.decideApproval({
          executionId: run.execution.executionId,
          gate: 'approve',
          ...(approvalId !== undefined && { approvalId }),
          answer: { ...answer, decision: 'approved' },
        })
      await expectCode(decide('another'), 'ERR_APPROVAL_UNKNOWN')
      expect((await decide(shown.approvalId)).args).toEqual(approvedArgs)
      expect((await decide()).approvalId).toBe(later.approvalId)
    },
  )
})
