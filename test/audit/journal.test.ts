import { describe, expect, it } from 'vitest'
import { createJournal } from '../../runtime/audit/journal.js'
import type { AuditEntry } from '../../runtime/audit/record.js'
import { attack } from '../support/attack.js'
import { temporaryStore } from '../support/stores.js'

async function journalOf() {
  const entries: AuditEntry[] = []
  const audit = {
    append: async (entry: AuditEntry) => ({ seq: entries.push(entry) - 1 }),
    head: () => ({ size: entries.length, root: '' }),
    checkpoint: () => undefined,
    verifierKey: '',
    close: async () => {},
  }
  const { salts } = await temporaryStore('memory:')
  return { entries, journal: createJournal({ audit, salts }) }
}

describe('the journal', () => {
  it('writes an outcome in the words of the log', async () => {
    const { entries, journal } = await journalOf()
    const place = { executionId: 'execution-1', activationId: 'activation-1' }
    await journal.record({ type: 'a.b', actor: 'guard', ...place, subjects: { jti: 't' }, data: { n: 1 } })
    await journal.record({ type: 'a.b', actor: 'guard', data: {} })
    expect(entries).toEqual([
      {
        type: 'a.b',
        actor: 'guard',
        execution_id: 'execution-1',
        activation_id: 'activation-1',
        subjects: { jti: 't' },
        data: { n: 1 },
      },
      { type: 'a.b', actor: 'guard', data: {} },
    ])
  })

  attack('X16', 'digests a payload under the salt of its run: two runs cannot be compared', async () => {
    const { journal } = await journalOf()
    const digest = await journal.digest('execution-1', { item: 'apples' })
    expect(digest).toMatch(/^hmac-sha256:[0-9a-f]{64}$/)
    expect(await journal.digest('execution-1', { item: 'apples' })).toBe(digest)
    expect(await journal.digest('execution-1', { item: 'pears' })).not.toBe(digest)
    expect(await journal.digest('execution-2', { item: 'apples' })).not.toBe(digest)
  })
})
