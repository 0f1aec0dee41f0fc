/** RegistrationStore on the store's database (the port: identity/registration.ts). */

import { AgenticError } from '../errors.js'
import type { Registration, RegistrationStore } from '../identity/registration.js'
import { decodeRow, encodeRow } from './row-json.js'
import type { Connection, StoreDatabase } from './schema.js'

/**
 * Two programs may register one agent at once: the second `save` finds another newest registration than it knew of
 * and gets ERR_STORE_CONFLICT; it then looks and decides again.
 */
export function registrationStore(database: StoreDatabase): RegistrationStore {
  return {
    latest: (agentId) => database.read(async (connection) => (await versionsOf(connection, agentId)).at(-1)),

    versions: (agentId) => database.read((connection) => versionsOf(connection, agentId)),

    byId: (registrationId) => database.read((connection) => find(connection, registrationId)),

    save: (registration, supersedes) =>
      database.write(async (connection) => {
        const versions = await versionsOf(connection, registration.agentId)
        const predecessor = requirePredecessor(versions, supersedes)
        requireNothingRevoked(versions, registration)
        if (predecessor !== undefined) {
          await replace(connection, {
            ...predecessor,
            status: 'updated',
            supersededAt: registration.registeredAt,
          })
        }
        await connection
          .insertInto('registrations')
          .values({
            registration_id: registration.registrationId,
            agent_id: registration.agentId,
            status: registration.status,
            row: encodeRow(registration),
          })
          .execute()
      }),

    setKeys: (registrationId, decide) =>
      database.write(async (connection) => {
        const found = await find(connection, registrationId)
        if (found === undefined) throw unknownRegistration()
        const changed: Registration = { ...found, keys: decide(found) }
        await replace(connection, changed)
        return changed
      }),

    revoke: (registrationId) =>
      database.write(async (connection) => {
        const found = await find(connection, registrationId)
        if (found === undefined) throw unknownRegistration()
        await replace(connection, { ...found, status: 'revoked' })
      }),

    revokeAgent: (agentId) =>
      database.write(async (connection) => {
        const versions = await versionsOf(connection, agentId)
        if (versions.length === 0) throw unknownRegistration()
        for (const version of versions) await replace(connection, { ...version, status: 'revoked' })
      }),

    async list() {
      const rows = await database.read((connection) =>
        connection
          .selectFrom('registrations')
          .select(['registration_id', 'row'])
          .orderBy('ordinal')
          .execute(),
      )
      return rows.map(({ row, registration_id }) => decode(row, registration_id))
    },
  }
}

function requirePredecessor(
  versions: readonly Registration[],
  supersedes: string | undefined,
): Registration | undefined {
  const newest = versions.at(-1)
  if (newest?.registrationId === supersedes) return newest
  if (supersedes !== undefined && !versions.some((version) => version.registrationId === supersedes)) {
    throw unknownRegistration()
  }
  throw new AgenticError('ERR_STORE_CONFLICT', 'another registration of this agent was stored meanwhile')
}

/** Whoever decided to save may have looked before somebody revoked: what is revoked must not come back so. */
function requireNothingRevoked(versions: readonly Registration[], registration: Registration): void {
  const back = versions.some(
    (version, index) =>
      version.status === 'revoked' &&
      (index === versions.length - 1 || version.agentChecksum === registration.agentChecksum),
  )
  if (back) throw new AgenticError('ERR_AGENT_REVOKED', `agent "${registration.agentId}" was revoked`)
}

async function replace(connection: Connection, registration: Registration): Promise<void> {
  await connection
    .updateTable('registrations')
    .set({ status: registration.status, row: encodeRow(registration) })
    .where('registration_id', '=', registration.registrationId)
    .execute()
}

/** Oldest first; a replaced row keeps its place. */
async function versionsOf(connection: Connection, agentId: string): Promise<Registration[]> {
  const rows = await connection
    .selectFrom('registrations')
    .select(['registration_id', 'row'])
    .where('agent_id', '=', agentId)
    .orderBy('ordinal')
    .execute()
  return rows.map(({ row, registration_id }) => decode(row, registration_id))
}

async function find(connection: Connection, registrationId: string): Promise<Registration | undefined> {
  const found = await connection
    .selectFrom('registrations')
    .select('row')
    .where('registration_id', '=', registrationId)
    .executeTakeFirst()
  return found && decode(found.row, registrationId)
}

function decode(row: string, registrationId: string): Registration {
  return decodeRow<Registration>(row, 'registrationId', registrationId)
}

function unknownRegistration(): AgenticError {
  return new AgenticError('ERR_AGENT_UNKNOWN', 'there is no registration of this id')
}
