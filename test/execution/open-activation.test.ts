import { describe, expect, it } from 'vitest'
import { type OpeningRequest, openActivation } from '../../runtime/execution/activation.js'
import { runnableCheckpoint } from '../../runtime/execution/checkpoint.js'
import { signReceipt } from '../../runtime/execution/receipt.js'
import type { ActivationRow, ReceiptRow } from '../../runtime/execution/records.js'
import { attack } from '../support/attack.js'
import { activationRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { shipping } from '../support/shipping.js'
import { snapshotOf, written } from '../support/snapshots.js'

const engine = fixedKey('engine')
const agent = { agentId: 'reader', registrationId: 'registration-reader', agentChecksum: 'sha256:1' }

function request(step: string, changes: Partial<OpeningRequest> = {}): OpeningRequest {
  return {
    workflow: shipping,
    step,
    iteration: 0,
    item: 0,
    epoch: 1,
    agent,
    engineKey: engine.publicKey,
    rootHash: 'root-hash',
    newId: 'new-activation',
    nowMs: 1_000,
    ...changes,
  }
}

/** The receipt of a step, by the engine or by whom it is said. */
function receiptOf(step: string, changes: Partial<ActivationRow> = {}, key = engine): ReceiptRow {
  return signReceipt(
    {
      activation: activationRow({ step, activationId: `activation-${step}`, state: 'completed', ...changes }),
      inputDigest: 'sha256:i',
      outputDigest: 'sha256:o',
      tokens: [],
      calls: [],
      checkpoint: `checkpoint of ${step}`,
      skipped: false,
      endedAt: 900,
    },
    key,
  )
}

function earlier(state: ActivationRow['state'], changes: Partial<ActivationRow> = {}) {
  return activationRow({ activationId: 'earlier', step: 'lead', state, attempt: 1, ...changes })
}

describe('a step that is opened', () => {
  it('begins with nothing held, standing on the root where nothing comes before it', () => {
    const decision = openActivation(snapshotOf(), request('lead'))
    expect(decision.result).toMatchObject({
      activationId: 'new-activation',
      step: 'lead',
      attempt: 1,
      state: 'activated',
      epoch: 1,
      ...agent,
      checkpoint: runnableCheckpoint('execution-1', [], 'root-hash'),
      parents: [],
      chain: [],
      scope: [],
    })
    expect(written(decision, 'activation')).toEqual([decision.result])
  })

  it('stands on the receipts of what comes before it', () => {
    const receipt = receiptOf('plan')
    const gate = receiptOf('approve')
    const { result } = openActivation(snapshotOf({ receipts: [receipt, gate] }), request('write'))
    expect([...result.parents].sort()).toEqual([receipt.receiptHash, gate.receiptHash].sort())
    expect(result.checkpoint).toBe(
      runnableCheckpoint('execution-1', ['checkpoint of plan', 'checkpoint of approve'], 'root-hash'),
    )
  })

  attack('T8', 'needs every receipt: of what it follows, of its delegator, of its gate', async () => {
    const both = [receiptOf('plan'), receiptOf('approve')]
    for (const receipt of both) {
      const error = await expectCode(
        () => openActivation(snapshotOf({ receipts: [receipt] }), request('write')),
        'ERR_STEP_PREREQUISITE',
      )
      expect(error.message).toContain(receipt.step === 'plan' ? '"approve"' : '"plan"')
    }
    await expectCode(() => openActivation(snapshotOf(), request('look')), 'ERR_STEP_PREREQUISITE')
    openActivation(snapshotOf({ receipts: both }), request('write'))
  })

  attack('X5', 'does not believe a receipt that an agent signed', async () => {
    const forged = receiptOf('lead', {}, fixedKey('reader'))
    await expectCode(
      () => openActivation(snapshotOf({ receipts: [forged] }), request('look')),
      'ERR_RECEIPT_INVALID',
    )
    openActivation(snapshotOf({ receipts: [receiptOf('lead')] }), request('look'))
  })

  attack('X1', 'does not believe a receipt of another run', async () => {
    const elsewhere = receiptOf('lead', { executionId: 'execution-2' })
    await expectCode(
      () => openActivation(snapshotOf({ receipts: [elsewhere] }), request('look')),
      'ERR_RECEIPT_INVALID',
    )
  })

  attack(['T8', 'X6'], 'does not believe a receipt whose row was renamed to another step', async () => {
    const renamed = { ...receiptOf('plan'), step: 'lead' }
    await expectCode(
      () => openActivation(snapshotOf({ receipts: [renamed] }), request('look')),
      'ERR_RECEIPT_INVALID',
    )
  })

  attack('X4', 'is opened by the writer of now and no other, in a run that goes on', async () => {
    for (const epoch of [1, 3]) {
      await expectCode(
        () => openActivation(snapshotOf({}, { epoch: 2 }), request('lead', { epoch })),
        'ERR_EPOCH_STALE',
      )
    }
    for (const status of ['completed', 'failed', 'refused'] as const) {
      await expectCode(
        () => openActivation(snapshotOf({}, { status }), request('lead')),
        'ERR_EXECUTION_ENDED',
      )
    }
    for (const status of ['running', 'waiting'] as const) {
      openActivation(snapshotOf({}, { status, epoch: 2 }), request('lead', { epoch: 2 }))
    }
  })
})

describe('a step that was opened before', () => {
  it('is not opened again once it is completed or skipped', async () => {
    for (const state of ['completed', 'skipped'] as const) {
      const snapshot = snapshotOf({ activations: [earlier(state)] })
      await expectCode(() => openActivation(snapshot, request('lead')), 'ERR_ACTIVATION_NOT_LIVE')
    }
  })

  it('goes on as it is when it was suspended or reserved, without what it held', () => {
    for (const state of ['suspended', 'reserved'] as const) {
      const before = earlier(state, { attempt: 2, chain: ['a.b.c'], scope: ['x'] })
      const decision = openActivation(snapshotOf({ activations: [before] }), request('lead'))
      expect(decision.result).toMatchObject({ activationId: 'earlier', attempt: 2, state: 'activated' })
      expect(decision.result).toMatchObject({ chain: [], scope: [] })
      expect(written(decision, 'activation')).toHaveLength(1)
    }
  })

  it('gets a new attempt when it failed or was abandoned', () => {
    for (const state of ['failed', 'abandoned'] as const) {
      const decision = openActivation(snapshotOf({ activations: [earlier(state)] }), request('lead'))
      expect(decision.result).toMatchObject({ activationId: 'new-activation', attempt: 2 })
      expect(written(decision, 'activation')).toHaveLength(1)
    }
  })

  attack('X4', 'and still seems to run is abandoned, with everything minted for it', () => {
    const decision = openActivation(snapshotOf({ activations: [earlier('activated')] }), request('lead'))
    expect(decision.result).toMatchObject({ activationId: 'new-activation', attempt: 2 })
    expect(written(decision, 'activation')[1]).toMatchObject({
      activationId: 'earlier',
      state: 'abandoned',
      endedAt: 1_000,
    })
  })

  it('is judged by its newest attempt, and by no other step, iteration or item', () => {
    const activations = [earlier('failed', { activationId: 'b', attempt: 2 }), earlier('suspended')]
    for (const order of [activations, activations.toReversed()]) {
      expect(openActivation(snapshotOf({ activations: order }), request('lead')).result.attempt).toBe(3)
    }
    for (const elsewhere of [{ step: 'look' }, { iteration: 1 }, { item: 1 }]) {
      const snapshot = snapshotOf({ activations: [earlier('completed', elsewhere)] })
      expect(openActivation(snapshot, request('lead')).result.attempt).toBe(1)
    }
  })
})
