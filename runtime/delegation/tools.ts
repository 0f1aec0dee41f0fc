/**
 * What a grant says of tools: which ones, and for each of its arguments a constraint. Closed world: a tool
 * with constraints takes exactly the arguments that are named; a tool with none takes any (AAT).
 */
import { canonicalCopy, type JsonObject, type JsonValue } from '../encoding/canonical-json.js'
import { isToolName } from '../encoding/identifier.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError, isAgenticError } from '../errors.js'
import { checkConstraint } from './check-constraint.js'
import { type Constraint, countConstraints, parseConstraint, readConstraint } from './constraint.js'
import { subsumes } from './subsumes.js'

/** tool → argument → constraint. Parsed ones are frozen and have no prototype. */
export type ToolGrants = Readonly<Record<string, Readonly<Record<string, Constraint>>>>

/** Limits of PROTOCOL 1; nested constraints count. */
export const maxTools = 256
export const maxConstraints = 1024
const maxArgumentName = 128

/** Reads the `tools` map of an assertion or a token.
 * @throws AgenticError ERR_CONSTRAINT_INVALID
 * @see AAT, Capability Claims
 */
export function parseToolGrants(value: unknown): ToolGrants {
  return grantsOf(value, parseConstraint)
}

/** The same for the claims of a token fresh from the gate, which nobody else holds.
 * @throws AgenticError ERR_CONSTRAINT_INVALID */
export function readToolGrants(claims: JsonObject): ToolGrants {
  return grantsOf(claims, (constraint) => readConstraint(constraint as JsonValue))
}

function grantsOf(value: unknown, constraintOf: (value: unknown) => Constraint): ToolGrants {
  const entries = entriesOf(value, 'tools')
  if (entries.length > maxTools) throw invalid(`expected at most ${maxTools} tools, found ${entries.length}`)
  let left = maxConstraints
  return frozenMap(
    entries.map(([tool, constraints]) => {
      if (!isToolName(tool)) throw invalid('a tool name must be identifiers joined by "/"')
      const parsed = entriesOf(constraints, `tool "${tool}"`).map(([argument, constraint]) => {
        requireArgumentName(argument, tool)
        const read = constraintOf(constraint)
        left -= countConstraints(read)
        if (left < 0) throw invalid(`expected at most ${maxConstraints} constraints`)
        return [argument, read] as const
      })
      return [tool, frozenMap(parsed)] as const
    }),
  )
}

/** Checks one call against a grant.
 * @param args the arguments as they will be used; read once, own data only
 * @throws AgenticError ERR_TOOL_NOT_GRANTED, ERR_ARGUMENT_REFUSED
 * @see PROTOCOL 5.4, PROTOCOL 10
 */
export function checkArguments(tools: ToolGrants, tool: string, args: JsonObject): void {
  const constraints = own(tools, tool)
  if (!constraints) throw new AgenticError('ERR_TOOL_NOT_GRANTED', `tool ${quoted(tool)} is not granted`)
  const given = snapshot(args, tool)
  const named = Object.keys(constraints)
  if (named.length === 0) return
  const unnamed = Object.keys(given).find((argument) => !Object.hasOwn(constraints, argument))
  // A name that only the caller knows is text of the caller's.
  if (unnamed !== undefined) throw refused(tool, 'an argument is not named in the grant')
  for (const argument of named) {
    if (!Object.hasOwn(given, argument)) throw refused(tool, `argument ${quoted(argument)} is missing`)
    const constraint = own(constraints, argument)
    if (!constraint || !checkConstraint(constraint, given[argument])) {
      throw refused(tool, `argument ${quoted(argument)} is outside the grant`)
    }
  }
}

/** Checks that a child grants no tool and no call that its parent does not.
 * @throws AgenticError ERR_CHAIN_TOOL_WIDENED, ERR_CHAIN_CONSTRAINT_WIDENED
 * @see AAT I4
 */
export function requireNarrower(parent: ToolGrants, child: ToolGrants): void {
  for (const [tool, constraints] of Object.entries(child)) {
    const held = own(parent, tool)
    if (!held) {
      throw new AgenticError('ERR_CHAIN_TOOL_WIDENED', `tool ${quoted(tool)} is not held by the delegator`)
    }
    // A parent without constraints is open: whatever its child says of arguments narrows it.
    if (Object.keys(held).length > 0) requireSameKeysNarrower(tool, held, constraints)
  }
}

function requireSameKeysNarrower(
  tool: string,
  held: Readonly<Record<string, Constraint>>,
  constraints: Readonly<Record<string, Constraint>>,
): void {
  for (const argument of new Set([...Object.keys(held), ...Object.keys(constraints)])) {
    const parent = own(held, argument)
    const child = own(constraints, argument)
    if (!parent) throw widened(tool, 'an argument is not open to the delegator')
    if (!child) throw widened(tool, `argument ${quoted(argument)} must be constrained as for the delegator`)
    if (!subsumes(parent, child))
      throw widened(tool, `argument ${quoted(argument)} is wider than the delegator's`)
  }
}

/** A copy of the arguments that no getter and no later change can reach. */
function snapshot(args: JsonObject, tool: string): JsonObject {
  if (!isPlainObject(args)) throw refused(tool, 'expected an object of arguments')
  try {
    return canonicalCopy(args) as JsonObject
  } catch (cause) {
    if (isAgenticError(cause)) throw refused(tool, 'the arguments are not canonical JSON', cause)
    throw cause
  }
}

function entriesOf(value: unknown, what: string): [string, unknown][] {
  if (!isPlainObject(value)) throw invalid(`${what}: expected an object`)
  return Object.entries(value)
}

function requireArgumentName(argument: string, tool: string): void {
  if (argument === '' || argument.length > maxArgumentName || argument === '__proto__') {
    throw invalid(`tool "${tool}": an argument name must have 1 to ${maxArgumentName} characters`)
  }
}

/** Without a prototype, so that no lookup by an attacker's name finds what was never granted. */
function frozenMap<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  const map: Record<string, T> = Object.create(null)
  for (const [key, value] of entries) map[key] = value
  return Object.freeze(map)
}

function own<T>(map: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined
}

/** A name from outside, made safe and short for a message. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name)
}

function invalid(what: string): AgenticError {
  return new AgenticError('ERR_CONSTRAINT_INVALID', `tool grants: ${what}`)
}

function refused(tool: string, what: string, cause?: unknown): AgenticError {
  return new AgenticError('ERR_ARGUMENT_REFUSED', `tool ${quoted(tool)}: ${what}`, { cause })
}

function widened(tool: string, what: string): AgenticError {
  return new AgenticError('ERR_CHAIN_CONSTRAINT_WIDENED', `tool ${quoted(tool)}: ${what}`)
}
