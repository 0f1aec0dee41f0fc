import { describe, expect, it } from 'vitest'
import { houseRuntime, ledgerWorkflow, openHouse } from '../support/ledger.js'

describe('who starts a run', () => {
  it('is said once: an ID token beside an initiator would be left unread', async () => {
    const runtime = await houseRuntime(openHouse().state)
    try {
      const initiator = { initiatedBy: 'os:1', auth: { method: 'local', time: 1 } }
      const start = runtime.start(ledgerWorkflow, { input: {}, initiator, idToken: 'not a token' })
      await expect(start).rejects.toThrow(TypeError)
      expect(await runtime.runs()).toEqual([])
    } finally {
      await runtime.close()
    }
  })
})
