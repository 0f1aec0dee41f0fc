import { describe, expect, it } from 'vitest'
import { signReceipt } from '../../runtime/execution/receipt.js'
import { attack } from '../support/attack.js'
import { openHouse, recordsOf, startRun } from '../support/authority-house.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { claimsOf } from '../support/forger.js'
import { shipping } from '../support/shipping.js'

const outcome = {
  inputDigest: 'sha256:i',
  outputDigest: 'sha256:o',
  writesDigest: 'sha256:w',
  tokens: [],
  calls: [],
}

describe('the end of a step', () => {
  it('is a receipt, committed with what the task wrote, and then recorded', async () => {
    const house = await openHouse()
    const run = await startRun(house)
    const activation = await run.open('lead')
    const pending = house.authority.prepareReceipt(run.lease, activation, outcome)
    expect(pending.steps).toEqual(['lead'])
    const { receipts: before } = await house.store.executions.snapshot(run.execution.executionId)
    expect(before).toEqual([])
    await run.complete(activation)
    const { receipts, activations } = await house.store.executions.snapshot(run.execution.executionId)
    expect(receipts).toMatchObject([{ step: 'lead', activationId: activation.activationId }])
    expect(activations).toMatchObject([{ state: 'completed' }])
    expect(recordsOf(house).at(-1)).toMatchObject({
      type: 'receipt.committed',
      subjects: { receipt_hash: receipts[0]?.receiptHash, checkpoint: receipts[0]?.checkpoint },
      data: { step: 'lead', attempt: 1, skipped: false },
    })
  })

  it('of a skipped step says so', async () => {
    const house = await openHouse()
    const run = await startRun(house)
    const activation = await run.open('lead')
    const pending = house.authority.prepareReceipt(run.lease, activation, { ...outcome, skipped: true })
    await house.store.executions.decide(run.execution.executionId, pending.steps, pending.decide)
    const { receipts, activations } = await house.store.executions.snapshot(run.execution.executionId)
    expect(activations).toMatchObject([{ state: 'skipped' }])
    expect(claimsOf(receipts[0]?.jws ?? '')).toMatchObject({ skipped: true })
  })

  attack(['T8', 'X5'], 'is not a receipt for a step that never ran', async () => {
    const house = await openHouse()
    const run = await startRun(house)
    const lead = await run.open('lead')
    const asGate = house.authority.prepareReceipt(run.lease, { ...lead, step: 'approve' }, outcome)
    const commit = (steps: readonly string[]) =>
      house.store.executions.decide(run.execution.executionId, steps, asGate.decide)
    await expectCode(commit(asGate.steps), 'ERR_ACTIVATION_UNKNOWN')
    await expectCode(commit(['lead', 'approve']), 'ERR_RECEIPT_INVALID')
  })

  attack('X5', 'is no receipt that somebody else signed', async () => {
    const house = await openHouse({ signReceipt: (facts) => signReceipt(facts, fixedKey('lead')) })
    const run = await startRun(house)
    await expectCode(run.complete(await run.open('lead')), 'ERR_RECEIPT_INVALID')
  })

  attack('X4', 'is reported by the writer of now, for a live activation', async () => {
    const house = await openHouse()
    const run = await startRun(house)
    const activation = await run.open('lead')
    await house.authority.takeOver(run.execution.executionId, shipping)
    await expectCode(run.complete(activation), 'ERR_EPOCH_STALE')
    const end = { activationId: activation.activationId, step: 'lead', state: 'failed' as const }
    await expectCode(house.authority.endActivation(run.lease, end), 'ERR_EPOCH_STALE')
  })

  it('without a receipt is a failure or a pause, recorded without its words', async () => {
    const house = await openHouse()
    const run = await startRun(house)
    const { activationId } = await run.open('lead')
    const failure = { code: 'ERR_TOOL_FAILED', message: 'secret words' }
    await house.authority.endActivation(run.lease, { activationId, step: 'lead', state: 'failed', failure })
    const record = recordsOf(house).at(-1)
    expect(record).toMatchObject({
      type: 'activation.failed',
      data: { step: 'lead', code: 'ERR_TOOL_FAILED' },
    })
    expect(JSON.stringify(record)).not.toContain('secret')
    const { activations } = await house.store.executions.snapshot(run.execution.executionId)
    expect(activations).toMatchObject([{ state: 'failed', failure }])
  })

  it('that was a refusal is recorded as one', async () => {
    const house = await openHouse()
    const { lease } = await startRun(house)
    const refusal = {
      activationId: 'activation-1',
      step: 'look',
      tool: 'stock/read',
      code: 'ERR_SCOPE_MISSING',
    }
    await house.authority.reportRefusal(lease, refusal)
    expect(recordsOf(house).at(-1)).toMatchObject({
      type: 'call.refused',
      activation_id: 'activation-1',
      data: { step: 'look', tool: 'stock/read', code: 'ERR_SCOPE_MISSING' },
    })
  })
})
