/**
 * Failures of the disk and of SQLite, said in one sentence that an operator can act on. No SQL, no path and
 * no value reaches the text; the original is the `cause`.
 */
import { AgenticError } from '../errors.js'
import { Sqlite } from '../sqlite.js'

const sentences: readonly (readonly [code: RegExp, sentence: string])[] = [
  [/^(SQLITE_FULL|SQLITE_IOERR_NOSPC|SQLITE_IOERR_SHMSIZE|ENOSPC|EDQUOT)$/, "the store's disk is full"],
  [/^(SQLITE_READONLY|EROFS)/, "the store's file or folder is read-only"],
  [/^(SQLITE_PERM|SQLITE_AUTH|EACCES|EPERM)/, "the store's file or folder may not be opened by this user"],
  [/^(SQLITE_BUSY|SQLITE_LOCKED)/, 'the store is locked by another process'],
  [/^SQLITE_NOTADB/, "the store's file is not a database"],
  [/^(SQLITE_CORRUPT)/, 'the store is damaged'],
  [/^(ENOTDIR|EEXIST)$/, "the store's folder cannot be made: a file is in its place"],
  [/^EISDIR$/, "the store's file cannot be opened: a folder is in its place"],
  [/^(SQLITE_CANTOPEN|ENOENT|ELOOP|ENAMETOOLONG|EMFILE|ENFILE)/, "the store's file cannot be opened"],
  [/^SQLITE_IOERR/, "the store's disk failed to read or write"],
  [/^SQLITE_(NOMEM|TOOBIG)/, 'the store cannot hold a row of this size'],
]

/** Turns an error of SQLite into ours; anything else is given back as it is.
 * @returns AgenticError ERR_STORE_FAILED, ERR_STORE_CONFLICT (such a row exists already), or the error itself
 */
export function storeError(error: unknown): unknown {
  if (!(error instanceof Sqlite.SqliteError)) return error
  if (error.code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || error.code === 'SQLITE_CONSTRAINT_UNIQUE') {
    return new AgenticError('ERR_STORE_CONFLICT', 'the store already holds such a row', { cause: error })
  }
  return failure(error.code, error)
}

/** The same for an error met while opening the file, which may be one of the file system. */
export function openError(error: unknown): unknown {
  if (error instanceof Error && 'syscall' in error && 'code' in error)
    return failure(String(error.code), error)
  return storeError(error)
}

/** True when somebody else holds the lock, so that trying again can help. */
export function isBusy(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')
}

function failure(code: string, cause: Error): AgenticError {
  const sentence = sentences.find(([pattern]) => pattern.test(code))?.[1] ?? 'the store failed'
  return new AgenticError('ERR_STORE_FAILED', sentence, { cause })
}
