/**
 * The life of an activation: reserved → activated → completed | skipped | failed | suspended | abandoned
 * (PROTOCOL 6). Pure decisions over a snapshot; the store runs them in a transaction.
 */
import { AgenticError } from '../errors.js'
import type { PublicKey } from '../keys/public-key.js'
import type { Workflow } from '../workflow/definition.js'
import { prerequisites } from '../workflow/prerequisites.js'
import { runnableCheckpoint } from './checkpoint.js'
import { requireLease } from './lease.js'
import { requireReceiptOf, verifyReceipt } from './receipt.js'
import type { ActivationRow, Failure, ReceiptRow } from './records.js'
import type { Decision, ExecutionChange, ExecutionSnapshot } from './store.js'

/** Which activation is meant: a step, an iteration of it, an item of that. */
export interface ActivationPlace {
  readonly step: string
  readonly iteration: number
  readonly item: number
}

export interface OpeningRequest extends ActivationPlace {
  readonly workflow: Workflow
  readonly epoch: number
  /** The pinned agent of the step; absent for a gate. */
  readonly agent?: {
    readonly agentId: string
    readonly registrationId: string
    readonly agentChecksum: string
  }
  readonly engineKey: PublicKey
  /** base64url SHA-256 of the root assertion's signing input. */
  readonly rootHash: string
  readonly newId: string
  readonly nowMs: number
}

/**
 * Opens an activation once every prerequisite has its receipt. A suspended or reserved one is reopened as
 * it is; an attempt that died is abandoned, with everything minted for it, and followed by the next.
 * @throws AgenticError ERR_EPOCH_STALE, ERR_EXECUTION_ENDED, ERR_STEP_PREREQUISITE, ERR_RECEIPT_INVALID, ERR_ACTIVATION_NOT_LIVE
 */
export function openActivation(
  snapshot: ExecutionSnapshot,
  request: OpeningRequest,
): Decision<ActivationRow> {
  requireLease(snapshot.execution, request.epoch)
  const receipts = requirePrerequisites(snapshot, request)
  const latest = latestActivation(snapshot, request)
  if (latest?.state === 'completed' || latest?.state === 'skipped') {
    throw new AgenticError('ERR_ACTIVATION_NOT_LIVE', `step "${request.step}" has already been completed`)
  }
  const reopened = latest?.state === 'suspended' || latest?.state === 'reserved'
  const row: ActivationRow = {
    activationId: reopened ? latest.activationId : request.newId,
    executionId: snapshot.execution.executionId,
    step: request.step,
    iteration: request.iteration,
    item: request.item,
    attempt: reopened ? latest.attempt : (latest?.attempt ?? 0) + 1,
    state: 'activated',
    epoch: request.epoch,
    ...request.agent,
    checkpoint: runnableCheckpoint(
      snapshot.execution.executionId,
      receipts.map((receipt) => receipt.checkpoint),
      request.rootHash,
    ),
    parents: receipts.map((receipt) => receipt.receiptHash),
    chain: [],
    scope: [],
    startedAt: request.nowMs,
  }
  const changes: ExecutionChange[] = [{ kind: 'activation', row }]
  if (latest?.state === 'activated') {
    changes.push({ kind: 'activation', row: { ...latest, state: 'abandoned', endedAt: request.nowMs } })
  }
  return { changes, result: row }
}

/** The receipts that make a step runnable, each verified. @throws AgenticError ERR_STEP_PREREQUISITE, ERR_RECEIPT_INVALID */
function requirePrerequisites(snapshot: ExecutionSnapshot, request: OpeningRequest): readonly ReceiptRow[] {
  const steps = prerequisites(request.workflow, request.step)
  const found = steps.map((step) => snapshot.receipts.findLast((receipt) => receipt.step === step))
  const missing = steps.filter((_, index) => found[index] === undefined)
  if (missing.length > 0) {
    const names = missing.map((step) => `"${step}"`).join(', ')
    throw new AgenticError(
      'ERR_STEP_PREREQUISITE',
      `step "${request.step}" needs the receipts of ${names} first`,
    )
  }
  const receipts = found.filter((receipt) => receipt !== undefined)
  for (const receipt of receipts) {
    if (receipt.executionId !== snapshot.execution.executionId) {
      throw new AgenticError('ERR_RECEIPT_INVALID', `the receipt of step "${receipt.step}" is of another run`)
    }
    verifyReceipt(receipt, request.engineKey)
  }
  return receipts
}

/**
 * Gives the step that a gate opens its activation before it runs, so that an approval can name it.
 * The reservation in force is returned where there is one.
 */
export function reserveActivation(
  snapshot: ExecutionSnapshot,
  request: ActivationPlace & { readonly epoch: number; readonly newId: string; readonly nowMs: number },
): Decision<ActivationRow> {
  const latest = latestActivation(snapshot, request)
  if (latest?.state === 'reserved') return { changes: [], result: latest }
  if (latest && latest.state !== 'abandoned' && latest.state !== 'failed') {
    throw new AgenticError('ERR_ACTIVATION_NOT_LIVE', `step "${request.step}" has already begun`)
  }
  const row: ActivationRow = {
    activationId: request.newId,
    executionId: snapshot.execution.executionId,
    step: request.step,
    iteration: request.iteration,
    item: request.item,
    attempt: (latest?.attempt ?? 0) + 1,
    state: 'reserved',
    epoch: request.epoch,
    checkpoint: '',
    parents: [],
    chain: [],
    scope: [],
    startedAt: request.nowMs,
  }
  return { changes: [{ kind: 'activation', row }], result: row }
}

/** The activation that acts right now. @throws AgenticError ERR_ACTIVATION_UNKNOWN, ERR_ACTIVATION_NOT_LIVE, ERR_EPOCH_STALE */
export function requireLive(snapshot: ExecutionSnapshot, activationId: string, epoch: number): ActivationRow {
  requireLease(snapshot.execution, epoch)
  const row = snapshot.activations.find((candidate) => candidate.activationId === activationId)
  if (!row)
    throw new AgenticError('ERR_ACTIVATION_UNKNOWN', 'there is no such activation in this run and step')
  if (row.state !== 'activated') {
    throw new AgenticError('ERR_ACTIVATION_NOT_LIVE', `the activation of step "${row.step}" is ${row.state}`)
  }
  if (row.epoch !== epoch) {
    throw new AgenticError(
      'ERR_EPOCH_STALE',
      `the activation of step "${row.step}" belongs to an earlier writer`,
    )
  }
  return row
}

/** Ends a live activation without a receipt. */
export function endActivation(
  snapshot: ExecutionSnapshot,
  request: {
    readonly activationId: string
    readonly epoch: number
    readonly state: 'failed' | 'suspended'
    readonly failure?: Failure
    readonly nowMs: number
  },
): Decision<ActivationRow> {
  const live = requireLive(snapshot, request.activationId, request.epoch)
  const row: ActivationRow = {
    ...live,
    state: request.state,
    endedAt: request.nowMs,
    ...(request.failure && { failure: request.failure }),
  }
  return { changes: [{ kind: 'activation', row }], result: row }
}

/**
 * Completes a live activation with its receipt: both rows or neither. The receipt must be the engine's, and
 * about exactly this activation: its place, attempt, agent, and what it stands on.
 * @throws AgenticError ERR_RECEIPT_INVALID, and what `requireLive` throws
 */
export function completeActivation(
  snapshot: ExecutionSnapshot,
  request: {
    readonly epoch: number
    readonly receipt: ReceiptRow
    readonly engineKey: PublicKey
    readonly skipped: boolean
  },
): Decision<void> {
  const live = requireLive(snapshot, request.receipt.activationId, request.epoch)
  requireReceiptOf(live, request.receipt, request.engineKey)
  const row: ActivationRow = {
    ...live,
    state: request.skipped ? 'skipped' : 'completed',
    endedAt: request.receipt.at,
  }
  return {
    changes: [
      { kind: 'receipt', row: request.receipt },
      { kind: 'activation', row },
    ],
    result: undefined,
  }
}

function latestActivation(snapshot: ExecutionSnapshot, place: ActivationPlace): ActivationRow | undefined {
  return snapshot.activations
    .filter((row) => row.step === place.step && row.iteration === place.iteration && row.item === place.item)
    .reduce<ActivationRow | undefined>(
      (best, row) => (best && best.attempt > row.attempt ? best : row),
      undefined,
    )
}
