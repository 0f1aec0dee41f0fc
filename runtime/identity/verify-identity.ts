/** Whether the agent about to run is the agent that was registered. */
import { equalConstantTime } from '../encoding/digest.js'
import { AgenticError } from '../errors.js'
import { explainMismatch } from './checksum.js'
import { requireServing } from './lifecycle.js'
import type { LiveAgent } from './live-agent.js'
import type { Registration } from './registration.js'

/** Recomputes the agent's checksum and compares it, in constant time, with the registered one.
 * A registration with status `updated` passes for a day: it still serves the executions that pinned it.
 * @param now NumericDate, seconds
 * @throws AgenticError ERR_AGENT_REVOKED, ERR_AGENT_SUPERSEDED; ERR_AGENT_CHECKSUM_MISMATCH, naming the components that changed and
 *   never their content; ERR_CODE_UNRESOLVED when the agent's modules no longer resolve
 * @see PROTOCOL 2.1, 2.3
 */
export function verifyIdentity(agent: LiveAgent, registration: Registration, now: number): void {
  const { agentId } = registration
  requireServing(registration, now)
  if (agent.definition.id !== agentId) {
    throw mismatch(`expected agent "${agentId}", found agent "${agent.definition.id}"`)
  }
  if (equalConstantTime(agent.checksum(), registration.agentChecksum)) return
  const changed = explainMismatch(registration.components, agent.components())
  // Equal components under unequal checksums: then the stored registration contradicts itself.
  const what =
    changed.length > 0 ? changed.join(', ') : 'the registered checksum, which its components do not explain'
  throw mismatch(`agent "${agentId}" is not what was registered: ${what}`)
}

function mismatch(message: string): AgenticError {
  return new AgenticError('ERR_AGENT_CHECKSUM_MISMATCH', message)
}
