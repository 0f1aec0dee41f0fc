import { chmodSync, cpSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Sqlite } from '../../runtime/sqlite.js'
import { executionRow, registrationRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { temporaryFolder, temporaryStore } from '../support/stores.js'

const mode = (path: string) => statSync(path).mode & 0o777

/** Refused with this sentence, which holds no SQL, no path and no value. */
async function expectSentence(url: string, code: Parameters<typeof expectCode>[1], sentence: string) {
  const error = await expectCode(temporaryStore(url), code)
  expect(error.message).toBe(sentence)
}

describe('openStore', () => {
  it('makes a private file in a private folder', async () => {
    const folder = join(temporaryFolder(), 'a', 'b')
    const file = join(folder, 'baton.db')
    const store = await temporaryStore(`sqlite:${file}`)
    await store.executions.create(executionRow())
    expect(mode(folder)).toBe(0o700)
    for (const suffix of ['', '-wal', '-shm']) expect(mode(file + suffix)).toBe(0o600)
  })

  it('makes a file private that was readable by others', async () => {
    const file = join(temporaryFolder(), 'baton.db')
    writeFileSync(file, '')
    chmodSync(file, 0o644)
    await temporaryStore(`sqlite:${file}`)
    expect(mode(file)).toBe(0o600)
  })

  it('finds everything again after closing', async () => {
    const url = `sqlite:${join(temporaryFolder(), 'baton.db')}`
    const before = await temporaryStore(url)
    await before.executions.create(executionRow())
    await before.events.append({ executionId: 'execution-1', at: 1, type: 'run.started', data: {} })
    await before.registrations.save(registrationRow())
    await before.singleUse.claim('key', 2_000_000_000)
    const salt = await before.salts.getOrCreate('execution-1')
    await before.close()

    const after = await temporaryStore(url)
    expect(await after.executions.list()).toEqual([executionRow()])
    expect(await after.events.events('execution-1')).toHaveLength(1)
    expect(await after.registrations.list()).toEqual([registrationRow()])
    expect(await after.singleUse.claim('key', 2_000_000_000)).toBe(false)
    expect(await after.salts.getOrCreate('execution-1')).toEqual(salt)
  })

  it('has on disk what it has acknowledged, without being closed', async () => {
    const folder = temporaryFolder()
    const store = await temporaryStore(`sqlite:${join(folder, 'one', 'baton.db')}`)
    await store.executions.create(executionRow())
    // What a killed process leaves behind.
    cpSync(join(folder, 'one'), join(folder, 'two'), { recursive: true })
    const found = await temporaryStore(`sqlite:${join(folder, 'two', 'baton.db')}`)
    expect(await found.executions.list()).toEqual([executionRow()])
  })

  it('gives two stores in memory nothing in common', async () => {
    const [one, two] = [await temporaryStore('memory:'), await temporaryStore('memory:')]
    await one.executions.create(executionRow())
    expect(await two.executions.list()).toEqual([])
  })

  it('finishes what is under way when it is closed, and refuses what comes later', async () => {
    const url = `sqlite:${join(temporaryFolder(), 'baton.db')}`
    const store = await temporaryStore(url)
    const created = store.executions.create(executionRow())
    await Promise.all([store.close(), store.close()])
    await created
    const error = await expectCode(store.executions.list(), 'ERR_STORE_FAILED')
    expect(error.message).toBe('the store is closed')
    expect(await (await temporaryStore(url)).executions.list()).toHaveLength(1)
  })

  it('knows no other kind of store', async () => {
    const refused = (url: string, found: string) =>
      expectSentence(url, 'ERR_STORE_UNSUPPORTED', `a store is "sqlite:PATH" or "memory:", found ${found}`)
    await refused('postgres://user:secret@host/db', 'postgres:')
    await refused('baton.db', 'no scheme')
    await refused('sqlite:', '"sqlite:" without a path')
    await refused('memory:shared', 'memory:')
  })

  it('refuses a file that is no database', async () => {
    const file = join(temporaryFolder(), 'baton.db')
    writeFileSync(file, 'these are notes about the weather, and nothing else\n'.repeat(50))
    await expectSentence(`sqlite:${file}`, 'ERR_STORE_FAILED', "the store's file is not a database")
  })

  it("refuses another program's database, and leaves it as it was", async () => {
    const file = join(temporaryFolder(), 'baton.db')
    const other = new Sqlite(file)
    other.exec('create table customers (name text)')
    await expectSentence(`sqlite:${file}`, 'ERR_STORE_UNSUPPORTED', "the file is another program's database")
    expect(other.prepare("select name from sqlite_master where type = 'table'").pluck().all()).toEqual([
      'customers',
    ])
    other.close()
  })

  it('refuses a store of a newer version, and opens its own', async () => {
    const file = join(temporaryFolder(), 'baton.db')
    await (await temporaryStore(`sqlite:${file}`)).close()
    await (await temporaryStore(`sqlite:${file}`)).close()
    const newer = new Sqlite(file)
    newer.exec('update schema_version set version = 9')
    newer.close()
    const sentence = 'the store has version 9, this program knows versions up to 2'
    await expectSentence(`sqlite:${file}`, 'ERR_STORE_UNSUPPORTED', sentence)
  })

  it('says what is in the place of its folder or its file', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    mkdirSync(join(folder, 'folder'))
    await expectSentence(
      `sqlite:${join(folder, 'file', 'baton.db')}`,
      'ERR_STORE_FAILED',
      "the store's folder cannot be made: a file is in its place",
    )
    await expectSentence(
      `sqlite:${join(folder, 'folder')}`,
      'ERR_STORE_FAILED',
      "the store's file cannot be opened: a folder is in its place",
    )
  })
})
