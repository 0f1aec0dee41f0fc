/** The input of a run, checked against the parameters of its workflow. */
import { canonicalize, isExactNumber, type JsonObject } from '../encoding/canonical-json.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'
import type { ParameterDefinition, Workflow } from './definition.js'
import { didYouMean } from './place.js'

type Value = string | number | boolean

const maxTextLength = 16_384
const decimal = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** Fills in defaults and checks every value. Text is converted where a number or boolean is expected, since
 * that is all a command line has; nothing else is converted. What `format` names is not looked up here.
 * @returns one value per parameter that has one, frozen
 * @throws AgenticError ERR_INPUT_INVALID, naming the parameter, never its value nor a name it does not have
 */
export function resolveParameters(workflow: Workflow, input: Readonly<Record<string, unknown>>): JsonObject {
  if (!isPlainObject(input)) throw new AgenticError('ERR_INPUT_INVALID', 'input: expected an object')
  const { parameters } = workflow
  const known = Object.keys(parameters)
  const strange = Object.keys(input).find((key) => !Object.hasOwn(parameters, key))
  if (strange !== undefined) {
    // Not repeated: whoever leaves a name out gives its value in its place.
    const has = known.length === 0 ? 'takes no parameters' : `takes only: ${known.join(', ')}`
    throw new AgenticError(
      'ERR_INPUT_INVALID',
      `input: workflow "${workflow.id}" ${has}${didYouMean(strange, known)}`,
    )
  }
  const resolved = Object.entries(parameters).map(([name, parameter]) => {
    const given = Object.hasOwn(input, name) ? (input[name] as unknown) : undefined
    if (given === undefined && parameter.default === undefined) throw invalid(name, 'is required')
    return [name, given === undefined ? (parameter.default as Value) : read(name, parameter, given)] as const
  })
  return Object.freeze(Object.fromEntries(resolved))
}

function read(name: string, parameter: ParameterDefinition, given: unknown): Value {
  const value = convert(parameter, given)
  if (value === undefined) throw invalid(name, `must be a ${parameter.type}`)
  if (parameter.enum && !parameter.enum.includes(value)) {
    throw invalid(name, `must be one of ${parameter.enum.map((choice) => JSON.stringify(choice)).join(', ')}`)
  }
  if (parameter.format === 'directory' && (value === '' || String(value).includes('\0'))) {
    throw invalid(name, 'must name a directory')
  }
  return value
}

function convert(parameter: ParameterDefinition, given: unknown): Value | undefined {
  switch (parameter.type) {
    case 'string':
      return typeof given === 'string' && given.length <= maxTextLength && isText(given) ? given : undefined
    case 'number': {
      const value = typeof given === 'string' && decimal.test(given) ? Number(given) : given
      return typeof value === 'number' && isExactNumber(value) ? value : undefined
    }
    case 'boolean':
      if (given === 'true' || given === 'false') return given === 'true'
      return typeof given === 'boolean' ? given : undefined
  }
}

/** False for lone surrogates, which have no UTF-8 bytes to sign. */
function isText(text: string): boolean {
  try {
    canonicalize(text)
    return true
  } catch {
    return false
  }
}

function invalid(name: string, what: string): AgenticError {
  return new AgenticError('ERR_INPUT_INVALID', `input: parameter "${name}" ${what}`)
}
