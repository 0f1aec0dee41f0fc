import { z } from 'zod'
import type { ToolDefinition } from '../../runtime/identity/agent.js'
import { defineWorkflow } from '../../runtime/workflow/define.js'

/**
 * A small workflow with everything that authority is about: an entry that holds the grant, a reader, a planner
 * that delegates, a gate, a writer with one tool behind the gate and one beside it,
 * and the reader once more.
 */
export const shipping = defineWorkflow({
  id: 'shipping',
  version: '1.0.0',
  parameters: { item: { type: 'string' } },
  entry: 'lead',
  result: 'write',
  grant: {
    scope: ['stock:read', 'stock:write'],
    maxDepth: 2,
    lifetimeSeconds: 3600,
    tools: {
      'stock/read': { item: { constraint_type: 'exact', value: { $parameter: 'item' } } },
      'stock/count': { item: { constraint_type: 'exact', value: { $parameter: 'item' } } },
      'stock/write': {
        item: { constraint_type: 'exact', value: { $parameter: 'item' } },
        count: { constraint_type: 'range', min: 0, max: 100 },
      },
    },
  },
  steps: [
    { id: 'lead', agent: 'lead' },
    { id: 'look', agent: 'reader', after: ['lead'], scope: ['stock:read'], tools: ['stock/read'] },
    {
      id: 'plan',
      agent: 'planner',
      after: ['look'],
      scope: ['stock:write'],
      tools: ['stock/count', 'stock/write'],
    },
    {
      id: 'approve',
      after: ['plan'],
      gate: { opens: 'write', tool: 'stock/write', arguments: { item: 'input.item', count: 'plan.count' } },
    },
    {
      id: 'write',
      agent: 'writer',
      after: ['approve'],
      delegatedBy: 'plan',
      approval: 'approve',
      scope: ['stock:write'],
      tools: ['stock/count', 'stock/write'],
    },
    { id: 'check', agent: 'reader', after: ['write'], scope: ['stock:read'], tools: ['stock/read'] },
  ],
})

/** What a run of it is asked to do. */
export const order = { item: 'apples' }
export const approvedArgs = { item: 'apples', count: 3 }

/** agent → the scopes and tools of its registration. */
export const shippingAgents = {
  lead: { scopes: ['stock:read', 'stock:write'], tools: ['stock/read', 'stock/count', 'stock/write'] },
  reader: { scopes: ['stock:read'], tools: ['stock/read'] },
  planner: { scopes: ['stock:write'], tools: ['stock/count', 'stock/write'] },
  writer: { scopes: ['stock:write'], tools: ['stock/count', 'stock/write'] },
} as const

export type ShippingAgent = keyof typeof shippingAgents

/** The tools as a resource serves them. */
export const shippingTools: Readonly<Record<string, ToolDefinition>> = {
  'stock/read': stockTool('read', 'stock:read', z.strictObject({ item: z.string() })),
  'stock/count': stockTool('count', 'stock:write', z.strictObject({ item: z.string() })),
  'stock/write': stockTool('write', 'stock:write', z.strictObject({ item: z.string(), count: z.number() })),
}

function stockTool(name: string, scope: string, parameters: z.ZodObject): ToolDefinition {
  const http = { resource: 'stock', method: 'POST', path: `/${name}` } as const
  return { name: `stock/${name}`, description: name, parameters, scope, http }
}
