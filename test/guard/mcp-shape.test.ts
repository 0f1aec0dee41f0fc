import { describe, expect, it } from 'vitest'
import type { ToolServer } from '../../runtime/client/tool-server.js'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { createMcpHandler, type McpToolCall } from '../../runtime/guard/mcp.js'
import { attack } from '../support/attack.js'
import { audience } from '../support/intent-claims.js'
import { codeOf, expectRefused } from '../support/mcp-answer.js'
import { mcpHouse } from '../support/mcp-house.js'
import { served, withMeta } from '../support/served-mcp.js'

describe('a call without credentials', () => {
  it('is told what must come, with our code and without a word of OAuth, and is no record', async () => {
    const house = await served()
    const before = house.records().length
    const { name, arguments: args, _meta } = house.params()
    const { 'ajwt/token': _, ...rest } = _meta
    const inherited = JSON.parse(`{"__proto__":${JSON.stringify(_meta)}}`) as Record<string, unknown>
    for (const meta of [undefined, {}, { progressToken: 1 }, rest, inherited]) {
      const call = { name, arguments: args, ...(meta && { _meta: meta }) }
      const direct = await house.handler(call, { signal: new AbortController().signal })
      for (const answer of [await house.call(call), direct]) {
        expect(answer).toEqual({
          content: [{ type: 'text', text: 'a call must carry a token, its chain and a proof' }],
          isError: true,
          _meta: { 'ajwt/code': 'ERR_CREDENTIALS_MISSING' },
        })
      }
    }
    expect(house.ran).toEqual([])
    expect(house.records()).toHaveLength(before)
    expect((await house.call({ name, arguments: args, _meta })).isError).toBeUndefined()
  })
})

describe('a call of another shape', () => {
  const values: readonly unknown[] = [null, 1, true, {}, [], ['x'], { length: 1, 0: 'x' }]

  attack(['X8', 'X10'], 'does not run with members of other types', async () => {
    const house = await served()
    for (const name of ['ajwt/token', 'ajwt/chain', 'ajwt/proof']) {
      for (const value of values) {
        const answer = await house.call(withMeta(house.params(), { [name]: value }))
        expect(['ERR_TOKEN_MALFORMED', 'ERR_CHAIN_EMPTY']).toContain(codeOf(answer))
      }
    }
    expect(house.ran).toEqual([])
    expect((await house.call(house.params())).isError).toBeUndefined()
  })

  attack(
    ['X8', 'X10'],
    'does not run with parameters of other types, whether or not the SDK looks',
    async () => {
      const house = await served()
      const signal = new AbortController().signal
      const right = house.params()
      for (const [member, wrong] of [
        ['_meta', [null, 1, 'x', [], [right._meta]]],
        ['arguments', [null, 1, 'x', [], [right.arguments]]],
        ['name', [undefined, null, 1, {}, ['read']]],
        ['task', [{}, { ttl: 1 }, null, 'x']],
      ] as const) {
        for (const value of wrong) {
          const call = { ...right, [member]: value } as unknown as McpToolCall
          expectRefused(await house.handler(call, { signal }), 'ERR_REQUEST_INVALID', house)
          // The SDK takes a message with such a member for none, and never answers it.
          if (member === '_meta') continue
          await house.call(call).then(
            (answer) => expect(codeOf(answer)).toBe('ERR_REQUEST_INVALID'),
            (error: unknown) => expect(error).toMatchObject({ name: 'McpError' }),
          )
        }
      }
      expect(house.ran).toEqual([])
      expect((await house.call(right)).isError).toBeUndefined()
    },
  )

  attack('X10', 'runs with no argument that an object could inherit', async () => {
    const house = await served()
    const right = house.params()
    const signal = new AbortController().signal
    const args = JSON.parse('{"item":"apples","__proto__":{"count":1}}') as JsonObject
    expectRefused(
      await house.handler({ ...right, arguments: args }, { signal }),
      'ERR_JSON_NOT_CANONICAL',
      house,
    )
    // The SDK leaves such a key out, and then the call is the one that was proven.
    expect((await house.call({ ...right, arguments: args })).isError).toBeUndefined()
    expect(house.ran).toMatchObject([{ args: { item: 'apples' } }])
    expect(Object.keys(house.ran[0]?.args ?? {})).toEqual(['item'])
  })

  attack('X10', 'reads no parameter out of a polluted prototype', async () => {
    const house = await mcpHouse()
    const signal = new AbortController().signal
    const { _meta, ...bare } = house.params()
    const polluted = Object.prototype as Record<string, unknown>
    try {
      polluted['_meta'] = _meta
      polluted['task'] = {}
      const answer = await house.handler(bare, { signal })
      expect(answer._meta).toEqual({ 'ajwt/code': 'ERR_CREDENTIALS_MISSING' })
    } finally {
      delete polluted['_meta']
      delete polluted['task']
    }
    expect((await house.handler({ ...bare, _meta }, { signal })).isError).toBeUndefined()
  })

  it('runs without arguments as with none', async () => {
    const { activation, token, guard, params } = await mcpHouse()
    const invoked: unknown[] = []
    const toolServer: ToolServer = {
      audience,
      invoke: async ({ signal: _, ...invocation }) => {
        invoked.push(invocation)
      },
    }
    const handler = createMcpHandler(toolServer, { server: 'stock' }, guard)
    const { name, _meta } = params()
    const answer = await handler({ name, _meta }, { signal: new AbortController().signal })
    expect(answer).toEqual({ content: [{ type: 'text', text: 'null' }] })
    const proof = _meta['ajwt/proof']
    const { chain } = activation
    expect(invoked).toEqual([{ token, chain, proof, tool: 'stock/read', args: {}, input: undefined }])
  })
})

describe('a huge call', () => {
  attack('X14', 'is refused by its sizes, and one within them is read', async () => {
    const house = await served()
    const right = house.params()
    const large = 'x'.repeat(5 * 1024 * 1024)
    const refused: readonly [ErrorCode, Record<string, unknown>][] = [
      ['ERR_TOKEN_TOO_LARGE', { 'ajwt/token': large }],
      ['ERR_TOKEN_TOO_LARGE', { 'ajwt/chain': [large] }],
      ['ERR_TOKEN_TOO_LARGE', { 'ajwt/proof': large }],
      ['ERR_CHAIN_TOO_LONG', { 'ajwt/chain': Array(100_000).fill('x') }],
      ['ERR_CHAIN_TOO_LONG', { 'ajwt/chain': Array(17).fill('x'.repeat(16_000)) }],
    ]
    for (const [code, meta] of refused) {
      expectRefused(await house.call(withMeta(right, meta)), code, house)
    }
    expect((await house.call(withMeta(right, { 'example.com/note': large }))).isError).toBeUndefined()
  })
})
