/** The one place that knows both spellings of a definition: camelCase in code, snake_case on the wire and in YAML. */
import { isPlainObject } from '../encoding/strict-json.js'
import type { CompleteDefinition, Step } from './definition.js'
import { didYouMean, type Fail, type Place } from './place.js'

/** The members of each object in code; what is not listed in `spelling` is spelled the same on the wire. */
const workflowMembers = ['id', 'version', 'description', 'parameters', 'entry', 'grant', 'steps', 'result']
const grantMembers = ['scope', 'tools', 'maxDepth', 'lifetimeSeconds']
const stepMembers = [
  'id',
  'agent',
  'gate',
  'after',
  'delegatedBy',
  'scope',
  'tools',
  'input',
  'when',
  'approval',
  'timeoutSeconds',
]
const spelling: Readonly<Record<string, string>> = {
  maxDepth: 'max_depth',
  lifetimeSeconds: 'lifetime_seconds',
  delegatedBy: 'delegated_by',
  timeoutSeconds: 'timeout_seconds',
}

/** A definition made in code, in wire spelling. Only names are judged: members that code does not have fail.
 * @param definition what a program passed; not believed to have the declared type */
export function definitionToWire(definition: unknown, fail: Fail): unknown {
  const wire = respell(definition, workflowMembers, [], fail)
  if (!isPlainObject(wire)) return wire
  const { grant, steps } = wire as Readonly<Record<string, unknown>>
  return {
    ...wire,
    ...(grant !== undefined && { grant: respell(grant, grantMembers, ['grant'], fail) }),
    ...(Array.isArray(steps) && {
      steps: steps.map((step, index) => respell(step, stepMembers, ['steps', index], fail)),
    }),
  }
}

/** The wire form of a complete definition; reading it gives the same definition again. */
export function completeToWire(definition: CompleteDefinition, fail: Fail): unknown {
  return definitionToWire(
    { ...definition, steps: definition.steps.map((step) => authored(step, definition.entry)) },
    fail,
  )
}

function authored(step: Step, entry: string): unknown {
  if (step.kind === 'gate') {
    const { kind: _kind, opens, tool, arguments: args, ...rest } = step
    return { ...rest, gate: { opens, tool, arguments: args } }
  }
  const { kind: _kind, ...rest } = step
  if (step.id !== entry) return rest
  const { scope: _scope, tools: _tools, ...bare } = rest // the grant's, which the entry may not repeat
  return bare
}

/** Leaves out what is undefined, as JSON does. What is not an object is returned for the reader to refuse. */
function respell(value: unknown, known: readonly string[], place: Place, fail: Fail): unknown {
  if (!isPlainObject(value)) return value
  const renamed = Object.entries(value).map(([key, member]) => {
    if (!known.includes(key))
      fail([...place, key], `no such member${didYouMean(key, known)}; known: ${known.join(', ')}`)
    return [spelling[key] ?? key, member as unknown] as const
  })
  return Object.fromEntries(renamed.filter(([, member]) => member !== undefined))
}
