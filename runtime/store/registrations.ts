/** RegistrationStore on the store's database (the port: identity/registration.ts). */

import { AgenticError } from '../errors.js'
import type { Registration, RegistrationStore } from '../identity/registration.js'
import { decodeRow, encodeRow } from './row-json.js'
import type { Connection, StoreDatabase } from './schema.js'

/**
 * Two programs may register one agent at once: the second `save` finds its predecessor gone, or a living
 * registration it did not know of, and gets ERR_STORE_CONFLICT; it then looks and decides again.
 */
export function registrationStore(database: StoreDatabase): RegistrationStore {
  return {
    // A superseded registration always has a newer one, so the newest is the one that counts.
    latest: (agentId) =>
      database.read(async (connection) => {
        const found = await connection
          .selectFrom('registrations')
          .select(['registration_id', 'row'])
          .where('agent_id', '=', agentId)
          .orderBy('ordinal', 'desc')
          .limit(1)
          .executeTakeFirst()
        return found && decode(found.row, found.registration_id)
      }),

    byId: (registrationId) => database.read((connection) => find(connection, registrationId)),

    save: (registration, supersedes) =>
      database.write(async (connection) => {
        if (supersedes !== undefined) await supersede(connection, supersedes, registration.agentId)
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

    revoke: (registrationId) =>
      database.write(async (connection) => {
        const found = await find(connection, registrationId)
        if (found === undefined) throw unknownRegistration()
        await setStatus(connection, found, 'revoked')
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

async function supersede(connection: Connection, registrationId: string, agentId: string): Promise<void> {
  const predecessor = await find(connection, registrationId)
  if (predecessor === undefined || predecessor.agentId !== agentId) throw unknownRegistration()
  if (predecessor.status === 'updated') {
    throw new AgenticError('ERR_STORE_CONFLICT', 'the registration was superseded by another one meanwhile')
  }
  // What was revoked stays revoked: `updated` would bring its tokens back to life.
  if (predecessor.status === 'verified') await setStatus(connection, predecessor, 'updated')
}

async function setStatus(
  connection: Connection,
  registration: Registration,
  status: Registration['status'],
): Promise<void> {
  await connection
    .updateTable('registrations')
    .set({ status, row: encodeRow({ ...registration, status }) })
    .where('registration_id', '=', registration.registrationId)
    .execute()
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
