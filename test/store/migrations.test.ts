import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { canonicalize } from '../../runtime/encoding/canonical-json.js'
import { runtimeClientId } from '../../runtime/parts.js'
import { Sqlite } from '../../runtime/sqlite.js'
import { registrationRow } from '../support/execution-rows.js'
import { temporaryFolder, temporaryStore } from '../support/stores.js'

/** A store as version 1 left it: these registrations, without what version 2 keeps of them. */
async function storeOfVersion1(rows: readonly ReturnType<typeof registrationRow>[]): Promise<string> {
  const file = join(temporaryFolder(), 'baton.db')
  await (await temporaryStore(`sqlite:${file}`)).close()
  const database = new Sqlite(file)
  const insert = database.prepare(
    'insert into registrations (registration_id, agent_id, status, row) values (?, ?, ?, ?)',
  )
  for (const { owner: _, clientIds: __, code: ___, ...row } of rows) {
    insert.run(row.registrationId, row.agentId, row.status, canonicalize(row))
  }
  database.exec('update schema_version set version = 1')
  database.close()
  return `sqlite:${file}`
}

describe('a store of version 1', () => {
  it('gets owners, modes and the times that versions were superseded, once', async () => {
    const first = registrationRow({ registrationId: 'a1', status: 'updated', registeredAt: 100 })
    const other = registrationRow({ registrationId: 'b1', agentId: 'planner', registeredAt: 150 })
    const second = registrationRow({
      registrationId: 'a2',
      registeredAt: 200,
      components: { ...first.components, code: 'sha256:x' },
    })
    const url = await storeOfVersion1([first, other, second])
    const mine = { owner: runtimeClientId, clientIds: [runtimeClientId] }
    const expected = [
      { ...first, ...mine, supersededAt: 200 },
      { ...other, ...mine },
      { ...second, ...mine, code: 'deep' },
    ]
    for (let opened = 0; opened < 2; opened++) {
      const store = await temporaryStore(url)
      expect(await store.registrations.list()).toEqual(expected)
      await store.close()
    }
  })

  it('may be empty', async () => {
    const store = await temporaryStore(await storeOfVersion1([]))
    expect(await store.registrations.list()).toEqual([])
  })
})
