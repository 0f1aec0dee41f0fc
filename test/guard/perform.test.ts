import { describe, expect, it } from 'vitest'
import { AgenticError } from '../../runtime/errors.js'
import { attack } from '../support/attack.js'
import { failingJournal, openHouse, recordsOf } from '../support/authority-house.js'
import { counter } from '../support/guard-house.js'

const apples = { item: 'apples' }

function handledBy(handler: (args: Record<string, unknown>) => unknown) {
  return counter('look', 'stock/read', apples, { tool: { handler } })
}

describe('a call that is allowed', () => {
  it('is recorded before it happens, with digests and no arguments', async () => {
    let recordedBefore: unknown
    const setting = await handledBy(() => {
      recordedBefore = recordsOf(setting.house).at(-1)
      return null
    })
    expect((await setting.send()).status).toBe(200)
    expect(recordedBefore).toMatchObject({
      type: 'call.allowed',
      actor: 'agent:reader',
      execution_id: setting.activation.executionId,
      activation_id: setting.activation.activationId,
      subjects: { jti: expect.any(String), chain_hash: expect.any(String) },
      data: { tool: 'stock/read', audience: 'https://repo.example', args: expect.stringMatching(/^hmac-/) },
    })
    expect(JSON.stringify(recordedBefore)).not.toContain('apples')
  })

  attack('X7', 'does not happen when it cannot be recorded', async () => {
    const house = await openHouse()
    const journal = failingJournal(house.deps.journal)
    const setting = await counter('look', 'stock/read', apples, { house, guard: { journal } })
    journal.fail(new AgenticError('ERR_AUDIT_WRITE', 'disk full'))
    expect((await setting.send()).status).toBe(500)
    expect(setting.handled).toEqual([])
  })

  attack('X18', 'gets arguments that nobody else holds and nothing can change', async () => {
    let given: Record<string, unknown> = {}
    const { send } = await handledBy((args) => {
      given = args
      return Object.isFrozen(args)
    })
    expect(await (await send()).json()).toBe(true)
    expect(() => Object.assign(given, { item: 'pears' })).toThrow(TypeError)
  })
})

describe('a handler that fails', () => {
  it('tells people what its author wrote for them', async () => {
    const { send } = await handledBy(() => {
      throw new AgenticError('ERR_TOOL_FAILED', 'no such item')
    })
    const answer = await send()
    expect(answer.status).toBe(422)
    expect(await answer.json()).toMatchObject({ error_description: 'no such item', code: 'ERR_TOOL_FAILED' })
  })

  attack('X16', 'tells nothing of what anything else threw', async () => {
    const errors = [
      new Error('secret words'),
      new AgenticError('ERR_STORE_FAILED', 'secret words'),
      'secret words',
    ]
    for (const error of errors) {
      const { send, house } = await handledBy(() => Promise.reject(error))
      const answer = await send()
      expect(answer.status).toBe(422)
      expect(`${await answer.text()}${JSON.stringify(recordsOf(house))}`).not.toContain('secret')
    }
  })

  it('fails, too, when its result is not plain JSON', async () => {
    for (const result of [new Date(), { at: new Map() }, () => 1, { n: Number.NaN }]) {
      const { send } = await handledBy(() => result)
      expect((await send()).status).toBe(422)
    }
    const { send } = await handledBy(() => undefined)
    expect(await (await send()).json()).toBeNull()
  })
})
