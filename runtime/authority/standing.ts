/** Whether what was minted still stands: asked by guards that share this authority's store (introspection). */
import { nowSeconds } from '../clock.js'
import type { Assertion } from '../delegation/assertion.js'
import { AgenticError } from '../errors.js'
import { requireLive } from '../execution/activation.js'
import { requireServing } from '../identity/lifecycle.js'
import type { AuthorityDeps } from './deps.js'
import { loadPinned, requirePinned } from './hops.js'

export interface StandingQuestion {
  readonly executionId: string
  readonly activationId: string
  readonly step: string
  readonly epoch: number
  readonly agentId: string
  readonly registrationId: string
  readonly jti: string
}

/**
 * @throws AgenticError ERR_ACTIVATION_NOT_LIVE, ERR_ACTIVATION_UNKNOWN, ERR_EPOCH_STALE, ERR_EXECUTION_UNKNOWN,
 *   ERR_EXECUTION_ENDED, ERR_AGENT_REVOKED, ERR_AGENT_SUPERSEDED, ERR_TOKEN_REVOKED
 */
export async function requireStanding(
  question: StandingQuestion,
  deps: Pick<AuthorityDeps, 'executions' | 'registrations' | 'clock'>,
): Promise<void> {
  const snapshot = await deps.executions.snapshot(question.executionId, [question.step])
  requireLive(snapshot, question.activationId, question.epoch)
  const registration = requirePinned(
    await loadPinned(snapshot.execution, deps.registrations),
    question.agentId,
    nowSeconds(deps.clock),
  )
  if (registration.registrationId !== question.registrationId) {
    throw new AgenticError(
      'ERR_TOKEN_REVOKED',
      'the token names another registration than the one that is pinned',
    )
  }
}

/** Whether everybody who passed the authority on still counts: what a revoked agent delegated is revoked with it.
 * @param hops of a verified chain
 * @throws AgenticError ERR_AGENT_UNKNOWN, ERR_AGENT_REVOKED, ERR_AGENT_SUPERSEDED
 * @see PROTOCOL 12 */
export async function requireStandingHops(
  hops: readonly Assertion[],
  deps: Pick<AuthorityDeps, 'registrations' | 'clock'>,
): Promise<void> {
  for (const registrationId of new Set(hops.map((hop) => hop.agentProof.registrationId))) {
    const registration = await deps.registrations.byId(registrationId)
    if (!registration) throw new AgenticError('ERR_AGENT_UNKNOWN', 'a hop names no registration')
    requireServing(registration, nowSeconds(deps.clock))
  }
}
