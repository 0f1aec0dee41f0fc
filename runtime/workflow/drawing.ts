/** What a drawing of a workflow shows: boxes for steps, and three kinds of edges between them. */
import type { Step, Workflow } from './definition.js'

/** `data`: comes after; `delegation`: signs its assertion; `approval`: the gate that opens it. */
export type EdgeKind = 'data' | 'delegation' | 'approval'

export interface DrawnEdge {
  readonly from: string
  readonly to: string
  readonly kind: EdgeKind
}

/** All edges, those into a step together, in the order of the steps. A gate's approval replaces its data edge. */
export function edgesOf(workflow: Workflow): readonly DrawnEdge[] {
  return workflow.steps.flatMap((step) => {
    const approval = step.kind === 'agent' ? step.approval : undefined
    const edges: DrawnEdge[] = step.after
      .filter((from) => from !== approval)
      .map((from) => ({ from, to: step.id, kind: 'data' }))
    if (approval !== undefined) edges.push({ from: approval, to: step.id, kind: 'approval' })
    if (step.kind === 'agent' && step.delegatedBy !== undefined) {
      edges.push({ from: step.delegatedBy, to: step.id, kind: 'delegation' })
    }
    return edges
  })
}

/** The lines of a step's label: its id, then who runs it or what it opens, then its condition. */
export function labelOf(step: Step): readonly string[] {
  const lines = [step.id, step.kind === 'gate' ? `approves ${step.tool}` : step.agent]
  return step.when === undefined ? lines : [...lines, `when ${step.when}`]
}
