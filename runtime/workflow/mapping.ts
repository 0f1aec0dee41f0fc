/** What a step is given: values along the dotted paths of its definition, own properties only. */
import { canonicalCopy, type JsonObject } from '../encoding/canonical-json.js'
import { AgenticError } from '../errors.js'
import type { RunData } from './condition.js'
import type { GateStep, PathMapping, Step, Workflow } from './definition.js'
import { follow, segmentsOf } from './path.js'

/** The input of a step: by its `input` mapping, or `input` and the outputs of its `after` steps by their ids.
 * A path into the output of a skipped step gives null.
 * @returns the values themselves, not copies
 * @throws AgenticError ERR_INPUT_INVALID when a path leads nowhere, ERR_STEP_UNKNOWN
 */
export function stepInput(
  workflow: Workflow,
  step: string | Step,
  data: RunData,
): Readonly<Record<string, unknown>> {
  const found = stepOf(workflow, step)
  if (found.kind === 'gate') return valuesOf(found.id, 'gate.arguments', found.arguments, data)
  if (found.input !== undefined) return valuesOf(found.id, 'input', found.input, data)
  const outputs = found.after.map((id) => [id, outputOf(id, data)] as const)
  return { input: data.input, ...Object.fromEntries(outputs) }
}

/** The whole arguments of the call that a gate is asked to approve: a JSON copy that nothing else holds.
 * @throws AgenticError ERR_INPUT_INVALID when a path leads nowhere or into a skipped step, or a value is not JSON
 */
export function gateArguments(workflow: Workflow, step: string | GateStep, data: RunData): JsonObject {
  const gate = stepOf(workflow, step)
  if (gate.kind !== 'gate') throw new TypeError(`step "${gate.id}" is not a gate`)
  for (const [name, path] of Object.entries(gate.arguments)) {
    const [root = ''] = segmentsOf(path)
    // Nobody can approve what was never made.
    if (root !== 'input' && outputOf(root, data) === null)
      throw invalid(gate.id, 'gate.arguments', name, path, 'has no output')
  }
  const values = valuesOf(gate.id, 'gate.arguments', gate.arguments, data)
  try {
    return canonicalCopy(values) as JsonObject
  } catch (cause) {
    throw new AgenticError('ERR_INPUT_INVALID', `steps.${gate.id}.gate.arguments: not canonical JSON`, {
      cause,
    })
  }
}

function valuesOf(id: string, member: string, mapping: PathMapping, data: RunData): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(mapping).map(([name, path]) => {
      const value = resolve(path, data)
      if (value === undefined) throw invalid(id, member, name, path, 'leads nowhere')
      return [name, value]
    }),
  )
}

function resolve(path: string, data: RunData): unknown {
  const [root = '', ...rest] = segmentsOf(path)
  if (root === 'input') return follow(data.input, rest)
  const output = outputOf(root, data)
  return output === null ? null : follow(output, rest)
}

/** Null for a step that was skipped. */
function outputOf(id: string, data: RunData): unknown {
  return Object.hasOwn(data.outputs, id) ? (data.outputs[id] ?? null) : null
}

function stepOf(workflow: Workflow, step: string | Step): Step {
  return workflow.step(typeof step === 'string' ? step : step.id)
}

function invalid(id: string, member: string, name: string, path: string, what: string): AgenticError {
  return new AgenticError('ERR_INPUT_INVALID', `steps.${id}.${member}.${name}: "${path}" ${what}`)
}
