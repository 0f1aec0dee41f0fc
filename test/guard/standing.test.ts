import { describe, expect, it } from 'vitest'
import { attack } from '../support/attack.js'
import { counter } from '../support/guard-house.js'

// lead → planner → writer: the write step's chain passes three agents.
const writing = () => counter('write', 'stock/count', { item: 'apples' })

describe('the chain of a live token', () => {
  it('counts while everybody on it does', async () => {
    const { send, handled, activation } = await writing()
    expect(activation.chain).toHaveLength(3)
    expect((await send()).status).toBe(200)
    expect(handled).toHaveLength(1)
  })

  for (const agent of ['lead', 'planner', 'writer']) {
    attack('X13', `falls with the registration of its ${agent}, at once`, async () => {
      const { house, send, handled } = await writing()
      await house.store.registrations.revoke(`registration-${agent}`)
      const answer = await send()
      expect(answer.status).toBe(401)
      expect(await answer.json()).toMatchObject({ code: 'ERR_AGENT_REVOKED' })
      expect(handled).toEqual([])
    })
  }
})
