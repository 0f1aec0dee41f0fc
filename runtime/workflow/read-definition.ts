/** Reads the wire form of a definition (snake_case, as in YAML) strictly and fills in every default. */
import { isIdentifier } from '../encoding/identifier.js'
import type { CompleteDefinition, ParameterDefinition } from './definition.js'
import { type Fail, type Place, quoted } from './place.js'
import { bare, readGrant } from './read-grant.js'
import { readSteps } from './read-steps.js'
import { entries, kindOf, list, members, text, word } from './shape.js'

const semver =
  /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-[0-9A-Za-z.-]{1,64})?(\+[0-9A-Za-z.-]{1,64})?$/
const plainName = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/

/** @param wire plain JSON
 * @param fail called with the first thing that is wrong
 */
export function readDefinition(wire: unknown, fail: Fail): CompleteDefinition {
  const known = ['id', 'version', 'description', 'parameters', 'entry', 'grant', 'steps', 'result']
  const found = members(wire, known, [], fail)
  const entry = text(found.entry, 128, ['entry'], fail)
  const grant = readGrant(found.grant, fail)
  return {
    id: word(found.id, isIdentifier, 'an identifier', ['id'], fail),
    version: word(
      found.version,
      (version) => semver.test(version),
      'a version like "1.0.0"',
      ['version'],
      fail,
    ),
    // Empty is the default, and stands so in the source of a workflow without one.
    description:
      found.description === undefined || found.description === ''
        ? ''
        : text(found.description, 2000, ['description'], fail),
    parameters: readParameters(found.parameters, fail),
    entry,
    grant,
    steps: readSteps(found.steps, { entry, grant }, fail),
    result: text(found.result, 128, ['result'], fail),
  }
}

function readParameters(value: unknown, fail: Fail): CompleteDefinition['parameters'] {
  if (value === undefined) return bare([])
  const found = entries(value, ['parameters'], fail)
  if (found.length > 64) fail(['parameters'], `expected at most 64 parameters, found ${found.length}`)
  return bare(
    found.map(([name, parameter]) => {
      const place = ['parameters', name]
      if (!plainName.test(name) || name in Object.prototype) {
        fail(place, 'a parameter name must be a letter and then letters, digits, "_" or "-"')
      }
      return [name, readParameter(parameter, place, fail)] as const
    }),
  )
}

function readParameter(value: unknown, place: Place, fail: Fail): ParameterDefinition {
  const found = members(value, ['type', 'description', 'default', 'enum', 'format'], place, fail)
  const type = found.type
  if (type !== 'string' && type !== 'number' && type !== 'boolean') {
    return fail([...place, 'type'], `expected string, number or boolean, found ${quoted(type)}`)
  }
  if (found.format !== undefined && (found.format !== 'directory' || type !== 'string')) {
    fail([...place, 'format'], 'the only format is "directory", for a string')
  }
  const choices = found.enum === undefined ? undefined : list(found.enum, 256, [...place, 'enum'], fail)
  if (choices?.length === 0) fail([...place, 'enum'], 'expected at least one value')
  const parsedChoices = choices?.map((choice, index) => scalar(choice, type, [...place, 'enum', index], fail))
  const preset =
    found.default === undefined ? undefined : scalar(found.default, type, [...place, 'default'], fail)
  if (preset !== undefined && parsedChoices && !parsedChoices.includes(preset)) {
    fail([...place, 'default'], 'is not one of "enum"')
  }
  return {
    type,
    ...(found.description !== undefined && {
      description: text(found.description, 2000, [...place, 'description'], fail),
    }),
    ...(preset !== undefined && { default: preset }),
    ...(parsedChoices && { enum: parsedChoices }),
    ...(found.format !== undefined && { format: 'directory' as const }),
  }
}

function scalar(value: unknown, type: string, place: Place, fail: Fail): string | number | boolean {
  if (typeof value !== type) fail(place, `expected a ${type}, found ${kindOf(value)}`)
  return value as string | number | boolean
}
