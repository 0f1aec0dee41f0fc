/** Whether the parts of a definition fit together: ids, references, order, gates. Authority and data follow. */
import type { AgentStep, CompleteDefinition, GateStep, Step } from './definition.js'
import { ancestors, topologicalOrder } from './order.js'
import { type Fail, type Place, quoted } from './place.js'
import { requireStep, type Subject } from './subject.js'
import { validateAuthority } from './validate-authority.js'
import { validateData } from './validate-data.js'

/** @returns the steps in topological order
 * @param fail called with the first thing that is wrong */
export function validateDefinition(definition: CompleteDefinition, fail: Fail): readonly Step[] {
  const subject = subjectOf(definition, fail)
  requireEntryAndResult(subject)
  for (const step of definition.steps) requireReferences(step, subject)
  for (const step of definition.steps) {
    if (step.kind === 'gate') requireGate(step, subject)
    else requireApproval(step, subject)
  }
  const { order, cycle } = topologicalOrder(definition.steps)
  if (cycle) fail(placeOfId(subject, cycle[0] ?? ''), `steps wait for each other: ${cycle.join(' → ')}`)
  validateAuthority(subject, order)
  validateData(subject, ancestors(order))
  return order
}

function subjectOf(definition: CompleteDefinition, fail: Fail): Subject {
  const byId = new Map<string, Step>()
  definition.steps.forEach((step, index) => {
    if (byId.has(step.id)) fail(['steps', index, 'id'], `a second step ${quoted(step.id)}`)
    byId.set(step.id, step)
  })
  return { definition, byId, fail, placeOf: (step) => ['steps', definition.steps.indexOf(step)] }
}

function requireEntryAndResult(subject: Subject): void {
  const { definition, byId, fail, placeOf } = subject
  const entry = requireStep(subject, definition.entry, ['entry'])
  if (entry.kind === 'gate') subject.fail(['entry'], 'the entry must be the step of an agent, not a gate')
  if (entry.after.length > 0)
    fail([...placeOf(entry), 'after'], 'the entry comes first; nothing can come before it')
  if (entry.approval !== undefined)
    fail([...placeOf(entry), 'approval'], 'the entry comes first; no gate can open it')
  if (entry.when !== undefined) fail([...placeOf(entry), 'when'], 'the entry cannot be skipped')
  requireStep(subject, definition.result, ['result'])
  if (byId.get(definition.result)?.kind === 'gate')
    fail(['result'], 'the result must come from an agent, not from a gate')
}

function requireReferences(step: Step, subject: Subject): void {
  const place = subject.placeOf(step)
  step.after.forEach((id) => {
    requireStep(subject, id, [...place, 'after'])
    if (id === step.id) subject.fail([...place, 'after'], 'a step cannot come after itself')
  })
  if (step.kind === 'gate') {
    requireStep(subject, step.opens, [...place, 'gate', 'opens'])
    return
  }
  if (step.delegatedBy !== undefined) {
    const at = [...place, 'delegated_by']
    const delegator = requireStep(subject, step.delegatedBy, at)
    if (delegator.kind === 'gate') subject.fail(at, 'a gate holds no authority that it could pass on')
    if (delegator === step) subject.fail(at, 'a step cannot delegate to itself')
  }
  if (step.approval !== undefined) requireStep(subject, step.approval, [...place, 'approval'])
}

function requireGate(gate: GateStep, subject: Subject): void {
  const place = subject.placeOf(gate)
  if (gate.after.length === 0) subject.fail(place, 'a gate must come "after" a step')
  const opened = subject.byId.get(gate.opens)
  if (opened?.kind !== 'agent') subject.fail([...place, 'gate', 'opens'], 'a gate opens the step of an agent')
  if (opened.approval !== gate.id) {
    subject.fail([...place, 'gate', 'opens'], `step "${opened.id}" must name this gate as its "approval"`)
  }
}

function requireApproval(step: AgentStep, subject: Subject): void {
  if (step.approval === undefined) return
  const at = [...subject.placeOf(step), 'approval']
  const gate = subject.byId.get(step.approval)
  if (gate?.kind !== 'gate') subject.fail(at, `step "${step.approval}" is not a gate`)
  if (gate.opens !== step.id) subject.fail(at, `gate "${gate.id}" opens step "${gate.opens}", not this one`)
  const names: readonly string[] = Array.isArray(step.tools) ? step.tools : Object.keys(step.tools)
  if (!names.includes(gate.tool)) {
    subject.fail(
      [...subject.placeOf(step), 'tools'],
      `gate "${gate.id}" opens tool "${gate.tool}", which this step lacks`,
    )
  }
}

function placeOfId({ byId, placeOf }: Subject, id: string): Place {
  const step = byId.get(id)
  return step ? placeOf(step) : ['steps']
}
