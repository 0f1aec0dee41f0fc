/**
 * Whether a child's constraint is at least as restrictive as its parent's: whatever passes the child passes
 * the parent. Only the pairs of types that AAT lists are judged, every other pair is refused; that refuses
 * some pairs that would be safe, and never accepts one that is not.
 */
import { checkConstraint, isSubset } from './check-constraint.js'
import type { Constraint, RangeConstraint } from './constraint.js'
import { startsWithSegments } from './constraint-path.js'
import { urlRuleSubsumes } from './constraint-url.js'

/** True only when every value that passes `child` passes `parent`.
 * Pairs: equal types by their rule; anything under `wildcard`; `exact` under `range` and `one_of`; and for
 * the extensions (`url`, `path_containment`, `pattern`) `exact` and `one_of` all of whose values match.
 * @see PROTOCOL 5.4; AAT I4
 */
export function subsumes(parent: Constraint, child: Constraint): boolean {
  switch (parent.constraint_type) {
    case 'wildcard':
      return true
    case 'exact':
      return child.constraint_type === 'exact' && checkConstraint(parent, child.value)
    case 'range':
      if (child.constraint_type === 'exact') return checkConstraint(parent, child.value)
      return child.constraint_type === 'range' && rangeSubsumes(parent, child)
    case 'one_of':
      if (child.constraint_type === 'exact') return checkConstraint(parent, child.value)
      return child.constraint_type === 'one_of' && isSubset(child.values, parent.values)
    case 'not_one_of':
      return child.constraint_type === 'not_one_of' && isSubset(parent.excluded, child.excluded)
    case 'contains':
      return child.constraint_type === 'contains' && isSubset(parent.required, child.required)
    case 'subset':
      return child.constraint_type === 'subset' && isSubset(child.allowed, parent.allowed)
    case 'all':
      return child.constraint_type === 'all' && allSubsumes(parent.constraints, child.constraints)
    case 'any':
      return child.constraint_type === 'any' && anySubsumes(parent.constraints, child.constraints)
    case 'url':
      if (child.constraint_type === 'url') return urlRuleSubsumes(parent, child)
      return listedValuesPass(parent, child)
    case 'path_containment':
      if (child.constraint_type === 'path_containment') return startsWithSegments(child.root, parent.root)
      return listedValuesPass(parent, child)
    case 'pattern':
      if (child.constraint_type === 'pattern') return child.value === parent.value
      return listedValuesPass(parent, child)
    default:
      return false // a type that came past the parser
  }
}

function listedValuesPass(parent: Constraint, child: Constraint): boolean {
  if (child.constraint_type === 'exact') return checkConstraint(parent, child.value)
  return child.constraint_type === 'one_of' && child.values.every((value) => checkConstraint(parent, value))
}

function rangeSubsumes(parent: RangeConstraint, child: RangeConstraint): boolean {
  if (parent.min !== undefined) {
    if (child.min === undefined || child.min < parent.min) return false
    if (child.min === parent.min && parent.min_inclusive === false && child.min_inclusive !== false)
      return false
  }
  if (parent.max !== undefined) {
    if (child.max === undefined || child.max > parent.max) return false
    if (child.max === parent.max && parent.max_inclusive === false && child.max_inclusive !== false)
      return false
  }
  return true
}

function anySubsumes(parents: readonly Constraint[], children: readonly Constraint[]): boolean {
  return children.every((child) => parents.some((parent) => subsumes(parent, child)))
}

/** Every parent clause gets a child clause of its own that narrows it; further child clauses narrow more.
 * A maximum matching by augmenting paths: polynomial, where AAT's backtracking is exponential. */
function allSubsumes(parents: readonly Constraint[], children: readonly Constraint[]): boolean {
  if (parents.length > children.length) return false
  const fits = parents.map((parent) =>
    children.flatMap((child, index) => (subsumes(parent, child) ? [index] : [])),
  )
  if (fits.some((indexes) => indexes.length === 0)) return false
  const parentOf = new Map<number, number>() // child clause → the parent clause it serves
  let unmatched = parents.map((_, index) => index)
  while (unmatched.length > 0) {
    const tried = new Set<number>() // shared by one round, so that a round looks at each pair once
    const left = unmatched.filter((parent) => !augment(parent, fits, parentOf, tried))
    if (left.length === unmatched.length) return false
    unmatched = left
  }
  return true
}

/** Finds a child clause for a parent clause, moving others to another child clause where need be. */
function augment(
  parent: number,
  fits: readonly (readonly number[])[],
  parentOf: Map<number, number>,
  tried: Set<number>,
): boolean {
  for (const child of fits[parent] ?? []) {
    if (tried.has(child)) continue
    tried.add(child)
    const holder = parentOf.get(child)
    if (holder === undefined || augment(holder, fits, parentOf, tried)) {
      parentOf.set(child, parent)
      return true
    }
  }
  return false
}
