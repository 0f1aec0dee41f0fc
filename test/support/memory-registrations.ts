import { AgenticError } from '../../runtime/errors.js'
import type { Registration, RegistrationStore } from '../../runtime/identity/registration.js'

/** Registrations in memory, newest last; two living ones of one agent are a conflict. */
export function memoryRegistrations(): RegistrationStore {
  const rows: Registration[] = []

  function change(registrationId: string, status: Registration['status']): void {
    const index = rows.findIndex((row) => row.registrationId === registrationId)
    const row = rows[index]
    if (row === undefined) throw new AgenticError('ERR_STORE_FAILED', 'there is no such registration')
    if (row.status === 'verified' || status === 'revoked') rows[index] = { ...row, status }
  }

  return {
    latest: async (agentId) => rows.findLast((row) => row.agentId === agentId),
    byId: async (registrationId) => rows.find((row) => row.registrationId === registrationId),
    async save(registration, supersedes) {
      const living = rows.findLast((row) => row.agentId === registration.agentId && row.status !== 'updated')
      if (living?.registrationId !== supersedes) {
        throw new AgenticError(
          'ERR_STORE_CONFLICT',
          'another registration of this agent was stored meanwhile',
        )
      }
      if (supersedes !== undefined) change(supersedes, 'updated')
      rows.push(registration)
    },
    revoke: async (registrationId) => change(registrationId, 'revoked'),
    list: async () => [...rows],
  }
}
