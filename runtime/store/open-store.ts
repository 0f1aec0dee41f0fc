/** Opens a store: the one place that knows which URL means which adapter. */
import type { Clock } from '../clock.js'
import { randomBytes } from '../encoding/random.js'
import type { CheckpointStore } from '../engine/checkpoint-port.js'
import { AgenticError } from '../errors.js'
import type { EventStore } from '../execution/events.js'
import type { ExecutionStore } from '../execution/store.js'
import type { RegistrationStore } from '../identity/registration.js'
import type { SingleUse } from '../tokens/single-use.js'
import { CheckpointSaver } from './checkpoint-saver.js'
import { checkpointStore } from './checkpoints.js'
import { eventStore } from './events.js'
import { executionStore } from './executions.js'
import { migrate } from './migrations.js'
import { registrationStore } from './registrations.js'
import { type SaltStore, saltStore } from './salts.js'
import { singleUse } from './single-use.js'
import { openDatabase } from './sqlite-database.js'
import { openSqlite } from './sqlite-file.js'

export interface Store {
  readonly executions: ExecutionStore
  readonly events: EventStore
  readonly registrations: RegistrationStore
  readonly checkpoints: CheckpointStore
  readonly singleUse: SingleUse
  readonly salts: SaltStore
  /** Lets what is under way finish; everything after it is ERR_STORE_FAILED. Closing twice is fine. */
  close(): Promise<void>
}

/** Opens a store, making or updating its tables where needed.
 * @param url `sqlite:PATH` (the file is made, mode 0600, where there is none) or `memory:`, which is the
 *   same store in this process's memory and dies with it
 * @param options `random` gives so many bytes from a cryptographic source; default node:crypto
 * @throws AgenticError ERR_STORE_UNSUPPORTED (another kind of store, a newer version of ours, another
 *   program's database), ERR_STORE_FAILED
 */
export async function openStore(
  url: string,
  options: { readonly clock: Clock; readonly random?: (bytes: number) => Uint8Array },
): Promise<Store> {
  const handle = openSqlite(sqlitePath(url))
  try {
    const database = await openDatabase(handle)
    const saver = new CheckpointSaver(handle)
    await database.write(async (connection) => {
      await migrate(connection)
      saver.prepare()
    })
    return {
      executions: executionStore(database),
      events: eventStore(database),
      registrations: registrationStore(database),
      checkpoints: checkpointStore(database, saver),
      singleUse: singleUse(database, options.clock),
      salts: saltStore(database, options.random ?? randomBytes),
      close: () => database.close(),
    }
  } catch (error) {
    handle.close()
    throw error
  }
}

/** @returns undefined for a store in memory */
function sqlitePath(url: string): string | undefined {
  if (url === 'memory:') return undefined
  if (url.startsWith('sqlite:') && url.length > 'sqlite:'.length) return url.slice('sqlite:'.length)
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? 'no scheme'
  throw new AgenticError(
    'ERR_STORE_UNSUPPORTED',
    `a store is "sqlite:PATH" or "memory:", found ${scheme === 'sqlite:' ? '"sqlite:" without a path' : scheme}`,
  )
}
