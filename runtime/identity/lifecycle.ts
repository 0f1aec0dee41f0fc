/** Whom a registration still serves: verified → updated → revoked (PROTOCOL 2.3). */
import { AgenticError } from '../errors.js'
import type { Registration } from './registration.js'

/** How long a superseded registration serves the executions that pinned it, in seconds. */
export const supersededServesSeconds = 86_400

/** Passes a registration that may act in an execution that pinned it.
 * @param now NumericDate, seconds
 * @throws AgenticError ERR_AGENT_REVOKED; ERR_AGENT_SUPERSEDED a day after a newer version took its place, and at
 *   once when it is not known since when
 */
export function requireServing(registration: Registration, now: number): void {
  const { agentId, status, supersededAt } = registration
  if (status === 'verified') return
  if (status !== 'updated') {
    throw new AgenticError('ERR_AGENT_REVOKED', `the registration of agent "${agentId}" is revoked`)
  }
  if (supersededAt === undefined || now >= supersededAt + supersededServesSeconds) {
    throw new AgenticError(
      'ERR_AGENT_SUPERSEDED',
      `the version of agent "${agentId}" that was pinned has been superseded for more than a day`,
    )
  }
}
