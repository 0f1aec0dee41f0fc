import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAuditRecords } from '../../runtime/audit/auditor/read.js'
import { defineAgent } from '../../runtime/identity/define.js'
import { agents, type House, houseRuntime, openHouse } from '../support/ledger.js'

const { planner } = agents
const changed = defineAgent({ ...planner, prompt: `${planner.prompt} Quickly.` })

/** What the log says the operator did: the kind, and the registration it was done to. */
async function acts(house: House): Promise<unknown[]> {
  const records = await readAuditRecords(join(house.state, 'audit'))
  const ofOperator = records.filter(({ actor }) => actor === 'operator')
  return ofOperator.map(({ type, subjects }) => [type, subjects?.['registration_id']])
}

describe('what an operator does to an agent', () => {
  it('is in the log, each act with the registration it was done to, and nothing where nothing was done', async () => {
    const house = openHouse()
    const runtime = await houseRuntime(house.state)
    try {
      const [first] = await runtime.register({ agents: [planner] })
      await runtime.register({ agents: [planner] })
      const [second] = await runtime.register({ agents: [changed], acceptChanges: true })
      await runtime.rotateKey('planner')
      await runtime.revoke('planner')
      const [one, other] = [first, second].map((report) => report?.registration.registrationId)
      expect(one).not.toBe(other)
      expect(await acts(house)).toEqual([
        ['agent.registered', one],
        ['agent.updated', other],
        ['agent.key_rotated', other],
        ['agent.revoked', other],
      ])
    } finally {
      await runtime.close()
    }
  })
})
