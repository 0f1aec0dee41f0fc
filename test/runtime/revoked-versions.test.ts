/** Revoking an agent ends all of it, the version that an older run is pinned to included. */
import { describe, expect } from 'vitest'
import { defineAgent } from '../../runtime/identity/define.js'
import { attack } from '../support/attack.js'
import {
  agents,
  approveAll,
  houseRuntime,
  ledgerResource,
  ledgerWorkflow,
  openHouse,
} from '../support/ledger.js'

/** A run that waits under version 1 of an agent, gone on with after version 2 was registered. */
async function resumeAfter(end: 'superseded' | 'revoked') {
  const house = openHouse()
  const waiting = await house.run({ approve: false })
  const runtime = await houseRuntime(house.state)
  try {
    const planner = defineAgent({ ...agents.planner, prompt: 'Plan well.' })
    await runtime.register({ agents: [planner], acceptChanges: true })
    if (end === 'revoked') await runtime.revoke('planner')
    await runtime.decide(waiting.run, 'approve', await approveAll())
    for (const agent of Object.values(agents)) {
      if (agent.id !== 'planner') await runtime.register({ agents: [agent] })
    }
    const statuses = (await runtime.agents())
      .filter(({ agentId }) => agentId === 'planner')
      .map(({ status }) => status)
    const resources = [ledgerResource(house.effects)]
    const resumed = await runtime.resume(waiting.run, ledgerWorkflow, { resources }).then(
      async (run) => (await run.result()).status,
      (error: { code: string }) => error.code,
    )
    return { statuses, resumed, payments: house.effects.payments.length }
  } finally {
    await runtime.close()
  }
}

describe('a run that pinned an older version', () => {
  attack('X13', 'is not even taken over once the agent is revoked: the older version is, too', async () => {
    // Superseded only, the run is taken over, and refused where an agent of another version would act.
    expect(await resumeAfter('superseded')).toEqual({
      statuses: ['updated', 'verified'],
      resumed: 'refused',
      payments: 0,
    })
    expect(await resumeAfter('revoked')).toEqual({
      statuses: ['revoked', 'revoked'],
      resumed: 'ERR_AGENT_REVOKED',
      payments: 0,
    })
  })
})
