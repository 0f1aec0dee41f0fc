/** Opens the SQLite handle, and keeps the file private: it holds arguments, state and salts. */
import { closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Sqlite, type SqliteHandle } from '../sqlite.js'
import { openError } from './store-error.js'

const privateFile = 0o600
const privateFolder = 0o700

/** Opens or makes a database file, mode 0600, in a folder that is made with mode 0700 where it is missing.
 * @param path file name, from the working folder where relative; undefined for a database in memory
 * @throws AgenticError ERR_STORE_FAILED
 */
export function openSqlite(path: string | undefined): SqliteHandle {
  try {
    return path === undefined ? new Sqlite(':memory:') : openFile(resolve(path))
  } catch (error) {
    throw openError(error)
  }
}

function openFile(file: string): SqliteHandle {
  mkdirSync(dirname(file), { recursive: true, mode: privateFolder })
  // Made here rather than by SQLite, so that it is never readable by others, not even for a moment.
  // SQLite gives its `-wal` and `-shm` files the mode of the database.
  const descriptor = openSync(file, constants.O_RDWR | constants.O_CREAT, privateFile)
  try {
    if ((fstatSync(descriptor).mode & 0o077) !== 0) fchmodSync(descriptor, privateFile)
  } finally {
    closeSync(descriptor)
  }
  return new Sqlite(file, { fileMustExist: true })
}
