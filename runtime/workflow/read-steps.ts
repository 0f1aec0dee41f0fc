/** Reads the steps of a definition's wire form; the default delegator is the entry, which holds the whole grant. */
import { isIdentifier, isToolName } from '../encoding/identifier.js'
import type {
  AgentStep,
  CompleteDefinition,
  GateStep,
  PathMapping,
  Step,
  ToolNarrowing,
} from './definition.js'
import { isPath, pathForm } from './path.js'
import { type Fail, type Place, quoted } from './place.js'
import { bare, isScopeToken, readToolTemplates } from './read-grant.js'
import { entries, list, members, text, whole, word, wordSet } from './shape.js'

const maxSteps = 200
const maxConditionLength = 1000
const stepId = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/
const agentMembers = [
  'id',
  'agent',
  'after',
  'delegated_by',
  'scope',
  'tools',
  'input',
  'when',
  'approval',
  'timeout_seconds',
] as const
const gateMembers = ['id', 'gate', 'after', 'when'] as const

/** Names that would be ambiguous in a path or a condition, or that every object answers to. */
export function isReservedStepId(id: string): boolean {
  return id === 'input' || id === 'steps' || id in Object.prototype
}

/** What of the rest of the definition decides a step's defaults. */
type Around = Pick<CompleteDefinition, 'entry' | 'grant'>

export function readSteps(value: unknown, around: Around, fail: Fail): readonly Step[] {
  const found = list(value, maxSteps, ['steps'], fail)
  if (found.length === 0) fail(['steps'], 'expected at least one step')
  return found.map((step, index) => readStep(step, around, ['steps', index], fail))
}

function readStep(value: unknown, around: Around, place: Place, fail: Fail): Step {
  const isGate = entries(value, place, fail).some(([key]) => key === 'gate')
  return isGate ? readGate(value, place, fail) : readAgentStep(value, around, place, fail)
}

function readAgentStep(value: unknown, around: Around, place: Place, fail: Fail): AgentStep {
  const found = members(value, agentMembers, place, fail)
  const id = readId(found.id, place, fail)
  const { timeout_seconds } = found
  return {
    kind: 'agent',
    id,
    agent: word(found.agent, isIdentifier, 'the id of an agent, or a "gate"', [...place, 'agent'], fail),
    after: readAfter(found.after, place, fail),
    ...(id === around.entry
      ? entryAuthority(found, around, place, fail)
      : stepAuthority(found, around, place, fail)),
    ...(found.input !== undefined && { input: readMapping(found.input, [...place, 'input'], fail) }),
    ...readWhen(found.when, place, fail),
    ...(found.approval !== undefined && {
      approval: text(found.approval, 128, [...place, 'approval'], fail),
    }),
    ...(timeout_seconds !== undefined && {
      timeoutSeconds: whole(timeout_seconds, 1, 7 * 86_400, [...place, 'timeout_seconds'], fail),
    }),
  }
}

type Authority = Pick<AgentStep, 'scope' | 'tools'> & { readonly delegatedBy?: string }

function entryAuthority(found: Record<string, unknown>, around: Around, place: Place, fail: Fail): Authority {
  for (const member of ['delegated_by', 'scope', 'tools']) {
    if (found[member] !== undefined)
      fail([...place, member], 'the entry holds the whole grant; narrow "grant" instead')
  }
  return { scope: around.grant.scope, tools: Object.keys(around.grant.tools).sort() }
}

function stepAuthority(found: Record<string, unknown>, around: Around, place: Place, fail: Fail): Authority {
  return {
    delegatedBy:
      found.delegated_by === undefined
        ? around.entry
        : text(found.delegated_by, 128, [...place, 'delegated_by'], fail),
    scope:
      found.scope === undefined
        ? []
        : wordSet(found.scope, isScopeToken, 'a scope', [...place, 'scope'], fail),
    tools: found.tools === undefined ? [] : readTools(found.tools, [...place, 'tools'], fail),
  }
}

function readGate(value: unknown, place: Place, fail: Fail): GateStep {
  const found = members(value, gateMembers, place, fail)
  const at = [...place, 'gate']
  const gate = members(found.gate, ['opens', 'tool', 'arguments'], at, fail)
  return {
    kind: 'gate',
    id: readId(found.id, place, fail),
    after: readAfter(found.after, place, fail),
    opens: text(gate.opens, 128, [...at, 'opens'], fail),
    tool: word(gate.tool, isToolName, 'the name of a tool', [...at, 'tool'], fail),
    arguments: readMapping(gate.arguments, [...at, 'arguments'], fail),
    ...readWhen(found.when, place, fail),
  }
}

function readId(value: unknown, place: Place, fail: Fail): string {
  const at = [...place, 'id']
  const id = word(value, (found) => stepId.test(found), 'letters, digits, "_" and "-"', at, fail)
  if (isReservedStepId(id)) fail(at, `${quoted(id)} is reserved`)
  return id
}

function readAfter(value: unknown, place: Place, fail: Fail): readonly string[] {
  if (value === undefined) return []
  return wordSet(value, () => true, 'the id of a step', [...place, 'after'], fail)
}

function readWhen(value: unknown, place: Place, fail: Fail): { when?: string } {
  return value === undefined ? {} : { when: text(value, maxConditionLength, [...place, 'when'], fail) }
}

function readTools(value: unknown, place: Place, fail: Fail): ToolNarrowing {
  return Array.isArray(value)
    ? wordSet(value, isToolName, 'the name of a tool', place, fail)
    : readToolTemplates(value, place, fail)
}

function readMapping(value: unknown, place: Place, fail: Fail): PathMapping {
  const found = entries(value, place, fail)
  if (found.length > 64) fail(place, `expected at most 64 names, found ${found.length}`)
  const mapped = found.map(([name, path]) => {
    if (name === '' || name.length > 128) fail([...place, name], 'not a name')
    return [name, word(path, isPath, pathForm, [...place, name], fail)] as const
  })
  return bare(mapped)
}
