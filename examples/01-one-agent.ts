/** One agent with one tool: what it was not granted is refused, and what it was granted is proven. */
import assert from 'node:assert/strict'
import { createRuntime, defineAgent, defineTool, defineWorkflow } from 'baton-runtime'
import { z } from 'zod'

// #region program
const readOrder = defineTool({
  name: 'orders/read',
  description: 'Reads one order.',
  parameters: z.object({ id: z.number() }),
  scope: 'orders:read',
  run: ({ id }) => ({ id, total: 99 }),
})
const clerk = defineAgent({
  id: 'clerk',
  prompt: 'You look up orders.',
  tools: [readOrder],
  scopes: ['orders:read'],
  run: (context, { input }) => context.tool('orders/read')({ id: input.id }),
})
const lookUp = defineWorkflow({
  id: 'look-up',
  version: '1.0.0',
  parameters: { id: { type: 'number' } },
  entry: 'read',
  grant: { scope: ['orders:read'], tools: { 'orders/read': { id: { constraint_type: 'range', max: 100 } } } },
  steps: [{ id: 'read', agent: 'clerk' }],
  result: 'read',
})
const runtime = await createRuntime() // in memory; { store: 'sqlite:.baton/baton.db' } keeps it
await runtime.register({ agents: [clerk] })
// #endregion program

const refused = await (await runtime.start(lookUp, { input: { id: 101 } })).result()
assert.equal(refused.status, 'refused')
assert.equal(refused.failure?.code, 'ERR_ARGUMENT_REFUSED')

// #region run
const run = await runtime.start(lookUp, { input: { id: 7 } })
const { status, output, steps } = await run.result()
console.log(status, output, steps[0]?.agentChecksum, runtime.audit().checkpoint)
// #endregion run

assert.equal(status, 'completed')
assert.deepEqual(output, { id: 7, total: 99 })
await runtime.close()
