/**
 * Whether no step is given more than its delegator holds: hops, scope, tools, constraints. Parameters are
 * not known yet and stand for themselves; the filled constraints are compared again in every run (I4).
 */
import { type Constraint, parseConstraint } from '../delegation/constraint.js'
import { parseToolGrants, requireNarrower, type ToolGrants } from '../delegation/tools.js'
import { isAgenticError } from '../errors.js'
import type { AgentStep, CompleteDefinition, ConstraintTemplate, Step, ToolTemplates } from './definition.js'
import { pick } from './grant.js'
import { didYouMean, type Fail, type Place, quoted } from './place.js'
import type { Subject } from './subject.js'
import { fillTemplate, type Hole, opaqueValue, typeOfHole } from './template.js'

/** What a step holds, as far as it is known before a run. */
interface Held {
  readonly depth: number
  readonly scope: readonly string[]
  readonly tools: ToolGrants
}

/** @param order topological, so that each delegator is judged before those it delegates to */
export function validateAuthority(subject: Subject, order: readonly Step[]): void {
  const { definition, fail, placeOf } = subject
  const { parameters, grant } = definition
  const held = new Map<string, Held>()
  const granted = opaqueGrants(grant.tools, ['grant', 'tools'], parameters, fail)
  for (const step of order) {
    if (step.kind === 'gate') continue
    const delegator = step.delegatedBy === undefined ? undefined : held.get(step.delegatedBy)
    if (!delegator) {
      held.set(step.id, { depth: 0, scope: grant.scope, tools: granted })
      continue
    }
    const place = placeOf(step)
    const depth = delegator.depth + 1
    if (depth > grant.maxDepth) {
      fail(
        [...place, 'delegated_by'],
        `is ${depth} hops below the entry; "max_depth" allows ${grant.maxDepth}`,
      )
    }
    requireScope(step, delegator, [...place, 'scope'], fail)
    held.set(step.id, { depth, scope: step.scope, tools: narrowed(step, delegator, subject) })
  }
}

function requireScope(step: AgentStep, delegator: Held, place: Place, fail: Fail): void {
  for (const scope of step.scope) {
    if (!delegator.scope.includes(scope)) {
      fail(
        place,
        `step "${step.delegatedBy}" does not hold ${quoted(scope)}${didYouMean(scope, delegator.scope)}`,
      )
    }
  }
}

function narrowed(step: AgentStep, delegator: Held, subject: Subject): ToolGrants {
  const { fail } = subject
  const place = [...subject.placeOf(step), 'tools']
  const names: readonly string[] = Array.isArray(step.tools) ? step.tools : Object.keys(step.tools)
  for (const tool of names) {
    if (!Object.hasOwn(delegator.tools, tool)) {
      const known = Object.keys(delegator.tools)
      fail(place, `step "${step.delegatedBy}" does not hold tool ${quoted(tool)}${didYouMean(tool, known)}`)
    }
  }
  if (Array.isArray(step.tools)) return pick(step.tools, delegator.tools)
  const tools = opaqueGrants(step.tools as ToolTemplates, place, subject.definition.parameters, fail)
  for (const tool of names) {
    try {
      requireNarrower(delegator.tools, pick([tool], tools))
    } catch (error) {
      if (!isAgenticError(error)) throw error
      fail(
        [...place, tool],
        `${error.message} ("${step.delegatedBy}"); a list of names keeps the delegator's constraints`,
      )
    }
  }
  return tools
}

/** Tool grants in which parameters stand for themselves. */
function opaqueGrants(
  templates: ToolTemplates,
  place: Place,
  parameters: CompleteDefinition['parameters'],
  fail: Fail,
): ToolGrants {
  const tools = Object.entries(templates).map(([tool, constraints]) => [
    tool,
    Object.fromEntries(
      Object.entries(constraints).map(([argument, template]) => [
        argument,
        opaqueConstraint(template, [...place, tool, argument], parameters, fail),
      ]),
    ),
  ])
  return reported(() => parseToolGrants(Object.fromEntries(tools)), place, fail)
}

function opaqueConstraint(
  template: ConstraintTemplate,
  place: Place,
  parameters: CompleteDefinition['parameters'],
  fail: Fail,
): Constraint {
  const filled = fillTemplate(template, (hole) => {
    requireParameter(hole, place, parameters, fail)
    return opaqueValue(hole)
  })
  return reported(() => parseConstraint(filled), place, fail)
}

function requireParameter(
  hole: Hole,
  place: Place,
  parameters: CompleteDefinition['parameters'],
  fail: Fail,
): void {
  const known = Object.keys(parameters)
  const parameter = Object.hasOwn(parameters, hole.parameter) ? parameters[hole.parameter] : undefined
  if (!parameter) fail(place, `no parameter ${quoted(hole.parameter)}${didYouMean(hole.parameter, known)}`)
  const type = typeOfHole(hole)
  if (type === 'never') fail(place, `"${hole.member}" cannot be a parameter`)
  if (type !== undefined && type !== parameter.type) {
    fail(place, `"${hole.member}" needs a ${type}; parameter "${hole.parameter}" is a ${parameter.type}`)
  }
}

function reported<T>(run: () => T, place: Place, fail: Fail): T {
  try {
    return run()
  } catch (error) {
    if (isAgenticError(error)) return fail(place, error.message)
    throw error
  }
}
