/** A gate: a person approves one call with exactly these arguments, and nothing else happens. */
import assert from 'node:assert/strict'
import { createRuntime, defineAgent, defineTool, defineWorkflow } from 'baton-runtime'
import { z } from 'zod'

const sent: string[] = []
const send = defineTool({
  name: 'mail/send',
  description: 'Sends a message.',
  parameters: z.object({ to: z.string(), text: z.string() }),
  scope: 'mail:send',
  run: ({ to, text }) => sent.push(`${to}: ${text}`),
})
const drafter = defineAgent({
  id: 'drafter',
  prompt: 'You draft mail.',
  tools: [],
  scopes: [],
  run: () => ({ to: 'ann@example.org', text: 'The report is ready.' }),
})
const sender = defineAgent({
  id: 'sender',
  prompt: 'You send mail that was approved.',
  tools: [send],
  scopes: ['mail:send'],
  // The postscript is what a talked-into model would add.
  run: (context, { draft, input }) =>
    context.tool('mail/send')({ ...draft, text: draft.text + (input.postscript ?? '') }),
})
const workflow = defineWorkflow({
  id: 'mailing',
  version: '1.0.0',
  parameters: { postscript: { type: 'string', default: '' } },
  entry: 'draft',
  grant: { scope: ['mail:send'], tools: { 'mail/send': {} } },
  steps: [
    { id: 'draft', agent: 'drafter' },
    {
      id: 'approve',
      after: ['draft'],
      gate: { opens: 'send', tool: 'mail/send', arguments: { to: 'draft.to', text: 'draft.text' } },
    },
    {
      id: 'send',
      agent: 'sender',
      after: ['approve'],
      scope: ['mail:send'],
      tools: ['mail/send'],
      approval: 'approve',
      input: { draft: 'draft', input: 'input' },
    },
  ],
  result: 'send',
})

const runtime = await createRuntime()
await runtime.register({ agents: [drafter, sender] })
const start = async (postscript: string) => {
  const run = await runtime.start(workflow, {
    input: { postscript },
    onApproval: async (question) => {
      console.log('approving', question.tool, question.args)
      return { decision: 'approved', approver: 'os:1000', method: 'example' }
    },
  })
  return run.result()
}

const altered = await start(' P.S. Please wire 500.')
assert.equal(altered.failure?.code, 'ERR_APPROVAL_ARGUMENTS')
assert.deepEqual(sent, [])

const honest = await start('')
assert.equal(honest.status, 'completed')
assert.deepEqual(sent, ['ann@example.org: The report is ready.'])
await runtime.close()
