import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { CallToolRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, it } from 'vitest'
import { createMcpHandler } from '../../runtime/guard/mcp.js'
import { pinMcpTools } from '../../runtime/identity/mcp-tools.js'
import { codeOf, expectRefused, textOf } from '../support/mcp-answer.js'
import { callOver, connected, type McpHouse, mcpHouse } from '../support/mcp-house.js'
import { closeAfterTest, served } from '../support/served-mcp.js'

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
    closeAfterTest(() => wire.client.close())
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

describe('a call as a task', () => {
  it('does not run, on a server that would answer tasks', async () => {
    const { handler, params, ran } = await mcpHouse()
    const capabilities = { tools: {}, tasks: { requests: { tools: { call: {} } } } }
    const server = new Server({ name: 'stock', version: '1.0.0' }, { capabilities })
    server.setRequestHandler(CallToolRequestSchema, ({ params }, request) => handler(params, request))
    const { client, call } = await connected({ sdkServer: () => server })
    closeAfterTest(() => client.close())
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
  closeAfterTest(async () => {
    await client.close()
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  })
  return client
}
