import { expect, it } from 'vitest'
import { z } from 'zod'
import { createRuntime } from '../../runtime/compose.js'
import { defineAgent, defineTool } from '../../runtime/identity/define.js'
import { defineWorkflow } from '../../runtime/workflow/define.js'

const add = defineTool({
  name: 'sum/add',
  description: 'Adds two numbers.',
  parameters: z.object({ a: z.number(), b: z.number() }),
  scope: 'sum:add',
  run: ({ a, b }: { a: number; b: number }) => ({ sum: a + b }),
})
const lead = defineAgent({ id: 'lead', prompt: 'Lead.', tools: [], scopes: [], run: () => ({ ready: true }) })
const adder = defineAgent({
  id: 'adder',
  prompt: 'Add.',
  tools: [add],
  scopes: ['sum:add'],
  run: async (context, input: { input: { a: number } }) =>
    context.tool('sum/add')({ a: input.input.a, b: 2 }),
})
const workflow = defineWorkflow({
  id: 'adding',
  version: '1.0.0',
  description: 'Adds two.',
  parameters: { a: { type: 'number' } },
  entry: 'start',
  grant: { scope: ['sum:add'], tools: { 'sum/add': {} } },
  steps: [
    { id: 'start', agent: 'lead' },
    {
      id: 'add',
      agent: 'adder',
      after: ['start'],
      scope: ['sum:add'],
      tools: { 'sum/add': { a: { constraint_type: 'range', max: 10 }, b: { constraint_type: 'wildcard' } } },
    },
  ],
  result: 'add',
})

it('two agents add under delegated authority, and the log says so', async () => {
  const runtime = await createRuntime()
  await runtime.register({ agents: [lead, adder] })
  const run = await runtime.start(workflow, { input: { a: 3 } })
  const result = await run.result()
  expect(result.failure).toBeUndefined()
  expect(result.output).toEqual({ sum: 5 })
  expect(result.steps.map(({ step, hops, state }) => ({ step, hops, state }))).toEqual([
    { step: 'start', hops: 1, state: 'completed' },
    { step: 'add', hops: 2, state: 'completed' },
  ])
  await runtime.close()
})

it('an argument outside what was delegated is refused and nothing runs', async () => {
  const runtime = await createRuntime()
  await runtime.register({ agents: [lead, adder] })
  const run = await runtime.start(workflow, { input: { a: 11 } })
  const result = await run.result()
  expect(result.status).toBe('refused')
  expect(result.failure?.code).toBe('ERR_ARGUMENT_REFUSED')
  await runtime.close()
})
