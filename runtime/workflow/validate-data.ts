/** Whether every path and condition reads only the input and what steps before it have made. */
import { isAgenticError } from '../errors.js'
import { checkCondition } from './condition.js'
import type { PathMapping, Step } from './definition.js'
import { segmentsOf } from './path.js'
import { didYouMean, type Place, quoted } from './place.js'
import type { Subject } from './subject.js'

/** @param before the ids of all steps that have finished before a step starts */
export function validateData(subject: Subject, before: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const step of subject.definition.steps) {
    const place = subject.placeOf(step)
    const earlier = before.get(step.id) ?? new Set()
    if (step.kind === 'gate') requirePaths(step.arguments, earlier, [...place, 'gate', 'arguments'], subject)
    else if (step.input) requirePaths(step.input, earlier, [...place, 'input'], subject)
    if (step.when !== undefined) requireCondition(step, step.when, earlier, subject)
  }
}

function requirePaths(
  mapping: PathMapping,
  earlier: ReadonlySet<string>,
  place: Place,
  subject: Subject,
): void {
  const { byId, definition, fail } = subject
  for (const [name, path] of Object.entries(mapping)) {
    const [root = '', member] = segmentsOf(path)
    const at = [...place, name]
    if (root === 'input') {
      const known = Object.keys(definition.parameters)
      if (member !== undefined && !known.includes(member)) {
        fail(at, `no parameter ${quoted(member)}${didYouMean(member, known)}`)
      }
    } else if (!byId.has(root)) {
      fail(at, `no step ${quoted(root)}${didYouMean(root, ['input', ...byId.keys()])}`)
    } else if (!earlier.has(root)) {
      fail(at, `step "${root}" does not come before this one`)
    }
  }
}

function requireCondition(
  step: Step,
  expression: string,
  earlier: ReadonlySet<string>,
  subject: Subject,
): void {
  try {
    checkCondition(expression, earlier)
  } catch (error) {
    if (!isAgenticError(error)) throw error
    subject.fail([...subject.placeOf(step), 'when'], error.message)
  }
}
