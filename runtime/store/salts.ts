/** The salts under which an execution's payloads are digested in the audit log (PROTOCOL 16). */
import { decodeBase64url, encodeBase64url } from '../encoding/base64url.js'
import type { StoreDatabase } from './schema.js'

export interface SaltStore {
  /**
   * The salt of an execution, 32 bytes, made at the first call; of several at once all get the same one.
   * Durable when it returns. Secret, and as personal as the payloads it covers.
   */
  getOrCreate(executionId: string): Promise<Uint8Array>
}

const saltBytes = 32

/** @param random gives so many bytes from a cryptographic source */
export function saltStore(database: StoreDatabase, random: (bytes: number) => Uint8Array): SaltStore {
  const find = (executionId: string) =>
    database.read((connection) =>
      connection
        .selectFrom('salts')
        .select('salt')
        .where('execution_id', '=', executionId)
        .executeTakeFirst(),
    )
  return {
    async getOrCreate(executionId) {
      const known = await find(executionId)
      if (known !== undefined) return decodeBase64url(known.salt)
      const salt = encodeBase64url(random(saltBytes))
      const kept = await database.write(async (connection) => {
        await connection
          .insertInto('salts')
          .values({ execution_id: executionId, salt })
          .onConflict((on) => on.column('execution_id').doNothing())
          .execute()
        return connection
          .selectFrom('salts')
          .select('salt')
          .where('execution_id', '=', executionId)
          .executeTakeFirstOrThrow()
      })
      return decodeBase64url(kept.salt)
    },
  }
}
