import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  CallToolRequestSchema,
  type CallToolResult,
  ListToolsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { afterEach, describe, expect, it } from 'vitest'
import type { McpCallParams } from '../../runtime/client/mcp-call.js'
import type { ToolServer } from '../../runtime/client/tool-server.js'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import { AgenticError, type ErrorCode, oauthAnswers } from '../../runtime/errors.js'
import { createMcpHandler, type McpToolCall } from '../../runtime/guard/mcp.js'
import { pinMcpTools } from '../../runtime/identity/mcp-tools.js'
import { attack } from '../support/attack.js'
import { failingJournal, tokenRequest } from '../support/authority-house.js'
import { type Counter, guardOf } from '../support/guard-house.js'
import { audience } from '../support/intent-claims.js'
import { callOver, connected, type McpHouse, mcpHouse } from '../support/mcp-house.js'
import { approvedArgs } from '../support/shipping.js'

const textOf = ({ content }: CallToolResult) => content.map((part) => (part.type === 'text' ? part.text : ''))
const codeOf = ({ _meta }: CallToolResult) => _meta?.['ajwt/code']
const withMeta = (params: McpCallParams, meta: Record<string, unknown>): McpToolCall => ({
  ...params,
  _meta: { ...params._meta, ...meta },
})

/** A house with client and server joined, which are closed after the test. */
async function served(...options: Parameters<typeof mcpHouse>) {
  const house = await mcpHouse(...options)
  const wire = await connected(house)
  open.push(() => wire.client.close())
  return { ...house, ...wire }
}

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

/** The call was refused for this reason, with OAuth's word and without anything else, and nothing ran. */
function expectRefused(answer: CallToolResult, code: ErrorCode, { ran }: Pick<McpHouse, 'ran'>, runs = 0) {
  const [word] = (code === 'ERR_TOOL_UNKNOWN' ? oauthAnswers.ERR_ROUTE_UNKNOWN : oauthAnswers[code]).resource
  expect(answer).toEqual({
    content: [{ type: 'text', text: expect.stringMatching(/./) }],
    isError: true,
    _meta: { 'ajwt/error': word, 'ajwt/code': code },
  })
  expect(ran).toHaveLength(runs)
}

describe('a guarded tool over MCP', () => {
  it('runs once for a call that is proven, with frozen arguments and no input', async () => {
    const { call, params, ran, activation } = await served()
    expect(await call(params())).toEqual({
      content: [{ type: 'text', text: '{"done":true}' }],
      structuredContent: { done: true },
    })
    expect(ran).toMatchObject([
      { args: { item: 'apples' }, info: { agentId: 'reader', activationId: activation.activationId } },
    ])
    expect(ran[0]?.info.input).toBeUndefined()
    expect(Object.isFrozen(ran[0]?.args)).toBe(true)
  })

  it('is found by the name under which a client pins it', async () => {
    const { client, call, params, ran } = await served()
    const pinned = pinMcpTools('stock', [JSON.stringify(await client.listTools())])
    expect(pinned.tools.map(({ tool }) => tool)).toEqual(['stock/count', 'stock/read', 'stock/write'])
    const right = params({ tool: pinned.tools[1]?.tool ?? '' })
    expect(right.name).toBe('read')
    expect((await call(right)).isError).toBeUndefined()
    expect(ran).toHaveLength(1)
  })

  it('may have the same name here and in grants', async () => {
    const { call, params } = await served({ names: {} })
    expect(params().name).toBe('stock/read')
    expect((await call(params())).isError).toBeUndefined()
    expect(codeOf(await call({ ...params(), name: 'read' }))).toBe('ERR_TOOL_UNKNOWN')
  })

  it('tells text as it is, and anything else as JSON', async () => {
    let result: unknown
    const { call, params } = await served({ run: () => result })
    const told = async (value: unknown) => {
      result = value
      return call(params())
    }
    expect(await told('3 “apples”\n')).toEqual({ content: [{ type: 'text', text: '3 “apples”\n' }] })
    for (const value of [3, true, null, [{ count: 3 }]]) {
      expect(await told(value)).toEqual({ content: [{ type: 'text', text: JSON.stringify(value) }] })
    }
    expect(textOf(await told(undefined))).toEqual(['null'])
    const answer = await told({ count: 3, where: ['shed'] })
    expect(answer.structuredContent).toEqual({ count: 3, where: ['shed'] })
    expect(JSON.parse(textOf(answer)[0] ?? '')).toEqual(answer.structuredContent)
  })

  it('hears of a cancelled call', async () => {
    const abort = new AbortController()
    let heard: (() => void) | undefined
    const cancelled = new Promise<void>((resolve) => {
      heard = resolve
    })
    const { client, params } = await served({
      run: (_, { signal }) => {
        signal.addEventListener('abort', () => heard?.())
        abort.abort()
        return cancelled
      },
    })
    const answer = client.callTool(params(), undefined, { signal: abort.signal })
    await expect(answer).rejects.toThrow()
    await cancelled
  })

  it('takes no name for a server that is no identifier', async () => {
    const { toolServer, guard } = await mcpHouse()
    for (const server of ['', 'a/b', 'stock/']) {
      expect(() => createMcpHandler(toolServer, { server }, guard)).toThrow(TypeError)
    }
  })
})

describe('what the SDK carries', () => {
  it('is _meta as it was sent, beside its own members', async () => {
    const { params, sdkServer, ran } = await mcpHouse()
    const server = sdkServer()
    const wire = await connected({ sdkServer: () => server })
    open.push(() => wire.client.close())
    const seen: unknown[] = []
    server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
      seen.push(params._meta)
      return { content: [], _meta: { 'ajwt/code': 'x' } }
    })
    const right = params()
    const answer = await wire.client.callTool(right, undefined, { onprogress: () => {} })
    expect(seen).toEqual([{ ...right._meta, progressToken: expect.anything() }])
    expect(answer._meta).toEqual({ 'ajwt/code': 'x' })
    expect(ran).toEqual([])
  })

  it('lets a call pass that asks to hear of its progress', async () => {
    const { client, params, ran } = await served()
    await client.callTool(params(), undefined, { onprogress: () => {} })
    expect(ran).toHaveLength(1)
  })
})

describe('a call that was seen before', () => {
  attack('T2', 'is refused, and one with a proof of its own passes', async () => {
    const house = await served()
    const once = house.params()
    await house.call(once)
    expectRefused(await house.call(once), 'ERR_PROOF_REPLAYED', house, 1)
    expect((await house.call(house.params({ ordinal: 1 }))).isError).toBeUndefined()
    expect(house.ran).toHaveLength(2)
  })

  attack('T2', 'runs once, though it comes many times at once and over two connections', async () => {
    const house = await served()
    const other = await connected(house)
    open.push(() => other.client.close())
    const once = house.params()
    const answers = await Promise.all(
      [house, other, house, other, house].map((wire) => callOver(wire.client, once)),
    )
    const codes = answers.map(codeOf).sort()
    expect(codes).toEqual([...Array(4).fill('ERR_PROOF_REPLAYED'), undefined])
    expect(house.ran).toHaveLength(1)
  })
})

describe('a call that was changed on its way', () => {
  type Change = (right: McpCallParams) => McpToolCall
  const dropped = (chain: readonly string[], place: number) => chain.filter((_, index) => index !== place)

  const changes: readonly [what: string, ErrorCode, Change][] = [
    ['other arguments', 'ERR_PROOF_ARGUMENTS', (right) => ({ ...right, arguments: { item: 'pears' } })],
    [
      'an argument more',
      'ERR_PROOF_ARGUMENTS',
      (right) => ({ ...right, arguments: { ...right.arguments, count: 1 } }),
    ],
    ['no arguments', 'ERR_PROOF_ARGUMENTS', ({ name, _meta }) => ({ name, _meta })],
    ['another tool', 'ERR_PROOF_TOOL', (right) => ({ ...right, name: 'count' })],
    ['an unknown tool', 'ERR_TOOL_UNKNOWN', (right) => ({ ...right, name: 'shell' })],
    ['an inherited name', 'ERR_TOOL_UNKNOWN', (right) => ({ ...right, name: '__proto__' })],
    ['the name of another server', 'ERR_TOOL_UNKNOWN', (right) => ({ ...right, name: 'stock/read' })],
    [
      'a chain without its root',
      'ERR_CHAIN_ROOT_UNTRUSTED',
      (right) => withMeta(right, { 'ajwt/chain': dropped(right._meta['ajwt/chain'], 0) }),
    ],
    [
      'a chain without its leaf',
      'ERR_PROOF_LEAF',
      (right) => withMeta(right, { 'ajwt/chain': dropped(right._meta['ajwt/chain'], 1) }),
    ],
    [
      'a chain of which the root is two',
      'ERR_SIGNATURE_INVALID',
      (right) => {
        const [root, leaf] = right._meta['ajwt/chain']
        return withMeta(right, { 'ajwt/chain': [root, root, leaf] })
      },
    ],
    [
      'a chain as one text',
      'ERR_TOKEN_MALFORMED',
      (right) => withMeta(right, { 'ajwt/chain': right._meta['ajwt/chain'].join(', ') }),
    ],
    ['an empty chain', 'ERR_CHAIN_EMPTY', (right) => withMeta(right, { 'ajwt/chain': [] })],
    ['no chain', 'ERR_CHAIN_MISSING', (right) => withMeta(right, { 'ajwt/chain': undefined })],
    ['no proof', 'ERR_PROOF_MISSING', (right) => withMeta(right, { 'ajwt/proof': undefined })],
    [
      'a proof that is the token',
      'ERR_TYP_MISMATCH',
      (right) => withMeta(right, { 'ajwt/proof': right._meta['ajwt/token'] }),
    ],
    [
      'a token that is the proof',
      'ERR_TYP_MISMATCH',
      (right) => withMeta(right, { 'ajwt/token': right._meta['ajwt/proof'] }),
    ],
    [
      'a token of wider scope',
      'ERR_SIGNATURE_INVALID',
      (right) => {
        const [header = '', claims = '', signature = ''] = right._meta['ajwt/token'].split('.')
        const wider = Buffer.from(claims, 'base64url').toString().replace('stock:read', 'stock:write')
        const token = [header, Buffer.from(wider).toString('base64url'), signature].join('.')
        return withMeta(right, { 'ajwt/token': token })
      },
    ],
  ]
  for (const [what, code, change] of changes) {
    attack(
      'T2',
      `does not run with ${what}; the refusal is recorded, and the right call passes`,
      async () => {
        const house = await served()
        expectRefused(await house.call(change(house.params())), code, house)
        expect(house.records().at(-1)).toMatchObject({
          type: 'call.refused',
          actor: 'guard',
          data: { audience, code },
        })
        expect((await house.call(house.params())).isError).toBeUndefined()
        expect(house.ran).toHaveLength(1)
      },
    )
  }

  attack('X18', 'while it is checked runs as it was proven', async () => {
    const { handler, params, ran } = await mcpHouse()
    const mine = structuredClone({ ...params(), arguments: { item: 'apples' } })
    const running = handler(mine, { signal: new AbortController().signal })
    mine.arguments.item = 'pears'
    mine._meta['ajwt/chain'].pop()
    expect((await running).isError).toBeUndefined()
    expect(ran).toMatchObject([{ args: { item: 'apples' } }])
  })

  attack('T11', 'does not run with a hop dropped out of the middle, proven anew or not', async () => {
    const house = await served({ step: 'write', tool: 'stock/write', args: approvedArgs })
    const { activation, params, call } = house
    expect(activation.chain).toHaveLength(3)
    const short = dropped(activation.chain, 1)
    const swapped = withMeta(params(), { 'ajwt/chain': short })
    expectRefused(await call(swapped), 'ERR_SIGNATURE_INVALID', house)
    expectRefused(await call(params({ chain: short })), 'ERR_SIGNATURE_INVALID', house)
    expectRefused(await call(params({ chain: activation.chain.slice(0, 2) })), 'ERR_CHAIN_HASH', house)
    expect((await call(params())).isError).toBeUndefined()
    expect(house.ran).toMatchObject([{ args: approvedArgs }])
  })
})

describe('a call for something else than the token is for', () => {
  /** The same agent's later step in the same run, with its token. */
  async function later({ house, run, activation }: McpHouse) {
    await run.complete(activation)
    for (const step of ['plan', 'approve', 'write'] as const) {
      const opened = await run.open(step)
      if (step === 'approve') {
        await run.ask(opened)
        await run.decide('approved')
      }
      await run.complete(opened)
    }
    const check = await run.open('check')
    const { accessToken } = await house.authority.issue(tokenRequest(check, 'stock/read'))
    return { chain: check.chain, token: accessToken }
  }

  attack(['X1', 'X4'], 'is refused with the token of another activation, or with its chain', async () => {
    const house = await served()
    const { call, params, activation, token } = house
    const other = await later(house)
    const mixed = params({ token: other.token, chain: activation.chain })
    expectRefused(await call(mixed), 'ERR_CHAIN_HASH', house)
    expectRefused(await call(withMeta(params(other), { 'ajwt/token': token })), 'ERR_PROOF_TOKEN', house)
    expectRefused(await call(params()), 'ERR_ACTIVATION_NOT_LIVE', house)
    expect((await call(params(other))).isError).toBeUndefined()
    expect(house.ran).toMatchObject([
      { info: { activationId: expect.not.stringMatching(activation.activationId) } },
    ])
  })

  attack('T7', 'is refused for a tool that the step was not granted', async () => {
    const house = await served()
    expectRefused(await house.call(house.params({ tool: 'stock/count' })), 'ERR_TOOL_NOT_GRANTED', house)
    expectRefused(await house.call(house.params({ args: { item: 'pears' } })), 'ERR_ARGUMENT_REFUSED', house)
    expect((await house.call(house.params())).isError).toBeUndefined()
  })

  attack('T9', 'is refused without the scope, last of all', async () => {
    const house = await served()
    const token = house.reminted({ scope: '' })
    expectRefused(await house.call(house.params({ token })), 'ERR_SCOPE_MISSING', house)
    expect((await house.call(house.params())).isError).toBeUndefined()
  })
})

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
    open.push(() => client.close())
    await client.listTools()
    const right = house.params()
    const refused = await client.callTool({ ...right, arguments: { item: 'pears' } })
    expect(codeOf(refused as CallToolResult)).toBe('ERR_PROOF_ARGUMENTS')
    expect((await client.callTool(right)).structuredContent).toEqual({ count: 3 })
  })
})

describe('a call as a task', () => {
  it('does not run, on a server that would answer tasks', async () => {
    const { handler, params, ran } = await mcpHouse()
    const capabilities = { tools: {}, tasks: { requests: { tools: { call: {} } } } }
    const server = new Server({ name: 'stock', version: '1.0.0' }, { capabilities })
    server.setRequestHandler(CallToolRequestSchema, ({ params }, request) => handler(params, request))
    const { client, call } = await connected({ sdkServer: () => server })
    open.push(() => client.close())
    await expect(call({ ...params(), task: {} })).rejects.toMatchObject({ name: 'McpError' })
    expect(ran).toEqual([])
    expect((await call(params())).isError).toBeUndefined()
  })
})

describe('a guarded tool over MCP and HTTP', () => {
  it('runs once for a proven call, and not for its replay', async () => {
    const house = await mcpHouse()
    const client = await overHttp(house)
    const once = house.params()
    expect((await callOver(client, once)).structuredContent).toEqual({ done: true })
    expectRefused(await callOver(client, once), 'ERR_PROOF_REPLAYED', house, 1)
    const pears = { ...house.params(), arguments: { item: 'pears' } }
    expectRefused(await callOver(client, pears), 'ERR_PROOF_ARGUMENTS', house, 1)
  })
})

/** The SDK's Streamable HTTP on loopback, a server for each request. */
async function overHttp({ sdkServer }: McpHouse) {
  const http = createServer((request, response) => {
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
    void sdkServer()
      .connect(transport as Transport)
      .then(() => transport.handleRequest(request, response))
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const url = new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`)
  const client = new Client({ name: 'agent', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(url) as Transport)
  open.push(async () => {
    await client.close()
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  })
  return client
}
