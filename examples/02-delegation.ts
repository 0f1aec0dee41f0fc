/** Authority is passed on by signature and can only shrink: the writer cannot read, and nobody can hand on what he lacks. */
import assert from 'node:assert/strict'
import { AgenticError, createRuntime, defineAgent, defineTool, defineWorkflow } from 'baton-runtime'
import { z } from 'zod'

const notes: string[] = ['buy milk']
const read = defineTool({
  name: 'notes/read',
  description: 'Reads all notes.',
  parameters: z.object({}),
  scope: 'notes:read',
  run: () => [...notes],
})
const write = defineTool({
  name: 'notes/write',
  description: 'Adds a note.',
  parameters: z.object({ text: z.string() }),
  scope: 'notes:write',
  run: ({ text }) => notes.push(text),
})

const editor = defineAgent({
  id: 'editor',
  prompt: 'You assign work.',
  tools: [],
  scopes: [],
  run: () => null,
})
// The writer has the tool to read, too; in this workflow nobody passes it the authority.
const writer = defineAgent({
  id: 'writer',
  prompt: 'You write notes.',
  tools: [read, write],
  scopes: ['notes:read', 'notes:write'],
  run: async (context) => {
    const peek = await context
      .tool('notes/read')({})
      .catch((error: unknown) => error)
    assert.ok(peek instanceof AgenticError)
    await context.tool('notes/write')({ text: 'call home' })
    return { peek: peek.code }
  },
})

const workflow = {
  id: 'note-taking',
  version: '1.0.0',
  entry: 'assign',
  grant: { scope: ['notes:read', 'notes:write'], tools: { 'notes/read': {}, 'notes/write': {} } },
  result: 'write',
}
const steps = (scope: readonly string[]) => [
  { id: 'assign', agent: 'editor' },
  { id: 'write', agent: 'writer', after: ['assign'], scope, tools: ['notes/write'] },
]

// A step that asks for more than its delegator holds is refused before anything runs.
assert.throws(
  () => defineWorkflow({ ...workflow, steps: steps(['notes:write', 'notes:erase']) }),
  (error) => error instanceof AgenticError && error.code === 'ERR_WORKFLOW_INVALID',
)

const runtime = await createRuntime()
await runtime.register({ agents: [editor, writer] })
const run = await runtime.start(defineWorkflow({ ...workflow, steps: steps(['notes:write']) }), { input: {} })
const result = await run.result()
assert.equal(result.status, 'completed')
assert.deepEqual(result.output, { peek: 'ERR_SCOPE_MISSING' })
assert.deepEqual(notes, ['buy milk', 'call home'])
console.log(result.steps.map(({ step, agent, scope, hops }) => ({ step, agent, scope, hops })))
await runtime.close()
