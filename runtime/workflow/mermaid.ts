/** A workflow as Mermaid text: data edges solid, delegation dashed, approvals thick, gates as diamonds. */
import type { Workflow } from './definition.js'
import { type EdgeKind, edgesOf, labelOf } from './drawing.js'

const arrows: Readonly<Record<EdgeKind, string>> = {
  data: '-->',
  delegation: '-. delegates .->',
  approval: '== approves ==>',
}

/** @returns a `flowchart`; every text of the definition is escaped, so that it stays a text */
export function workflowMermaid(workflow: Workflow): string {
  const names = new Map(workflow.steps.map((step, index) => [step.id, `s${index}`]))
  const nodes = workflow.steps.map((step) => {
    const label = `"${labelOf(step).map(escapeLabel).join('<br/>')}"`
    return `  ${names.get(step.id)}${step.kind === 'gate' ? `{${label}}` : `[${label}]`}`
  })
  const edges = edgesOf(workflow).map(
    ({ from, to, kind }) => `  ${names.get(from)} ${arrows[kind]} ${names.get(to)}`,
  )
  return ['flowchart TD', ...nodes, ...edges, ''].join('\n')
}

/** Whatever could end a label, start markup or a directive becomes Mermaid's `#<code point>;`. */
function escapeLabel(text: string): string {
  return [...text].map((char) => (/^[A-Za-z0-9 _.,/-]$/.test(char) ? char : escapeChar(char))).join('')
}

function escapeChar(char: string): string {
  return /^\s$/.test(char) ? ' ' : `#${char.codePointAt(0)};`
}
