import { describe, expect, it } from 'vitest'
import { fixedKey } from '../support/fixed-keys.js'
import { type CallChanges, counter } from '../support/guard-house.js'

describe('the order of a guard', () => {
  it('is that of PROTOCOL 10: the first thing wrong answers', async () => {
    const setting = await counter(
      'look',
      'stock/read',
      { item: 'apples' },
      {
        tool: { only: { workflow: 'shipping', steps: ['plan'] } },
      },
    )
    const { run, activation, send, reminted } = setting
    const wrongArgs = { args: { item: 7 } }
    const noScope = reminted({
      scope: '',
      authorization_details: [{ type: 'attenuating_agent_token', tools: {} }],
    })
    const codes: unknown[] = []
    const ask = async (changes: CallChanges) => {
      codes.push(((await (await send(changes)).json()) as { code?: string }).code)
    }
    await ask({ ...wrongArgs, token: reminted({ scope: '', aud: 'x' }), key: fixedKey('planner'), chain: [] })
    await ask({ ...wrongArgs, token: noScope, key: fixedKey('planner'), chain: [] })
    await ask({ ...wrongArgs, token: noScope, chain: activation.chain.slice(0, 1) })
    await ask({ ...wrongArgs, token: noScope })
    await run.complete(activation)
    await ask({ ...wrongArgs, token: noScope, chain: activation.chain.slice(0, 1) })
    expect(codes).toEqual([
      'ERR_TOKEN_AUDIENCE',
      'ERR_PROOF_KEY',
      'ERR_CHAIN_HASH',
      'ERR_TOOL_NOT_GRANTED',
      'ERR_ACTIVATION_NOT_LIVE',
    ])
  })

  it('judges arguments before scope, and scope last', async () => {
    const { send, reminted, handled } = await counter('look', 'stock/read', { item: 'apples' })
    const token = reminted({ scope: '' })
    const code = async (args: { item: string | number }) =>
      ((await (await send({ token, args })).json()) as { code?: string }).code
    expect([await code({ item: 7 }), await code({ item: 'pears' }), await code({ item: 'apples' })]).toEqual([
      'ERR_ARGUMENT_INVALID',
      'ERR_ARGUMENT_REFUSED',
      'ERR_SCOPE_MISSING',
    ])
    expect(handled).toEqual([])
  })
})

describe('a route that names its steps', () => {
  it('is closed to every other step and workflow', async () => {
    for (const [only, status] of [
      [{ workflow: 'shipping', steps: ['look'] }, 200],
      [{ workflow: 'shipping', steps: ['plan', 'write'] }, 403],
      [{ workflow: 'other', steps: ['look'] }, 403],
      [{ workflow: 'shipping', steps: [] }, 403],
    ] as const) {
      const { send, handled } = await counter('look', 'stock/read', { item: 'apples' }, { tool: { only } })
      expect((await send()).status).toBe(status)
      expect(handled).toHaveLength(status === 200 ? 1 : 0)
    }
  })
})
