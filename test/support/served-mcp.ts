import { afterEach } from 'vitest'
import type { McpCallParams } from '../../runtime/client/mcp-call.js'
import type { McpToolCall } from '../../runtime/guard/mcp.js'
import { connected, mcpHouse } from './mcp-house.js'

const open: (() => unknown)[] = []

afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

/** Has something closed when the test ends, whether or not it passed. */
export function closeAfterTest(close: () => unknown): void {
  open.push(close)
}

/** A house with client and server joined, which are closed after the test. */
export async function served(...options: Parameters<typeof mcpHouse>) {
  const house = await mcpHouse(...options)
  const wire = await connected(house)
  closeAfterTest(() => wire.client.close())
  return { ...house, ...wire }
}

/** A call with members of its `_meta` put in, or put in place of the right ones. */
export const withMeta = (params: McpCallParams, meta: Record<string, unknown>): McpToolCall => ({
  ...params,
  _meta: { ...params._meta, ...meta },
})
