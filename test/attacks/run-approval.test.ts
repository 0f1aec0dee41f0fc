/** Attacks on what a person approved: other arguments, another use, an edited store. */

import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { defineAgent } from '../../runtime/identity/define.js'
import { Sqlite } from '../../runtime/sqlite.js'
import { attack } from '../support/attack.js'
import {
  agents,
  approveAll,
  houseRuntime,
  ledgerResource,
  ledgerWorkflow,
  openHouse,
  payTool,
} from '../support/ledger.js'

const payer = (run: Parameters<typeof defineAgent>[0]['run']) =>
  defineAgent({ id: 'payer', prompt: 'Pay.', tools: [payTool], scopes: ['ledger:pay'], run })

describe('an approval', () => {
  attack('X3', 'opens nothing for other arguments than those approved', async () => {
    const house = openHouse()
    const greedy = payer((context) => context.tool('ledger/pay')({ account: 'acme', amount: 41 }))
    const result = await house.run({ agents: { payer: greedy } })
    expect(result.failure?.code).toBe('ERR_APPROVAL_ARGUMENTS')
    expect(result.status).toBe('refused')
    expect(house.effects.payments).toEqual([])
    expect(await house.records()).toContain('call.refused ERR_APPROVAL_ARGUMENTS')
  })

  attack('X3', 'is good once', async () => {
    const house = openHouse()
    const twice = payer(async (context) => {
      const pay = context.tool('ledger/pay')
      await pay({ account: 'acme', amount: 40 })
      return pay({ account: 'acme', amount: 40 })
    })
    const result = await house.run({ agents: { payer: twice } })
    expect(result.failure?.code).toBe('ERR_APPROVAL_USED')
    expect(house.effects.payments).toHaveLength(1)
    expect(await house.records()).toContain('token.refused ERR_APPROVAL_USED')
  })

  attack('X3', 'is good once for calls at the same time', async () => {
    const house = openHouse()
    const twice = payer(async (context) => {
      const pay = context.tool('ledger/pay')
      const calls = [1, 2, 3].map(() => pay({ account: 'acme', amount: 40 }))
      const settled = await Promise.allSettled(calls)
      return settled.map(({ status }) => status).sort()
    })
    const result = await house.run({ agents: { payer: twice } })
    expect(result.output).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(house.effects.payments).toHaveLength(1)
  })

  attack('T8', 'is needed: the step that it opens gets no token without it', async () => {
    const house = openHouse()
    const result = await house.run({ approve: false })
    expect(result.status).toBe('waiting')
    expect(result.pending.map(({ gate, tool, args }) => ({ gate, tool, args }))).toEqual([
      { gate: 'approve', tool: 'ledger/pay', args: { account: 'acme', amount: 40 } },
    ])
    expect(house.effects.payments).toEqual([])
  })

  attack('X6', 'edited in the store opens nothing', async () => {
    const house = openHouse()
    const waiting = await house.run({ approve: false })
    const runtime = await houseRuntime(house.state)
    await runtime.register({ agents: Object.values(agents) })
    await runtime.decide(waiting.run, 'approve', await approveAll())
    // Whoever can write the database raises the sum that was approved.
    const database = new Sqlite(join(house.state, 'baton.db'))
    const { row } = database.prepare('select row from approvals').get() as { row: string }
    const edited = JSON.parse(row)
    edited.args.amount = 90
    database.prepare('update approvals set row = ?').run(JSON.stringify(edited))
    database.close()
    const run = await runtime.resume(waiting.run, ledgerWorkflow, {
      resources: [ledgerResource(house.effects)],
    })
    const result = await run.result()
    await runtime.close()
    expect(result.status).not.toBe('completed')
    expect(house.effects.payments).toEqual([])
  })

  attack('X3', 'given in another process lets the run go on there, once', async () => {
    const house = openHouse()
    const waiting = await house.run({ approve: false })
    const runtime = await houseRuntime(house.state)
    await runtime.register({ agents: Object.values(agents) })
    await runtime.decide(waiting.run, 'approve', await approveAll())
    await expect(runtime.decide(waiting.run, 'approve', await approveAll())).rejects.toMatchObject({
      code: 'ERR_APPROVAL_USED',
    })
    const resources = [ledgerResource(house.effects)]
    const result = await (await runtime.resume(waiting.run, ledgerWorkflow, { resources })).result()
    expect(result.failure).toBeUndefined()
    expect(result.status).toBe('completed')
    expect(house.effects.payments).toEqual([{ account: 'acme', amount: 40 }])
    await expect(runtime.resume(waiting.run, ledgerWorkflow, { resources })).rejects.toMatchObject({
      code: 'ERR_EXECUTION_ENDED',
    })
    await runtime.close()
  })

  attack('X3', 'denied stops the run', async () => {
    const house = openHouse()
    const waiting = await house.run({ approve: false })
    const runtime = await houseRuntime(house.state)
    await runtime.register({ agents: Object.values(agents) })
    await runtime.decide(waiting.run, 'approve', { decision: 'denied', approver: 'os:1000', method: 'test' })
    const result = await (
      await runtime.resume(waiting.run, ledgerWorkflow, {
        resources: [ledgerResource(house.effects)],
      })
    ).result()
    await runtime.close()
    expect(result.failure?.code).toBe('ERR_APPROVAL_DENIED')
    expect(house.effects.payments).toEqual([])
  })
})
