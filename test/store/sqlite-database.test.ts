import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../runtime/clock.js'
import { Sqlite } from '../../runtime/sqlite.js'
import { executionStore } from '../../runtime/store/executions.js'
import { migrate } from '../../runtime/store/migrations.js'
import { singleUse } from '../../runtime/store/single-use.js'
import { openDatabase } from '../../runtime/store/sqlite-database.js'
import { openSqlite } from '../../runtime/store/sqlite-file.js'
import { executionRow, receiptRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { temporaryFolder, temporaryStore } from '../support/stores.js'

afterEach(() => void vi.useRealTimers())

const newFile = () => join(temporaryFolder(), 'baton.db')

describe('the SQLite database', () => {
  it('is synced at each commit, with foreign keys enforced', async () => {
    const file = newFile()
    await (await temporaryStore(`sqlite:${file}`)).close()
    // An existing file in WAL mode is where SQLite's own default would be weaker.
    const handle = openSqlite(file)
    const database = await openDatabase(handle)
    const pragma = (name: string) => handle.pragma(name, { simple: true })
    expect([pragma('journal_mode'), pragma('synchronous'), pragma('foreign_keys')]).toEqual(['wal', 2, 1])
    await database.close()
  })

  it('refuses rows when the disk is full, keeps none of them, and goes on when there is room', async () => {
    const handle = openSqlite(newFile())
    const database = await openDatabase(handle)
    await database.write(migrate)
    const executions = executionStore(database)
    const claims = singleUse(database, systemClock)
    await executions.create(executionRow())
    const pages = Number(handle.pragma('page_count', { simple: true }))
    handle.pragma(`max_page_count = ${pages}`)

    const large = receiptRow({ jws: 'x'.repeat(100_000) })
    const write = () =>
      executions.decide('execution-1', [], ({ execution }) => ({
        changes: [
          { kind: 'execution', row: { ...execution, epoch: 2 } },
          { kind: 'receipt', row: large },
        ],
        result: 'written',
      }))
    const error = await expectCode(write(), 'ERR_STORE_FAILED')
    expect(error.message).toBe("the store's disk is full")
    await expectCode(
      Promise.all(Array.from({ length: 200 }, (_, index) => claims.claim(`${'k'.repeat(400)}${index}`, 2e9))),
      'ERR_REPLAY_STORE',
    )
    expect(await executions.snapshot('execution-1')).toMatchObject({ execution: { epoch: 1 }, receipts: [] })

    handle.pragma('max_page_count = 1000000')
    expect(await write()).toBe('written')
    expect(await executions.snapshot('execution-1')).toMatchObject({
      execution: { epoch: 2 },
      receipts: [large],
    })
    await database.close()
  })

  it('waits for a lock without blocking, and writes once it is released', async () => {
    const file = newFile()
    const store = await temporaryStore(`sqlite:${file}`)
    const other = new Sqlite(file)
    other.exec('begin immediate')
    let written = false
    const creating = store.executions.create(executionRow()).then(() => (written = true))
    for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve))
    expect(written).toBe(false)
    other.exec('commit')
    other.close()
    await creating
    expect(await store.executions.list()).toHaveLength(1)
  })

  it('gives up on a lock that is not released', async () => {
    const file = newFile()
    const store = await temporaryStore(`sqlite:${file}`)
    const other = new Sqlite(file)
    other.exec('begin immediate')
    vi.useFakeTimers()
    const refused = expectCode(store.executions.create(executionRow()), 'ERR_STORE_FAILED')
    await vi.advanceTimersByTimeAsync(6_000)
    expect((await refused).message).toBe('the store is locked by another process')
    // Reading needs no lock.
    expect(await store.executions.list()).toEqual([])
    other.close()
    await store.executions.create(executionRow())
  })

  it('refuses a damaged row, and a row under a name that is not its own', async () => {
    const file = newFile()
    const store = await temporaryStore(`sqlite:${file}`)
    await store.executions.create(executionRow())
    const intact = await store.executions.snapshot('execution-1')
    const other = new Sqlite(file)
    const overwrite = other.prepare('update executions set row = ?')
    for (const row of [
      '{"executionId":"execution-1"',
      '[]',
      '{"executionId":"execution-1","epoch":1,"epoch":2}',
      JSON.stringify(executionRow({ executionId: 'execution-2' })),
    ]) {
      overwrite.run(row)
      await expectCode(store.executions.snapshot('execution-1'), 'ERR_STORE_FAILED')
      await expectCode(store.executions.list(), 'ERR_STORE_FAILED')
    }
    overwrite.run(JSON.stringify(executionRow()))
    other.close()
    expect(await store.executions.snapshot('execution-1')).toEqual(intact)
  })

  it('forgets expired claims a few at a time, and never a living one', async () => {
    const file = newFile()
    const clock = fakeClock()
    const seconds = clock.nowMs() / 1000
    const store = await temporaryStore(`sqlite:${file}`, clock)
    await store.singleUse.claim('living', seconds + 10_000)
    for (let index = 0; index < 100; index++) await store.singleUse.claim(`key ${index}`, seconds + 60)
    const other = new Sqlite(file)
    const kept = () => other.prepare('select count(*) from single_use').pluck().get()
    expect(kept()).toBe(101)
    clock.advanceSeconds(61)
    await store.singleUse.claim('new 1', seconds + 200)
    expect(kept()).toBe(101 - 64 + 1)
    await store.singleUse.claim('new 2', seconds + 200)
    expect(kept()).toBe(3)
    other.close()
    expect(await store.singleUse.claim('living', seconds + 10_000)).toBe(false)
  })
})

describe('two stores on one file', () => {
  async function both() {
    const url = `sqlite:${newFile()}`
    return Promise.all([temporaryStore(url), temporaryStore(url)])
  }

  it('take turns: no decision is lost, none runs twice, none meets a lock', async () => {
    const [one, two] = await both()
    await one.executions.create(executionRow({ epoch: 0 }))
    let decisions = 0
    const epochs = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        (index % 2 === 0 ? one : two).executions.decide('execution-1', [], ({ execution }) => {
          decisions += 1
          const epoch = execution.epoch + 1
          return { changes: [{ kind: 'execution', row: { ...execution, epoch } }], result: epoch }
        }),
      ),
    )
    expect(epochs.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
    // The lock is taken before a decision looks: none is repeated because somebody else was faster.
    expect(decisions).toBe(40)
    expect((await two.executions.snapshot('execution-1')).execution.epoch).toBe(40)
  })

  it('number the events of one execution together', async () => {
    const stores = await both()
    const append = (index: number) =>
      stores[index % 2 === 0 ? 0 : 1].events.append({
        executionId: 'one',
        at: index,
        type: 'agent.log',
        data: {},
      })
    await Promise.all(Array.from({ length: 40 }, (_, index) => append(index)))
    const seqs = (await stores[1].events.events('one')).map((event) => event.seq)
    expect(seqs).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
  })

  it('give a key to one caller of all', async () => {
    const [one, two] = await both()
    const claims = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? one : two).singleUse.claim('key', 2_000_000_000),
    )
    expect((await Promise.all(claims)).filter((claimed) => claimed)).toHaveLength(1)
  })

  it('give an execution one salt', async () => {
    const [one, two] = await both()
    const [first, second] = await Promise.all([one.salts.getOrCreate('one'), two.salts.getOrCreate('one')])
    expect(second).toEqual(first)
  })
})
