/**
 * Constraints with holes: `{ $parameter: name }` anywhere in one stands for a value of the run's input. The
 * hole is filled in the parsed value, never in text, so an input cannot add members or change a type.
 */
import type { JsonObject, JsonValue } from '../encoding/canonical-json.js'
import { sha256Hex } from '../encoding/digest.js'
import { isPlainObject } from '../encoding/strict-json.js'
import type { ConstraintTemplate } from './definition.js'

/** Where a hole is: the type of the constraint it is in, and the member of that. */
export interface Hole {
  readonly parameter: string
  readonly constraintType: string
  readonly member: string
}

/** Gives the value for a hole, or throws. */
export type FillHole = (hole: Hole) => JsonValue

/** Replaces every hole of a constraint template; the result is still to be parsed. */
export function fillTemplate(template: ConstraintTemplate, fill: FillHole): JsonObject {
  const type = template.constraint_type
  const constraintType = typeof type === 'string' ? type : ''
  const filled = Object.entries(template).map(([member, value]) => [
    member,
    member === 'constraints' && Array.isArray(value)
      ? value.map((clause: JsonValue) => (isPlainObject(clause) ? fillTemplate(clause, fill) : clause))
      : fillValue(value, (parameter) => fill({ parameter, constraintType, member })),
  ])
  return Object.fromEntries(filled)
}

function fillValue(value: JsonValue, fill: (parameter: string) => JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => fillValue(item, fill))
  if (!isPlainObject(value)) return value
  const parameter = value.$parameter
  if (typeof parameter === 'string' && Object.keys(value).length === 1) return fill(parameter)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fillValue(member, fill)]))
}

/** The type of parameter that fits a hole; undefined where any scalar does. `never`: no hole belongs there. */
export function typeOfHole(hole: Hole): 'string' | 'number' | 'boolean' | 'never' | undefined {
  switch (hole.member) {
    case 'constraint_type':
    case 'scheme':
    case '$parameter':
      return 'never'
    case 'min':
    case 'max':
    case 'port':
      return 'number'
    case 'min_inclusive':
    case 'max_inclusive':
      return 'boolean'
    case 'root':
    case 'host':
    case 'host_suffix':
    case 'path':
      return 'string'
    default:
      return hole.constraintType === 'pattern' ? 'string' : undefined
  }
}

/**
 * A stand-in for a value that is not known yet: fits its place, equals only itself. With it two templates
 * can be compared before a run; the filled ones are compared again at start, so it need not be perfect.
 */
export function opaqueValue(hole: Hole): JsonValue {
  const digest = sha256Hex(hole.parameter).slice(0, 32)
  switch (hole.member) {
    case 'min':
    case 'max':
      return 2 ** 40 + Number.parseInt(digest.slice(0, 8), 16)
    case 'port':
      return 1 + (Number.parseInt(digest.slice(0, 8), 16) % 65_535)
    case 'min_inclusive':
    case 'max_inclusive':
      return true
    case 'host':
    case 'host_suffix':
      return `p${digest}.parameter.invalid`
    default:
      return `/$parameter/${digest}`
  }
}
