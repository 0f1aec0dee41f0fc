/**
 * SQLite, in the build that suits the Node that runs. better-sqlite3 up to 12 is compiled against Node's own
 * C++ classes; built with the headers of Node 24.19 or newer, it ends the process whenever a statement or a
 * handle that nobody closed is collected (nodejs/node#65446). From 13 on it is a Node-API binary, which does
 * not, but needs Node-API 10: Node 20 has 9, and crashes in it. So Node 20 takes the one, later ones the other.
 */
import { createRequire } from 'node:module'
import type Database from 'better-sqlite3'
import { AgenticError } from './errors.js'

export type SqliteHandle = Database.Database
export type SqliteStatement = Database.Statement<unknown[]>

const offersNodeApi10 = Number(process.versions.napi) >= 10

/** The class of better-sqlite3's handles, with its `SqliteError`. Both builds answer alike. */
export const Sqlite: typeof Database = load()

/** npm leaves the newer build out where optional packages are: to go on with the older one would end in a crash. */
function load(): typeof Database {
  try {
    return offersNodeApi10
      ? createRequire(import.meta.url)('better-sqlite3-node-api')
      : createRequire(import.meta.url)('better-sqlite3')
  } catch (cause) {
    const missing = offersNodeApi10 ? 'better-sqlite3-node-api' : 'better-sqlite3'
    throw new AgenticError('ERR_STORE_FAILED', `SQLite: the package ${missing} is not installed`, { cause })
  }
}
