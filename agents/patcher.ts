/** Writes the approved changes: exactly those, once. */
import { defineAgent } from '../runtime/index.js'
import { lastResult, type Patched, type PlanResult } from './results.js'
import { applyPatch } from './tools.js'

interface Input {
  readonly repo: string
  readonly plan: PlanResult
}

export const patcher = defineAgent({
  id: 'patcher',
  module: import.meta.url,
  prompt: `You apply an approved patch to a Node project.
Call the tool once, with exactly the repository and the changes you are given, and then say that you are done.
Anything else than what was approved is refused.`,
  tools: [applyPatch],
  scopes: ['repo:write'],
  run: async (context, { repo, plan }: Input) => {
    const patched = await context.tool('repository/apply_patch')({
      repository: repo,
      changes: JSON.parse(JSON.stringify(plan.changes)),
    })
    context.log(`written: ${(patched as Patched).written.join(', ')}`)
    return patched
  },
  task: ({ repo, plan }: Input) =>
    `Call repository/apply_patch with exactly these arguments:\n${JSON.stringify({ repository: repo, changes: plan.changes })}`,
  conclude: (calls) => lastResult<Patched>(calls, 'repository/apply_patch'),
})
