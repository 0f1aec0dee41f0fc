/** One writer per run: what a writer must show before anything of the run changes. */
import { AgenticError } from '../errors.js'
import type { ExecutionRow } from './records.js'

/**
 * @throws AgenticError ERR_EPOCH_STALE for a writer that has been taken over, ERR_EXECUTION_ENDED
 */
export function requireLease(execution: ExecutionRow, epoch: number): void {
  if (epoch !== execution.epoch) {
    throw new AgenticError('ERR_EPOCH_STALE', 'this run has been taken over by another writer')
  }
  requireOpen(execution)
}

/** @throws AgenticError ERR_EXECUTION_ENDED */
export function requireOpen(execution: ExecutionRow): void {
  if (execution.status !== 'running' && execution.status !== 'waiting') {
    throw new AgenticError('ERR_EXECUTION_ENDED', `this run has ended: ${execution.status}`)
  }
}
