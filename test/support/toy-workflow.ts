import { z } from 'zod'
import type { AgentContext, AgentDefinition, ToolDefinition } from '../../runtime/identity/agent.js'
import { defineWorkflow } from '../../runtime/workflow/define.js'
import type { Workflow, WorkflowDefinition } from '../../runtime/workflow/definition.js'

type Run = (context: AgentContext, input: Record<string, unknown>) => unknown

/** An agent with one tool of its own, `<id>/echo`, which returns its argument. */
export function toyAgent(id: string, run: Run, more: Partial<AgentDefinition> = {}): AgentDefinition {
  return { id, prompt: `You are ${id}.`, tools: [echo(id)], scopes: ['toy'], run, ...more }
}

export function echo(agent: string, run: ToolDefinition['run'] = ({ text }) => text): ToolDefinition {
  return {
    name: `${agent}/echo`,
    description: 'returns its argument',
    parameters: z.strictObject({ text: z.string() }),
    scope: 'toy',
    run,
  }
}

const anyText = { text: { constraint_type: 'wildcard' } }

/**
 * A workflow of toy agents: step `x` is done by agent `x`. The grant holds every agent's tool; each agent step
 * but the entry gets its own agent's.
 */
export function toyWorkflow(
  steps: WorkflowDefinition['steps'],
  more: Partial<WorkflowDefinition> = {},
): Workflow {
  const agents = steps.flatMap((step) => ('agent' in step ? [step.agent] : []))
  const entry = steps[0]?.id ?? ''
  return defineWorkflow({
    id: 'toy',
    version: '1.0.0',
    entry,
    result: steps.at(-1)?.id ?? '',
    grant: { scope: ['toy'], tools: Object.fromEntries(agents.map((agent) => [`${agent}/echo`, anyText])) },
    steps: steps.map((step) =>
      'agent' in step && step.id !== entry
        ? { scope: ['toy'], tools: [`${step.agent}/echo`], ...step }
        : step,
    ),
    ...more,
  })
}
