import { describe, expect, it } from 'vitest'
import { attack } from '../support/attack.js'
import { recordsOf } from '../support/authority-house.js'
import { counter } from '../support/guard-house.js'
import { approvedArgs } from '../support/shipping.js'

const writing = () => counter('write', 'stock/write', approvedArgs)

describe('a token that an approval opened', () => {
  attack('X3', 'is good for one call', async () => {
    const { send, handled } = await writing()
    expect((await send()).status).toBe(200)
    const answer = await send()
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ code: 'ERR_TOKEN_USED' })
    expect(handled).toHaveLength(1)
  })

  attack('X3', 'is good for one of many calls at once', async () => {
    const { send, handled } = await writing()
    const statuses = (await Promise.all([send(), send(), send()])).map(({ status }) => status).sort()
    expect(statuses).toEqual([200, 401, 401])
    expect(handled).toHaveLength(1)
  })

  attack('X3', 'is not opened by a store that answers in other words than true', async () => {
    for (const [answer, status] of [
      [{ claimed: false }, 401],
      [true, 200],
    ] as const) {
      const claim = async (key: string) => (key.startsWith('once:') ? answer : true) as boolean
      const { send } = await counter('write', 'stock/write', approvedArgs, {
        guard: { singleUse: { claim } },
      })
      expect((await send()).status).toBe(status)
    }
  })

  it('is not spent by a call that is refused', async () => {
    const { send, handled } = await writing()
    expect((await send({ args: { ...approvedArgs, count: 4 } })).status).toBe(403)
    expect((await send({ args: { ...approvedArgs, count: 101 } })).status).toBe(403)
    expect((await send()).status).toBe(200)
    expect(handled).toMatchObject([{ args: approvedArgs }])
  })

  attack('X3', 'opens no other tool, whatever else it says', async () => {
    const { send, reminted, handled } = await writing()
    const details = [{ type: 'attenuating_agent_token', tools: { 'stock/count': {}, 'stock/write': {} } }]
    const token = reminted({ authorization_details: details })
    const proof = { url: 'https://repo.example/count' }
    const body = new TextEncoder().encode('{"item":"apples"}')
    const request = { query: '', contentType: 'application/json', body }
    const answer = await send({
      token,
      path: '/count',
      args: { item: 'apples' },
      proof: { ...proof, request },
    })
    expect(await answer.json()).toMatchObject({ code: 'ERR_APPROVAL_ARGUMENTS' })
    const forAnother = await send({ token: reminted({ 'intent.approval.tool': 'stock/count' }) })
    expect(await forAnother.json()).toMatchObject({ code: 'ERR_APPROVAL_ARGUMENTS' })
    expect(handled).toEqual([])
  })

  it('leaves a record of each outcome', async () => {
    const { send, house } = await writing()
    await send()
    await send()
    expect(recordsOf(house).slice(-2)).toMatchObject([
      { type: 'call.allowed', actor: 'agent:writer', data: { tool: 'stock/write' } },
      { type: 'call.refused', actor: 'guard', data: { code: 'ERR_TOKEN_USED' } },
    ])
  })
})

describe('a token without an approval', () => {
  it('is good for many calls, each with a proof and a key of its own', async () => {
    const { send, handled } = await counter('look', 'stock/read', { item: 'apples' })
    for (let ordinal = 0; ordinal < 3; ordinal++)
      expect((await send({ proof: { ordinal } })).status).toBe(200)
    expect(new Set(handled.map(({ info }) => info.idempotencyKey)).size).toBe(3)
  })
})
