/** What the command's exit code says: 0 done, 1 failed, 2 usage, 3 refused by policy, 4 waiting for approval. */
import { codeOf } from '../errors.js'
import type { ExecutionStatus } from '../execution/records.js'

export const exitCodes = { done: 0, failed: 1, usage: 2, refused: 3, waiting: 4 } as const

/** A command line that cannot be carried out as it was written. */
export class UsageError extends Error {}

export function exitCodeOfStatus(status: ExecutionStatus): number {
  if (status === 'completed') return exitCodes.done
  if (status === 'refused') return exitCodes.refused
  return status === 'waiting' ? exitCodes.waiting : exitCodes.failed
}

const usageCodes: ReadonlySet<string> = new Set([
  'ERR_WORKFLOW_UNKNOWN',
  'ERR_WORKFLOW_INVALID',
  'ERR_INPUT_INVALID',
  'ERR_EXECUTION_UNKNOWN',
  'ERR_APPROVAL_UNKNOWN',
  'ERR_STORE_UNSUPPORTED',
  'ERR_MODEL_UNAVAILABLE',
])

const refusedCodes: ReadonlySet<string> = new Set([
  'ERR_AGENT_CHANGED',
  'ERR_AGENT_REVOKED',
  'ERR_WORKFLOW_CHANGED',
  'ERR_APPROVAL_USED',
  'ERR_APPROVAL_DENIED',
  'ERR_EXECUTION_ENDED',
  'ERR_EPOCH_STALE',
  // Of an ID token that does not prove who asks.
  'ERR_TOKEN_EXPIRED',
  'ERR_TOKEN_FROM_FUTURE',
  'ERR_TOKEN_LIFETIME',
  'ERR_TOKEN_ISSUER',
  'ERR_TOKEN_AUDIENCE',
  'ERR_SIGNATURE_INVALID',
  'ERR_ALG_REFUSED',
  'ERR_TYP_MISMATCH',
])

/** For errors that stop a command before or outside a run. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage
  const code = codeOf(error) ?? ''
  if (usageCodes.has(code)) return exitCodes.usage
  return refusedCodes.has(code) ? exitCodes.refused : exitCodes.failed
}
