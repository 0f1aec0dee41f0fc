import { expect, it } from 'vitest'
import { createMcpHandler, type McpToolCall } from '../../runtime/guard/mcp.js'

it('a handler of MCP calls answers whatever it is called with, and throws nothing', async () => {
  const toolServer = { audience: 'urn:stock', invoke: async () => ({ done: true }) }
  const journal = { record: async () => undefined, digest: async () => '' } as never
  const handler = createMcpHandler(toolServer, {}, { journal })
  const _meta = { 'ajwt/token': 'a.b.c', 'ajwt/chain': ['a.b.c'], 'ajwt/proof': 'a.b.c' }
  const right: McpToolCall = { name: 'read', arguments: {}, _meta }
  const { signal } = new AbortController()
  expect((await handler(right, { signal })).structuredContent).toEqual({ done: true })
  for (const [call, request] of [
    [right, undefined],
    [undefined, { signal }],
    [null, null],
    ['read', { signal }],
  ])
    expect((await handler(call as never, request as never)).isError).toBe(true)
})
