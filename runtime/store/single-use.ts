/** SingleUse on the store's database (the port: tokens/single-use.ts): what is claimed is claimed for every process. */

import { type Clock, nowSeconds } from '../clock.js'
import { AgenticError } from '../errors.js'
import type { SingleUse } from '../tokens/single-use.js'
import type { Connection, StoreDatabase } from './schema.js'

/** Expired claims removed by one claim: more than one, so that the table shrinks; few, so that no claim waits long. */
const purgedPerClaim = 64
const maxKeyLength = 512

/** A claim holds through the whole second `expiresAt`. */
export function singleUse(database: StoreDatabase, clock: Clock): SingleUse {
  return {
    async claim(key, expiresAt) {
      if (key === '' || key.length > maxKeyLength) {
        throw new TypeError(`a key to claim has 1 to ${maxKeyLength} characters, found ${key.length}`)
      }
      if (!Number.isSafeInteger(expiresAt)) throw new TypeError('expiresAt is a NumericDate in whole seconds')
      try {
        return await database.write((connection) => claim(connection, key, expiresAt, nowSeconds(clock)))
      } catch (cause) {
        throw new AgenticError('ERR_REPLAY_STORE', 'cannot tell whether a proof was used before', { cause })
      }
    },
  }
}

async function claim(connection: Connection, key: string, expiresAt: number, now: number): Promise<boolean> {
  // Looked at here, after any wait for the database: what has ended would not be held.
  if (expiresAt < now) throw new TypeError('expiresAt has passed')
  await connection
    .deleteFrom('single_use')
    .where('key', 'in', (from) =>
      from
        .selectFrom('single_use')
        .select('key')
        .where('expires_at', '<', now)
        .orderBy('expires_at')
        .limit(purgedPerClaim),
    )
    .execute()
  const { numInsertedOrUpdatedRows } = await connection
    .insertInto('single_use')
    .values({ key, expires_at: expiresAt })
    .onConflict((on) =>
      on.column('key').doUpdateSet({ expires_at: expiresAt }).where('single_use.expires_at', '<', now),
    )
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows === 1n
}
