/** Which steps must have their receipt before a step may start. */
import type { Step, Workflow } from './definition.js'

/** The ids a step waits for: those it comes `after`, its delegator, and the gate that opens it; each once.
 * @throws AgenticError ERR_STEP_UNKNOWN
 * @see PROTOCOL 6
 */
export function prerequisites(workflow: Workflow, stepId: string): string[] {
  return prerequisitesOf(workflow.step(stepId))
}

/** The same, of a step that is not part of a checked workflow yet. */
export function prerequisitesOf(step: Step): string[] {
  if (step.kind === 'gate') return [...step.after]
  const ids = new Set(step.after)
  if (step.delegatedBy !== undefined) ids.add(step.delegatedBy)
  if (step.approval !== undefined) ids.add(step.approval)
  return [...ids]
}
