import { describe, expect, it } from 'vitest'
import { decodeAssertion } from '../../runtime/delegation/assertion.js'
import { expectCode } from '../support/expect-code.js'
import {
  agents,
  approveAll,
  houseRuntime,
  ledgerResource,
  ledgerWorkflow,
  openHouse,
} from '../support/ledger.js'

describe('an agent whose key is rotated', () => {
  it('goes on with a run under way, and signs with its new key in the next', async () => {
    const house = openHouse()
    const waiting = await house.run({ approve: false })
    const runtime = await houseRuntime(house.state)
    try {
      await runtime.register({ agents: Object.values(agents) })
      const before = (await runtime.agents()).find(({ agentId }) => agentId === 'planner')
      const after = await runtime.rotateKey('planner')
      expect(after.registrationId).toBe(before?.registrationId)
      expect(after.keys.map(({ epoch }) => epoch)).toEqual([0, 1])
      const resources = [ledgerResource(house.effects)]
      await runtime.decide(waiting.run, 'approve', await approveAll())
      const resumed = await (await runtime.resume(waiting.run, ledgerWorkflow, { resources })).result()
      expect(resumed).toMatchObject({ status: 'completed' })
      expect(house.effects.payments).toHaveLength(1)
    } finally {
      await runtime.close()
    }
    const next = await house.run()
    expect(next.status).toBe('completed')
    const planned = next.steps.find(({ agent }) => agent === 'planner')?.chain.at(-1) ?? ''
    const again = await houseRuntime(house.state)
    const newest = (await again.agents()).find(({ agentId }) => agentId === 'planner')?.keys.at(-1)
    await again.close()
    expect(decodeAssertion(planned).jwk).toEqual(newest?.jwk)
  })

  it('is one that is registered and not revoked, and the log knows of it', async () => {
    const house = openHouse()
    const runtime = await houseRuntime(house.state)
    try {
      await runtime.register({ agents: Object.values(agents) })
      await expectCode(runtime.rotateKey('stranger'), 'ERR_AGENT_UNKNOWN')
      const { records } = runtime.audit()
      const ended = await runtime.rotateKey('planner', { overlapSeconds: 0 })
      expect(ended.keys[0]?.notAfter).toBeTypeOf('number')
      expect(runtime.audit().records).toBe(records + 1)
      await runtime.revoke('planner')
      await expectCode(runtime.rotateKey('planner'), 'ERR_AGENT_REVOKED')
    } finally {
      await runtime.close()
    }
  })
})
