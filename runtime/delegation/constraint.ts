/**
 * A constraint on one argument of one tool: AAT's core types with AAT's member names, and three extensions
 * (`url`, `path_containment`, `pattern`). Reading one is strict: what is not understood is not a constraint.
 */
import { canonicalCopy, type JsonObject, type JsonValue } from '../encoding/canonical-json.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError, isAgenticError } from '../errors.js'
import { parsePathRoot } from './constraint-path.js'
import { parsePattern } from './constraint-pattern.js'
import { parseUrlRule, type UrlRule, urlMembers } from './constraint-url.js'

export type Scalar = string | number | boolean | null

/** `constraint_type` and the members of AAT's table of core types; extensions as PROTOCOL 5.4 describes them. */
export type Constraint =
  | { readonly constraint_type: 'exact'; readonly value: Scalar }
  | RangeConstraint
  | { readonly constraint_type: 'one_of'; readonly values: readonly JsonValue[] }
  | { readonly constraint_type: 'not_one_of'; readonly excluded: readonly JsonValue[] }
  | { readonly constraint_type: 'contains'; readonly required: readonly JsonValue[] }
  | { readonly constraint_type: 'subset'; readonly allowed: readonly JsonValue[] }
  | { readonly constraint_type: 'wildcard' }
  | { readonly constraint_type: 'all'; readonly constraints: readonly Constraint[] }
  | { readonly constraint_type: 'any'; readonly constraints: readonly Constraint[] }
  | ({ readonly constraint_type: 'url' } & UrlRule)
  | { readonly constraint_type: 'path_containment'; readonly root: string }
  | { readonly constraint_type: 'pattern'; readonly value: string }

/** A missing bound is no bound; a bound is included unless its `…_inclusive` is false. */
export interface RangeConstraint {
  readonly constraint_type: 'range'
  readonly min?: number
  readonly max?: number
  readonly min_inclusive?: boolean
  readonly max_inclusive?: boolean
}

/** Deepest tree of constraints, a lone constraint being 1 (AAT, MAX_CONSTRAINT_DEPTH). */
export const maxConstraintDepth = 32

/** Reads a constraint from outside; the result is a frozen copy.
 * Refused: unknown types, unknown or missing members, values that have no canonical JSON, `all` and `any`
 * without clauses, depth beyond 32.
 * @throws AgenticError ERR_CONSTRAINT_INVALID
 * @see PROTOCOL 5.4; AAT, Argument Constraints
 */
export function parseConstraint(value: unknown): Constraint {
  return read(copyOf(value), 1)
}

/** The same for JSON fresh from the strict parser, which nobody else holds: it is not copied, and gets frozen.
 * @throws AgenticError ERR_CONSTRAINT_INVALID */
export function readConstraint(value: JsonValue): Constraint {
  return read(value, 1)
}

/** Number of constraints in a tree, nested ones included. */
export function countConstraints(constraint: Constraint): number {
  if (constraint.constraint_type !== 'all' && constraint.constraint_type !== 'any') return 1
  return constraint.constraints.reduce((sum, clause) => sum + countConstraints(clause), 1)
}

/** A plain copy that no getter and no later change of the original can reach. */
function copyOf(value: unknown): JsonValue {
  try {
    return canonicalCopy(value)
  } catch (cause) {
    if (isAgenticError(cause)) throw invalid('not canonical JSON', cause)
    throw cause
  }
}

function read(value: JsonValue, depth: number): Constraint {
  if (depth > maxConstraintDepth) throw invalid(`nested deeper than ${maxConstraintDepth}`)
  if (!isPlainObject(value)) throw invalid('expected an object with "constraint_type"')
  return readMembers(withoutPrototype(value), depth)
}

function readMembers(value: JsonObject, depth: number): Constraint {
  const type = value.constraint_type
  switch (type) {
    case 'exact':
      requireMembers(value, ['value'])
      return made({ constraint_type: type, value: scalar(value.value) })
    case 'range':
      return readRange(value)
    case 'one_of':
      requireMembers(value, ['values'])
      return made({ constraint_type: type, values: list(value, 'values') })
    case 'not_one_of':
      requireMembers(value, ['excluded'])
      return made({ constraint_type: type, excluded: list(value, 'excluded') })
    case 'contains':
      requireMembers(value, ['required'])
      return made({ constraint_type: type, required: list(value, 'required') })
    case 'subset':
      requireMembers(value, ['allowed'])
      return made({ constraint_type: type, allowed: list(value, 'allowed') })
    case 'wildcard':
      requireMembers(value, [])
      return made({ constraint_type: type })
    case 'all':
    case 'any':
      requireMembers(value, ['constraints'])
      return made({ constraint_type: type, constraints: readClauses(value, depth) })
    case 'url':
      requireMembers(value, urlMembers)
      return made({ constraint_type: type, ...parseUrlRule(value) })
    case 'path_containment':
      requireMembers(value, ['root'])
      return made({ constraint_type: type, root: parsePathRoot(value.root) })
    case 'pattern':
      requireMembers(value, ['value'])
      return made({ constraint_type: type, value: parsePattern(value.value) })
    default:
      throw invalid('a "constraint_type" that is not known')
  }
}

function readRange(value: JsonObject): RangeConstraint {
  requireMembers(value, ['min', 'max', 'min_inclusive', 'max_inclusive'])
  for (const bound of ['min', 'max']) {
    if (bound in value && typeof value[bound] !== 'number') throw invalid(`"${bound}" must be a number`)
  }
  for (const flag of ['min_inclusive', 'max_inclusive']) {
    if (flag in value && typeof value[flag] !== 'boolean') throw invalid(`"${flag}" must be true or false`)
  }
  return made({ ...value, constraint_type: 'range' as const })
}

function readClauses(value: JsonObject, depth: number): readonly Constraint[] {
  const clauses = list(value, 'constraints')
  // Without clauses, `all` is a wildcard in disguise and `any` refuses everything: neither is meant.
  if (clauses.length === 0) throw invalid('"constraints" must hold at least one constraint')
  return Object.freeze(clauses.map((clause) => read(clause, depth + 1)))
}

function requireMembers(value: JsonObject, members: readonly string[]): void {
  const extra = Object.keys(value).find((key) => key !== 'constraint_type' && !members.includes(key))
  if (extra !== undefined) throw invalid('a member that its type does not have')
}

function scalar(value: JsonValue | undefined): Scalar {
  if (value === undefined || (typeof value === 'object' && value !== null)) {
    throw invalid('"value" must be a string, a number, true, false or null')
  }
  return value
}

function list(value: JsonObject, member: string): readonly JsonValue[] {
  const items = value[member]
  if (!Array.isArray(items)) throw invalid(`"${member}" must be an array`)
  return deepFreeze(items as readonly JsonValue[])
}

/** Without a prototype: a member that is absent stays absent, whatever `Object.prototype` was made to hold. */
function withoutPrototype<T extends object>(members: T): T {
  return Object.assign(Object.create(null), members)
}

function made<T extends object>(members: T): T {
  return Object.freeze(withoutPrototype(members))
}

function deepFreeze<T extends JsonValue>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) deepFreeze(member as JsonValue)
  return Object.freeze(value)
}

function invalid(what: string, cause?: unknown): AgenticError {
  return new AgenticError('ERR_CONSTRAINT_INVALID', `constraint: ${what}`, { cause })
}
