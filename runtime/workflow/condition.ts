/**
 * Conditions of steps: CEL (Common Expression Language) over `input` and the outputs of earlier steps, each
 * by its id or as `steps["id"]`. Numbers are CEL doubles, as JSON's are: `int(plan.n) % 2 == 0`.
 * No regular expressions, no loops deeper than two, bounded size: a condition ends soon.
 */
import { type ASTNode, Environment } from '@marcbachmann/cel-js'
import { AgenticError } from '../errors.js'
import { didYouMean } from './place.js'

/** What conditions and paths are read from. Outputs by step id; null for a skipped step. */
export interface RunData {
  readonly input: unknown
  readonly outputs: Readonly<Record<string, unknown>>
}

const base = new Environment({
  unlistedVariablesAreDyn: false,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 400, maxDepth: 32, maxListElements: 100, maxMapEntries: 50, maxCallArguments: 8 },
})
const loops = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])
const maxLoopDepth = 2
/** `matches` runs a backtracking regular expression; `bind` can double a text at every step. */
const refusedCalls = new Set(['matches', 'bind'])

/** Evaluates a condition; a step without output counts as null.
 * @returns what the expression says, when that is true or false
 * @throws AgenticError ERR_CONDITION_INVALID: not an expression, an error in it, or a result of another type
 */
export function evaluateCondition(expression: string, data: RunData): boolean {
  const { names, stepNames } = namesIn(expression)
  const variables: Record<string, unknown> = Object.create(null)
  const outputOf = (id: string): unknown =>
    Object.hasOwn(data.outputs, id) ? (data.outputs[id] ?? null) : null
  for (const name of names) variables[name] = outputOf(name)
  variables.input = data.input
  variables.steps = Object.fromEntries([...stepNames].map((id) => [id, outputOf(id)]))
  const environment = environmentFor(Object.keys(variables))
  const result = guarded(
    () => environment.evaluate(expression, variables) as unknown,
    (error) => withoutData(error, expression),
  )
  if (typeof result !== 'boolean') throw invalid('its result is not true or false')
  return result
}

/** Checks a condition without data.
 * @param earlier the ids of the steps whose outputs it may use
 * @throws AgenticError ERR_CONDITION_INVALID
 */
export function checkCondition(expression: string, earlier: Iterable<string>): void {
  const known = new Set(earlier)
  const { stepNames } = namesIn(expression)
  for (const id of stepNames) {
    if (!known.has(id)) throw invalid(`step "${id}" does not come before it${didYouMean(id, known)}`)
  }
  const result = guarded(() => environmentFor(['input', 'steps', ...known]).check(expression))
  if (!result.valid) {
    const what = firstLine(result.error)
    const unknown = /^Unknown variable: (\S+)$/.exec(what)?.[1]
    throw invalid(unknown ? `no earlier step "${unknown}"${didYouMean(unknown, ['input', ...known])}` : what)
  }
  if (result.type !== 'bool' && result.type !== 'dyn') throw invalid(`its result is of type ${result.type}`)
}

/** An environment in which these names are variables; CEL's own words (`type`, `int`, …) stay CEL's. */
function environmentFor(names: readonly string[]): Environment {
  const environment = base.clone()
  for (const name of names) {
    try {
      environment.registerVariable(name, 'dyn')
    } catch {
      // Reachable as steps["…"] only.
    }
  }
  return environment
}

interface Names {
  /** Free and bound variables. */
  readonly names: Set<string>
  /** Ids in `steps["…"]` and `steps.…`. */
  readonly stepNames: Set<string>
}

function namesIn(expression: string): Names {
  const found: Names = { names: new Set(), stepNames: new Set() }
  walk(
    guarded(() => base.parse(expression).ast),
    found,
    0,
  )
  return found
}

function walk(node: ASTNode, found: Names, loopDepth: number): void {
  let inner = loopDepth
  if (node.op === 'id') {
    if (node.args === 'steps') throw invalid('"steps" is used as steps["id"]')
    found.names.add(node.args)
    return
  }
  if (node.op === '.' || node.op === '[]') {
    const [object, key] = node.args
    if (object.op === 'id' && object.args === 'steps') {
      const id = typeof key === 'string' ? key : key.op === 'value' ? key.args : undefined
      if (typeof id !== 'string') throw invalid('"steps" is used as steps["id"]')
      found.stepNames.add(id)
      return
    }
  }
  if (node.op === 'rcall' || node.op === 'call') {
    const [name] = node.args
    if (refusedCalls.has(name)) throw invalid(`"${name}" is not available`)
    if (loops.has(name)) inner++
    if (inner > maxLoopDepth) throw invalid(`loops are nested deeper than ${maxLoopDepth}`)
  }
  for (const child of nodesIn(node.args)) walk(child, found, inner)
}

/** The operands among a node's arguments, which are nodes, lists of them, and plain values. */
function nodesIn(args: unknown): readonly ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(nodesIn)
  return typeof args === 'object' && args !== null && 'op' in args ? [args as ASTNode] : []
}

function guarded<T>(run: () => T, say: (error: unknown) => string = firstLine): T {
  try {
    return run()
  } catch (cause) {
    throw invalid(say(cause), cause)
  }
}

/** Some messages of the library quote what they were given; only those that speak of the expression are repeated. */
function withoutData(error: unknown, expression: string): string {
  const line = firstLine(error)
  const key = /^no such key: (.*)$/i.exec(line)?.[1]
  // `input[plan.name]` looks for what the data says.
  if (key !== undefined) return expression.includes(key) ? line : 'no such key'
  return /^(?:no such overload|found no matching overload|unknown variable)\b/i.test(line)
    ? line
    : 'it cannot be evaluated'
}

/** The library's messages go on with a picture of the expression. */
function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : 'unknown error').split('\n', 1)[0] ?? ''
}

function invalid(what: string, cause?: unknown): AgenticError {
  return new AgenticError('ERR_CONDITION_INVALID', `condition: ${what}`, { cause })
}
