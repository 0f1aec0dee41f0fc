import { describe, expect, it } from 'vitest'
import { openHouse } from '../support/ledger.js'
import { apiKey, prompts, runWithModel, scriptOf } from './house.js'

describe('a well-behaved model behind an OpenAI-compatible API', () => {
  it('completes the run, approval included, with the result that the agents reach by themselves', async () => {
    const scripted = await openHouse().run()
    const { result, house, server, records } = await runWithModel(scriptOf({}))
    expect(result.failure).toBeUndefined()
    expect(result.status).toBe('completed')
    expect(result.output).toEqual(scripted.output)
    expect(result.steps.map(({ step, scope, hops }) => ({ step, scope, hops }))).toEqual(
      scripted.steps.map(({ step, scope, hops }) => ({ step, scope, hops })),
    )
    expect(house.effects).toEqual({ reads: 1, payments: [{ account: 'acme', amount: 40 }] })
    expect(records.filter((record) => record.includes('refused'))).toEqual([])
    expect(server.asked).toHaveLength(4)
  })

  it('is asked with the exact prompt, the key, and the tools of its own agent alone', async () => {
    const { server } = await runWithModel(scriptOf({}))
    const [first, , third] = server.asked
    expect(first).toMatchObject({
      system: prompts.reader,
      tools: ['ledger__read'],
      task: '{"account":"acme"}',
    })
    expect(third).toMatchObject({ system: prompts.payer, tools: ['ledger__pay'] })
    expect(first?.authorization).toBe(`Bearer ${apiKey}`)
  })

  it('is named as the driver of the run', async () => {
    const { events } = await runWithModel(scriptOf({}))
    expect(events[0]).toMatchObject({ type: 'run.started', data: { driver: 'openai:test' } })
  })

  it('may call its tool twice where nobody limits that, and both calls are on record', async () => {
    const { result, house, records } = await runWithModel(
      scriptOf({
        reader: ({ turn, task }) => (turn < 2 ? { calls: [['ledger__read', JSON.parse(task)]] } : 'done'),
      }),
    )
    expect(result.status).toBe('completed')
    expect(house.effects.reads).toBe(2)
    expect(records.filter((record) => record.startsWith('call.'))).toHaveLength(3)
  })
})
