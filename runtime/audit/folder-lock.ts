/**
 * One writer at a time among all processes that use a folder. The lock is the write lock of an empty SQLite
 * database in that folder: the kernel drops it with the process that held it, so there is no stale lock to
 * judge by a process number, which another process may carry by then, or in another container.
 */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { AgenticError } from '../errors.js'
import { Sqlite, type SqliteStatement } from '../sqlite.js'

export const lockFileName = 'writer.lock'

export interface FolderLock {
  /** Runs `work` while no other process runs one on this folder.
   * @throws AgenticError ERR_AUDIT_WRITE, without having called `work`, when the lock stays taken */
  hold<T>(work: () => Promise<T>): Promise<T>
  close(): void
}

/** @param folder exists
 * @param waitMs how long to ask again while another process holds the lock */
export function openFolderLock(folder: string, waitMs: number): FolderLock {
  // `timeout: 0`: SQLite would wait by blocking the thread; the timers below do not.
  const database = new Sqlite(join(folder, lockFileName), { timeout: 0 })
  const take = database.prepare('BEGIN IMMEDIATE')
  const release = database.prepare('COMMIT')
  return {
    async hold(work) {
      for (let waited = 0, pause = 1; !tryTake(take); waited += pause, pause = Math.min(pause * 2, 16)) {
        if (waited >= waitMs)
          throw new AgenticError('ERR_AUDIT_WRITE', 'another process writes this audit log')
        await wait(pause)
      }
      try {
        return await work()
      } finally {
        release.run()
      }
    },
    close: () => {
      database.close()
    },
  }
}

function tryTake(take: SqliteStatement): boolean {
  try {
    take.run()
    return true
  } catch (error) {
    // SQLITE_BUSY and its extended codes: somebody else is at it. Anything else will not go away by waiting.
    if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')) return false
    throw new AgenticError('ERR_AUDIT_WRITE', 'the lock of the audit log cannot be taken', { cause: error })
  }
}
