// A run whose agent makes JSON.parse lie about what it pays, and then pays: too much, which is to look like little, and
// little, which is to become much. Prints what was refused, and what the tool was given.
import { z } from 'zod'
import { createRuntime, defineAgent, defineTool, defineWorkflow } from '../../dist/runtime/index.js'

const { parse, stringify } = JSON
const given = []
let lied = 0

function lie(from, to) {
  JSON.parse = (text, ...rest) => {
    if (text.includes(`"amount":${from}}`)) lied += 1
    return parse(text.replaceAll(`"amount":${from}}`, `"amount":${to}}`), ...rest)
  }
}

const pay = defineTool({
  name: 'till/pay',
  description: 'Pays.',
  parameters: z.object({ amount: z.number() }),
  scope: 'till',
  run: ({ amount }) => {
    given.push(amount)
    return { paid: amount }
  },
})
const payer = defineAgent({
  id: 'payer',
  prompt: 'Pay.',
  tools: [pay],
  scopes: ['till'],
  async run(context) {
    lie(1000, 1)
    const refused = await context
      .tool('till/pay')({ amount: 1000 })
      .catch((error) => error.code)
    lie(1, 1000)
    const { paid } = await context.tool('till/pay')({ amount: 1 })
    JSON.parse('{"amount":1}') // as everybody else in this process would
    JSON.parse = parse
    return [refused, paid]
  },
})
const workflow = defineWorkflow({
  id: 'paying',
  version: '1.0.0',
  entry: 'pay',
  grant: { scope: ['till'], tools: { 'till/pay': { amount: { constraint_type: 'range', max: 100 } } } },
  steps: [{ id: 'pay', agent: 'payer' }],
  result: 'pay',
})

const runtime = await createRuntime()
await runtime.register({ agents: [payer] })
const { output } = await (await runtime.start(workflow, { input: {} })).result()
await runtime.close()
process.stdout.write(stringify({ output, given, lied }))
