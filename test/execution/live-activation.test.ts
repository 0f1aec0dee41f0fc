import { describe, expect, it } from 'vitest'
import {
  completeActivation,
  endActivation,
  requireLive,
  reserveActivation,
} from '../../runtime/execution/activation.js'
import { signReceipt } from '../../runtime/execution/receipt.js'
import type { ActivationRow, ReceiptRow } from '../../runtime/execution/records.js'
import { attack } from '../support/attack.js'
import { activationRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { snapshotOf, written } from '../support/snapshots.js'

const engine = fixedKey('engine')
const live = activationRow()
const running = snapshotOf({ activations: [live] })

function receiptFor(activation: ActivationRow, key = engine): ReceiptRow {
  const digests = { inputDigest: 'sha256:i', outputDigest: 'sha256:o', checkpoint: 'sha256:c' }
  return signReceipt({ activation, ...digests, tokens: [], calls: [], skipped: false, endedAt: 9_000 }, key)
}

function complete(receipt: ReceiptRow, snapshot = running, skipped = false) {
  return completeActivation(snapshot, { epoch: 1, receipt, engineKey: engine.publicKey, skipped })
}

describe('a live activation', () => {
  it('is found by its id', async () => {
    expect(requireLive(running, 'activation-1', 1)).toEqual(live)
    await expectCode(() => requireLive(running, 'activation-2', 1), 'ERR_ACTIVATION_UNKNOWN')
  })

  attack('X4', 'is none that has ended, or has not begun', async () => {
    for (const state of ['reserved', 'suspended', 'completed', 'skipped', 'failed', 'abandoned'] as const) {
      const snapshot = snapshotOf({ activations: [activationRow({ state })] })
      await expectCode(() => requireLive(snapshot, 'activation-1', 1), 'ERR_ACTIVATION_NOT_LIVE')
    }
  })

  attack('X4', 'belongs to the writer that opened it, and ends with its lease', async () => {
    const takenOver = snapshotOf({ activations: [live] }, { epoch: 2 })
    await expectCode(() => requireLive(takenOver, 'activation-1', 1), 'ERR_EPOCH_STALE')
    await expectCode(() => requireLive(takenOver, 'activation-1', 2), 'ERR_EPOCH_STALE')
    const ended = snapshotOf({ activations: [live] }, { status: 'completed' })
    await expectCode(() => requireLive(ended, 'activation-1', 1), 'ERR_EXECUTION_ENDED')
  })
})

describe('an activation that is completed', () => {
  it('gets its receipt and its end in one decision', () => {
    const receipt = receiptFor(live)
    const decision = complete(receipt)
    expect(written(decision, 'receipt')).toEqual([receipt])
    expect(written(decision, 'activation')).toEqual([{ ...live, state: 'completed', endedAt: 9_000 }])
    expect(written(complete(receipt, running, true), 'activation')).toMatchObject([{ state: 'skipped' }])
  })

  attack('X4', 'cannot be completed twice, nor after its run', async () => {
    const completed = snapshotOf({ activations: [activationRow({ state: 'completed' })] })
    await expectCode(() => complete(receiptFor(live), completed), 'ERR_ACTIVATION_NOT_LIVE')
    const takenOver = snapshotOf({ activations: [live] }, { epoch: 2 })
    await expectCode(() => complete(receiptFor(live), takenOver), 'ERR_EPOCH_STALE')
  })

  attack('X5', 'needs the engine’s own signature', async () => {
    await expectCode(() => complete(receiptFor(live, fixedKey('scanner'))), 'ERR_RECEIPT_INVALID')
    complete(receiptFor(live))
  })

  const others: [what: string, changes: Partial<ActivationRow>][] = [
    ['step', { step: 'approve' }],
    ['iteration', { iteration: 1 }],
    ['item', { item: 1 }],
    ['attempt', { attempt: 2 }],
    ['writer', { epoch: 2 }],
    ['registration', { registrationId: 'registration-2' }],
    ['checksum', { agentChecksum: `sha256:${'9'.repeat(64)}` }],
    ['history', { parents: ['another-receipt'] }],
    ['beginning', { startedAt: live.startedAt + 1_000 }],
  ]
  for (const [what, changes] of others) {
    attack(['T8', 'X5'], `is not completed by a receipt about another ${what}`, async () => {
      const receipt = receiptFor({ ...live, ...changes })
      await expectCode(() => complete(receipt), 'ERR_RECEIPT_INVALID')
    })
  }

  it('is not completed by a receipt that leaves out its agent', async () => {
    const { registrationId: _r, agentChecksum: _c, ...gate } = live
    await expectCode(() => complete(receiptFor(gate)), 'ERR_RECEIPT_INVALID')
    complete(receiptFor(gate), snapshotOf({ activations: [gate] }))
  })
})

describe('an activation that ends without a receipt', () => {
  const ending = { activationId: 'activation-1', epoch: 1, nowMs: 9_000 }

  it('failed, and says why, or waits', () => {
    const failure = { code: 'ERR_TOOL_FAILED', message: 'broken', step: 'scan' }
    const { result } = endActivation(running, { ...ending, state: 'failed', failure })
    expect(result).toEqual({ ...live, state: 'failed', endedAt: 9_000, failure })
    expect(endActivation(running, { ...ending, state: 'suspended' }).result).not.toHaveProperty('failure')
  })

  it('was live before', async () => {
    const failed = snapshotOf({ activations: [activationRow({ state: 'failed' })] })
    await expectCode(() => endActivation(failed, { ...ending, state: 'failed' }), 'ERR_ACTIVATION_NOT_LIVE')
  })
})

describe('an activation that a gate reserves', () => {
  const place = { step: 'scan', iteration: 0, item: 0, epoch: 1, newId: 'reserved-1', nowMs: 5 }

  it('is made once, holds nothing and stands on nothing', () => {
    const decision = reserveActivation(snapshotOf(), place)
    expect(decision.result).toMatchObject({ activationId: 'reserved-1', state: 'reserved', attempt: 1 })
    expect(decision.result).toMatchObject({ parents: [], chain: [], scope: [], checkpoint: '' })
    const again = reserveActivation(snapshotOf({ activations: [decision.result] }), { ...place, newId: 'x' })
    expect(again).toEqual({ changes: [], result: decision.result })
  })

  attack('X3', 'is another one for another attempt, so that an approval does not carry over', () => {
    for (const state of ['failed', 'abandoned'] as const) {
      const before = snapshotOf({ activations: [activationRow({ state })] })
      const { result } = reserveActivation(before, place)
      expect(result).toMatchObject({ activationId: 'reserved-1', attempt: 2 })
    }
  })

  it('is refused for a step that has begun', async () => {
    for (const state of ['activated', 'suspended', 'completed', 'skipped'] as const) {
      const before = snapshotOf({ activations: [activationRow({ state })] })
      await expectCode(() => reserveActivation(before, place), 'ERR_ACTIVATION_NOT_LIVE')
    }
  })
})
