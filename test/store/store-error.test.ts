import { describe, expect, it } from 'vitest'
import { AgenticError } from '../../runtime/errors.js'
import { Sqlite } from '../../runtime/sqlite.js'
import { openError, storeError } from '../../runtime/store/store-error.js'

describe('storeError', () => {
  const sentence = (error: unknown) => {
    const found = openError(error)
    expect(found).toBeInstanceOf(AgenticError)
    expect((found as AgenticError).cause).toBe(error)
    return (found as AgenticError).message
  }
  const sqlite = (code: string) => new Sqlite.SqliteError('near "secret": some SQL', code)
  const system = (code: string) =>
    Object.assign(new Error('open /home/user/secret'), { code, syscall: 'open' })

  it.each([
    ['SQLITE_FULL', "the store's disk is full"],
    // Its shared index grows by this call alone.
    ['SQLITE_IOERR_SHMSIZE', "the store's disk is full"],
    ['SQLITE_READONLY_DIRECTORY', "the store's file or folder is read-only"],
    ['SQLITE_BUSY_SNAPSHOT', 'the store is locked by another process'],
    ['SQLITE_NOTADB', "the store's file is not a database"],
    ['SQLITE_CORRUPT_VTAB', 'the store is damaged'],
    ['SQLITE_CANTOPEN', "the store's file cannot be opened"],
    ['SQLITE_IOERR_WRITE', "the store's disk failed to read or write"],
    ['SQLITE_ERROR', 'the store failed'],
  ])('says in one sentence what %s means, without its text', (code, expected) => {
    expect(sentence(sqlite(code))).toBe(expected)
  })

  it.each([
    ['ENOSPC', "the store's disk is full"],
    ['EROFS', "the store's file or folder is read-only"],
    ['EACCES', "the store's file or folder may not be opened by this user"],
  ])('says in one sentence what %s means while opening, without the path', (code, expected) => {
    expect(sentence(system(code))).toBe(expected)
  })

  it('leaves every other error as it is', () => {
    const other = new TypeError('not ours')
    const file = system('ENOENT')
    expect(storeError(other)).toBe(other)
    expect(openError(other)).toBe(other)
    // Once open, an error of the file system comes from somebody else's code.
    expect(storeError(file)).toBe(file)
  })
})
