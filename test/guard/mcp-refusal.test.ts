import { type CallToolResult, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, it } from 'vitest'
import { AgenticError } from '../../runtime/errors.js'
import { attack } from '../support/attack.js'
import { failingJournal } from '../support/authority-house.js'
import { type Counter, guardOf } from '../support/guard-house.js'
import { codeOf, expectRefused, textOf } from '../support/mcp-answer.js'
import { connected, mcpHouse } from '../support/mcp-house.js'
import { closeAfterTest, served, withMeta } from '../support/served-mcp.js'

describe('what a refusal tells', () => {
  it('is the same code and word as a resource has for it', async () => {
    const { call, params, reminted } = await served()
    const expired = await call(params({ token: reminted({ exp: 1 }) }))
    expect(expired._meta).toEqual({ 'ajwt/error': 'invalid_token', 'ajwt/code': 'ERR_TOKEN_EXPIRED' })
  })

  attack('X16', 'of a tool that throws is that it failed, and not why', async () => {
    const house = await served({
      run: () => {
        throw new Error('canary: password=hunter2')
      },
    })
    const answer = await house.call(house.params())
    expectRefused(answer, 'ERR_TOOL_FAILED', house, 1)
    expect(textOf(answer)).toEqual(['tool "stock/read" failed'])
    expect(JSON.stringify([answer, house.records()])).not.toMatch(/canary|hunter2/)
  })

  it('of a tool that failed in words for people is these', async () => {
    const house = await served({
      run: () => {
        throw new AgenticError('ERR_TOOL_FAILED', 'the shed is locked', { cause: new Error('canary') })
      },
    })
    const answer = await house.call(house.params())
    expectRefused(answer, 'ERR_TOOL_FAILED', house, 1)
    expect(textOf(answer)).toEqual(['the shed is locked'])
    expect(JSON.stringify(answer)).not.toContain('canary')
  })

  attack('X16', 'of something unforeseen is nothing', async () => {
    const house = await served({
      guard: () => ({ requireStanding: () => Promise.reject(new Error('canary words')) }),
    })
    expect(await house.call(house.params())).toEqual({
      content: [{ type: 'text', text: 'the tool server could not answer' }],
      isError: true,
      _meta: { 'ajwt/error': 'server_error' },
    })
    expect(house.records().at(-1)).toMatchObject({ data: { code: 'server_error' } })
  })

  attack('X16', 'of a store or a log that fails hides its words too', async () => {
    const singleUse = {
      claim: () => Promise.reject(new AgenticError('ERR_REPLAY_STORE', 'canary /dev/sda1')),
    }
    const brokenLog = ({ house }: Counter) => {
      const journal = failingJournal(guardOf(house).journal)
      journal.fail(new AgenticError('ERR_AUDIT_WRITE', 'canary /dev/sda1'))
      return { journal }
    }
    for (const guard of [() => ({ singleUse }), brokenLog]) {
      const house = await served({ guard })
      for (const call of [house.params(), withMeta(house.params(), { 'ajwt/proof': 1 })]) {
        const answer = await house.call(call)
        expect(answer.isError).toBe(true)
        expect(JSON.stringify(answer)).not.toMatch(/canary|sda1/)
      }
      expect(house.ran).toEqual([])
    }
  })

  attack('X16', 'is never a token, a proof or an argument', async () => {
    const { call, params, reminted, activation, token, records } = await served()
    const right = params()
    const answers = [
      await call({ ...right, arguments: { item: 'secret-fruit' } }),
      await call({ ...right, name: 'secret-fruit' }),
      await call(params({ args: { item: 'secret-fruit' } })),
      await call(params({ token: reminted({ aud: 'secret-fruit' }) })),
      await call(withMeta(right, { 'ajwt/token': `${token}secret-fruit` })),
      await call(withMeta(right, { 'ajwt/chain': [...activation.chain, 'secret-fruit'] })),
      await call(withMeta(right, { 'ajwt/proof': { 'secret-fruit': 'secret-fruit' } })),
    ]
    expect(answers.every(({ isError }) => isError)).toBe(true)
    const told = JSON.stringify([answers, records()])
    for (const secret of [
      'secret-fruit',
      token,
      activation.chain[1] ?? '',
      right._meta['ajwt/proof'],
      'apples',
    ])
      expect(told).not.toContain(secret)
  })

  it('passes a client that holds results against a schema of the output', async () => {
    const house = await mcpHouse({ run: () => ({ count: 3 }) })
    const server = house.sdkServer()
    const count = { type: 'object' as const, properties: { count: { type: 'number' } }, required: ['count'] }
    server.setRequestHandler(ListToolsRequestSchema, () => ({
      tools: [{ name: 'read', inputSchema: { type: 'object' as const }, outputSchema: count }],
    }))
    const { client } = await connected({ sdkServer: () => server })
    closeAfterTest(() => client.close())
    await client.listTools()
    const right = house.params()
    const refused = await client.callTool({ ...right, arguments: { item: 'pears' } })
    expect(codeOf(refused as CallToolResult)).toBe('ERR_PROOF_ARGUMENTS')
    expect((await client.callTool(right)).structuredContent).toEqual({ count: 3 })
  })
})
