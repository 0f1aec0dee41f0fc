import { AgenticError } from '../../runtime/errors.js'
import type { Registration, RegistrationStore } from '../../runtime/identity/registration.js'

/** Registrations in memory, oldest first. It passes the conformance suite of the port, as the adapters do. */
export function memoryRegistrations(): RegistrationStore {
  const rows: Registration[] = []
  const versions = (agentId: string) => rows.filter((row) => row.agentId === agentId)
  const refuse = (code: 'ERR_AGENT_UNKNOWN' | 'ERR_STORE_CONFLICT' | 'ERR_AGENT_REVOKED'): never => {
    throw new AgenticError(code, 'the registration cannot be stored so')
  }

  function change(registrationId: string, to: (row: Registration) => Registration): Registration {
    const index = rows.findIndex((row) => row.registrationId === registrationId)
    const row = rows[index] ?? refuse('ERR_AGENT_UNKNOWN')
    const changed = to(row)
    rows[index] = changed
    return changed
  }

  const revoked = (row: Registration): Registration => ({ ...row, status: 'revoked' })
  return {
    latest: async (agentId) => versions(agentId).at(-1),
    versions: async (agentId) => versions(agentId),
    byId: async (registrationId) => rows.find((row) => row.registrationId === registrationId),
    async save(registration, supersedes) {
      const { registrationId, agentId, agentChecksum, registeredAt } = registration
      const known = versions(agentId)
      const newest = known.at(-1)
      if (supersedes !== newest?.registrationId) {
        const unknown = supersedes !== undefined && !known.some((row) => row.registrationId === supersedes)
        refuse(unknown ? 'ERR_AGENT_UNKNOWN' : 'ERR_STORE_CONFLICT')
      }
      if (rows.some((row) => row.registrationId === registrationId)) refuse('ERR_STORE_CONFLICT')
      const ended = known.filter((row) => row.status === 'revoked')
      if (ended.some((row) => row === newest || row.agentChecksum === agentChecksum))
        refuse('ERR_AGENT_REVOKED')
      if (newest) {
        change(newest.registrationId, (row) => ({ ...row, status: 'updated', supersededAt: registeredAt }))
      }
      rows.push(registration)
    },
    setKeys: async (registrationId, decide) =>
      change(registrationId, (row) => ({ ...row, keys: decide(row) })),
    revoke: async (registrationId) => void change(registrationId, revoked),
    async revokeAgent(agentId) {
      if (versions(agentId).length === 0) refuse('ERR_AGENT_UNKNOWN')
      for (const row of versions(agentId)) change(row.registrationId, revoked)
    },
    list: async () => [...rows],
  }
}
