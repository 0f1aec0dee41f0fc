/** From templates to grants: what the root assertion of a run holds, and what each step gets of it. */

import { parseToolGrants, requireNarrower, type ToolGrants } from '../delegation/tools.js'
import type { JsonObject, JsonValue } from '../encoding/canonical-json.js'
import { AgenticError, isAgenticError } from '../errors.js'
import type { AgentStep, ToolTemplates, Workflow } from './definition.js'
import { fillTemplate, type Hole } from './template.js'

export interface StepGrant {
  readonly scope: readonly string[]
  readonly tools: ToolGrants
}

export interface ResolvedGrant extends StepGrant {
  readonly maxDepth: number
  readonly lifetimeSeconds: number
}

/** What the initiator grants to the entry step.
 * @param input as `resolveParameters` returned it
 * @throws AgenticError ERR_INPUT_INVALID when a constraint cannot hold an input
 */
export function resolveGrant(workflow: Workflow, input: JsonObject): ResolvedGrant {
  const { scope, tools, maxDepth, lifetimeSeconds } = workflow.grant
  return { scope, tools: fill(tools, input), maxDepth, lifetimeSeconds }
}

/** What a step's assertion holds, given what its delegator's holds.
 * @param parentTools the delegator's tools; for the entry the whole grant's
 * @throws AgenticError ERR_CHAIN_TOOL_WIDENED, ERR_CHAIN_CONSTRAINT_WIDENED, ERR_INPUT_INVALID
 * @see PROTOCOL 5.2
 */
export function stepGrant(
  workflow: Workflow,
  step: string | AgentStep,
  parentTools: ToolGrants,
  input: JsonObject,
): StepGrant {
  const found = workflow.step(typeof step === 'string' ? step : step.id)
  if (found.kind === 'gate') throw new TypeError(`step "${found.id}" is a gate and holds nothing`)
  const tools = isList(found.tools) ? pick(found.tools, parentTools) : fill(found.tools, input)
  requireNarrower(parentTools, tools)
  return { scope: found.scope, tools }
}

function isList(tools: AgentStep['tools']): tools is readonly string[] {
  return Array.isArray(tools)
}

/** The delegator's own constraints, of these tools. */
export function pick(names: readonly string[], parentTools: ToolGrants): ToolGrants {
  return parseToolGrants(
    Object.fromEntries(
      names.map((name) => {
        if (Object.hasOwn(parentTools, name)) return [name, parentTools[name]]
        throw new AgenticError('ERR_CHAIN_TOOL_WIDENED', `tool "${name}" is not held by the delegator`)
      }),
    ),
  )
}

function fill(templates: ToolTemplates, input: JsonObject): ToolGrants {
  const tools = Object.entries(templates).map(([tool, constraints]) => [
    tool,
    Object.fromEntries(
      Object.entries(constraints).map(([argument, template]) => [
        argument,
        fillTemplate(template, (hole) => inputFor(hole, input)),
      ]),
    ),
  ])
  try {
    return parseToolGrants(Object.fromEntries(tools))
  } catch (cause) {
    if (!isAgenticError(cause) || cause.code !== 'ERR_CONSTRAINT_INVALID') throw cause
    throw new AgenticError('ERR_INPUT_INVALID', `the grant cannot hold this input: ${cause.message}`, {
      cause,
    })
  }
}

function inputFor(hole: Hole, input: JsonObject): JsonValue {
  const value = Object.hasOwn(input, hole.parameter) ? input[hole.parameter] : undefined
  if (value === undefined) {
    throw new AgenticError('ERR_INPUT_INVALID', `input: parameter "${hole.parameter}" is required`)
  }
  // An input stands for one value; a wildcard in it would widen what the workflow's author wrote.
  if (hole.constraintType === 'pattern' && String(value).includes('*')) {
    throw new AgenticError('ERR_INPUT_INVALID', `input: parameter "${hole.parameter}" must not contain "*"`)
  }
  return value
}
