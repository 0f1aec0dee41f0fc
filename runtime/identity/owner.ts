/** Whose an agent is: the client's that registered its id first (PROTOCOL 2.3, X17). */
import { AgenticError } from '../errors.js'
import type { Registration } from './registration.js'

/** @param clientId the authenticated client that wants to change the registration
 * @throws AgenticError ERR_AGENT_OWNER; it tells nothing of the registration, nor whose it is */
export function requireOwner({ agentId, owner }: Registration, clientId: string): void {
  if (owner === clientId) return
  throw new AgenticError('ERR_AGENT_OWNER', `agent "${agentId}" was registered by another client`)
}

/** @param clientId the client that wants a token of this agent
 * @throws AgenticError ERR_CLIENT_UNAUTHORIZED */
export function requireMintingClient({ agentId, clientIds }: Registration, clientId: string): void {
  if (clientIds.includes(clientId)) return
  throw new AgenticError('ERR_CLIENT_UNAUTHORIZED', `the client may not ask for tokens of agent "${agentId}"`)
}
