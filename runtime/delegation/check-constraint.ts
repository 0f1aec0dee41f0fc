/** Whether one argument value satisfies a constraint. Never throws: what cannot be judged does not pass. */
import { canonicalize, type JsonValue } from '../encoding/canonical-json.js'
import type { Constraint, RangeConstraint } from './constraint.js'
import { isPathWithin } from './constraint-path.js'
import { matchesPattern } from './constraint-pattern.js'
import { isUrlWithin } from './constraint-url.js'

/** True when the value satisfies the constraint. Values are equal when their canonical JSON is: no coercion,
 * no order of members. A value without canonical JSON satisfies nothing, not even a wildcard.
 * @see PROTOCOL 5.4; AAT, Argument Constraints
 */
export function checkConstraint(constraint: Constraint, value: unknown): boolean {
  const text = textOf(value)
  return text !== undefined && passes(constraint, value, text)
}

function passes(constraint: Constraint, value: unknown, text: string): boolean {
  switch (constraint.constraint_type) {
    case 'wildcard':
      return true
    case 'exact':
      return text === canonicalize(constraint.value)
    case 'range':
      return typeof value === 'number' && isInRange(value, constraint)
    case 'one_of':
      return textsOf(constraint.values).has(text)
    case 'not_one_of':
      return !textsOf(constraint.excluded).has(text)
    case 'contains':
      return Array.isArray(value) && isSubset(constraint.required, value)
    case 'subset':
      return Array.isArray(value) && isSubset(value, constraint.allowed)
    case 'all':
      return constraint.constraints.every((clause) => passes(clause, value, text))
    case 'any':
      return constraint.constraints.some((clause) => passes(clause, value, text))
    case 'url':
      return isUrlWithin(value, constraint)
    case 'path_containment':
      return isPathWithin(value, constraint.root)
    case 'pattern':
      return matchesPattern(value, constraint.value)
    default:
      return false // a type that came past the parser
  }
}

/** True when the number is within both bounds. */
export function isInRange(value: number, range: RangeConstraint): boolean {
  const { min, max, min_inclusive, max_inclusive } = range
  if (min !== undefined && !(min_inclusive === false ? value > min : value >= min)) return false
  return max === undefined || (max_inclusive === false ? value < max : value <= max)
}

/** True when each of `inner` occurs in `outer`, as sets of canonical JSON. */
export function isSubset(inner: readonly JsonValue[], outer: readonly JsonValue[]): boolean {
  const known = textsOf(outer)
  return inner.every((item) => known.has(canonicalize(item)))
}

function textsOf(values: readonly JsonValue[]): ReadonlySet<string> {
  return new Set(values.map((value) => canonicalize(value)))
}

function textOf(value: unknown): string | undefined {
  try {
    return canonicalize(value)
  } catch {
    return undefined
  }
}
