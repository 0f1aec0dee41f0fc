/** What an error means for a run: refused by policy, or failed; and the words that are kept of it. */
import { AgenticError, type ErrorCode, isAgenticError } from '../errors.js'
import type { Failure } from '../execution/records.js'

/** Families of codes in which the runtime kept somebody from doing what he was not allowed to. */
const refusedFamilies = ['ERR_CHAIN_', 'ERR_TOKEN_', 'ERR_PROOF_', 'ERR_AGENT_', 'ERR_APPROVAL_', 'ERR_KEY_']

const refusedCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_HEADER_REFUSED',
  'ERR_ALG_REFUSED',
  'ERR_TYP_MISMATCH',
  'ERR_SIGNATURE_INVALID',
  'ERR_CLAIM_INVALID',
  'ERR_CONSTRAINT_INVALID',
  'ERR_WORKFLOW_CHANGED',
  'ERR_EXECUTION_ENDED',
  'ERR_EPOCH_STALE',
  'ERR_ACTIVATION_UNKNOWN',
  'ERR_ACTIVATION_NOT_LIVE',
  'ERR_STEP_PREREQUISITE',
  'ERR_STEP_UNKNOWN',
  'ERR_RECEIPT_INVALID',
  'ERR_CREDENTIALS_MISSING',
  'ERR_SCOPE_MISSING',
  'ERR_TOOL_NOT_GRANTED',
  'ERR_TOOL_UNKNOWN',
  'ERR_ARGUMENT_REFUSED',
  'ERR_TARGET_INVALID',
  'ERR_NODE_UNWRAPPED',
  'ERR_CONTEXT_ENDED',
])

/** True when policy said no; false when something broke. */
export function isRefusal(code: ErrorCode): boolean {
  return refusedCodes.has(code) || refusedFamilies.some((family) => code.startsWith(family))
}

/**
 * The error of a step as it may be stored and shown. An error that is not ours keeps its text in `cause`
 * alone: it may hold anything.
 */
export function stepError(step: string, error: unknown): AgenticError {
  if (isAgenticError(error)) return error
  return new AgenticError('ERR_STEP_FAILED', `step "${step}" failed`, { cause: error })
}

export function failureOf(error: AgenticError, step?: string): Failure {
  return { code: error.code, message: error.message, ...(step !== undefined && { step }) }
}

/** The first error of a superstep in which several steps failed; a cancelled sibling is never the reason. */
export function firstReason(error: unknown): AgenticError {
  const errors = error instanceof AggregateError ? (error.errors as unknown[]) : [error]
  const ours = errors.filter(isAgenticError)
  const reason = ours.find(({ code }) => code !== 'ERR_CANCELLED') ?? ours[0]
  return reason ?? new AgenticError('ERR_STEP_FAILED', 'the graph could not be run', { cause: error })
}
