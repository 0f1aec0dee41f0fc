/** From a definition to a workflow: read strictly, completed, validated, frozen, and named by its digest. */
import { canonicalCopy, canonicalize, type JsonObject } from '../encoding/canonical-json.js'
import { digestOf } from '../encoding/digest.js'
import { AgenticError, isAgenticError } from '../errors.js'
import type { CompleteDefinition, Step, Workflow, WorkflowDefinition } from './definition.js'
import { type Fail, type Place, showPlace } from './place.js'
import { readDefinition } from './read-definition.js'
import { validateDefinition } from './validate.js'
import { completeToWire, definitionToWire } from './wire.js'

/** Makes a workflow of a definition written in code.
 * @throws AgenticError ERR_WORKFLOW_INVALID, naming the place, as in `steps.scan.after: no step "foo"`
 */
export function defineWorkflow(definition: WorkflowDefinition): Workflow {
  return workflowFromWire(definitionToWire(definition, failIn(definition)))
}

/** Makes the same workflow again from its `source`, as it is stored and registered.
 * @throws AgenticError ERR_WORKFLOW_INVALID
 */
export function workflowFromSource(source: JsonObject): Workflow {
  return workflowFromWire(source)
}

/** Makes a workflow of a definition in wire spelling.
 * @param failAt says where and what; default: with the place's name only
 */
export function workflowFromWire(wire: unknown, failAt?: Fail): Workflow {
  const plain = copyOf(wire, failAt ?? failIn(wire))
  const fail = failAt ?? failIn(plain)
  const complete = readDefinition(plain, fail)
  const steps = validateDefinition(complete, fail)
  return assemble(complete, steps, copyOf(completeToWire(complete, fail), fail) as JsonObject)
}

function assemble(complete: CompleteDefinition, steps: readonly Step[], source: JsonObject): Workflow {
  const byId = new Map(steps.map((step) => [step.id, step]))
  return deepFreeze({
    ...complete,
    steps,
    source,
    digest: digestOf(source),
    step(id: string): Step {
      const step = byId.get(id)
      if (step) return step
      throw new AgenticError('ERR_STEP_UNKNOWN', `workflow "${complete.id}" has no such step`)
    },
  })
}

/** A copy that holds only what JSON can hold, made in one reading. */
function copyOf(wire: unknown, fail: Fail): unknown {
  try {
    return canonicalCopy(wire)
  } catch (error) {
    if (!isAgenticError(error)) throw error
    return fail(placeOfFault(wire), error.message)
  }
}

/** The deepest place whose value has no canonical JSON. */
function placeOfFault(value: unknown, place: Place = []): Place {
  if (place.length >= 64 || typeof value !== 'object' || value === null) return place
  for (const key of Object.keys(value)) {
    const member: unknown = Object.getOwnPropertyDescriptor(value, key)?.value
    const at = [...place, Array.isArray(value) ? Number(key) : key]
    if (key === '__proto__' || member === undefined) return at
    try {
      canonicalize(member)
    } catch {
      return placeOfFault(member, at)
    }
  }
  return place
}

function failIn(wire: unknown): Fail {
  return (place, what) => {
    const at = showPlace(place, wire)
    throw new AgenticError('ERR_WORKFLOW_INVALID', `workflow: ${at === '' ? '' : `${at}: `}${what}`)
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}
