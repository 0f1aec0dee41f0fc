/** What an agent is, for a program without a runtime: manifests from outside, hashed as the draft hashes them. */
import type { JsonObject } from '../encoding/canonical-json.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'
import { agentChecksum as checksumOf, sequenceHash as hashOf } from '../identity/checksum.js'
import type { AgentManifest } from '../identity/manifest.js'

/** The checksum of a manifest: `sha256:` and 64 hex digits.
 * Names are taken as they are; only a registration asks that they be identifiers. Members that are not part of a
 * manifest are refused, since they would not be part of its checksum.
 * @throws AgenticError ERR_MANIFEST_INVALID, ERR_JSON_NOT_CANONICAL
 * @see PROTOCOL 2.1, A-JWT §5.3
 */
export function agentChecksum(manifest: AgentManifest): string {
  const members = ['agent_id', 'prompt_template', 'tools', 'configuration']
  // Each member is read once: what was looked at is what is hashed.
  const { agent_id, prompt_template, tools, configuration } = objectOf(manifest, 'a manifest', members)
  if (typeof agent_id !== 'string') throw invalid('"agent_id" as text')
  if (typeof prompt_template !== 'string') throw invalid('"prompt_template" as text')
  if (!isPlainArray(tools)) throw invalid('"tools" as a plain array')
  if (configuration !== undefined && !isPlainObject(configuration))
    throw invalid('"configuration" as an object')
  // Every member stands in the literal: one that were absent would be inherited.
  const whole = {
    agent_id,
    prompt_template,
    tools: Array.from(tools, readTool),
    configuration: configuration ?? {},
  }
  return checksumOf(whole as unknown as AgentManifest)
}

/** A-JWT's `delegation_chain` of agent ids and `step_sequence_hash` of steps: 16 hex digits. A label for comparison;
 * it proves nothing.
 * @throws TypeError when they are not texts
 * @see PROTOCOL 15 */
export function sequenceHash(ids: readonly string[]): string {
  // A copy: `every` passes over a hole.
  if (!Array.isArray(ids) || !Array.from(ids).every((id) => typeof id === 'string'))
    throw new TypeError('ids: expected an array of texts')
  return hashOf(ids)
}

function readTool(value: unknown): JsonObject {
  const members = ['name', 'description', 'parameters', 'source_code']
  const tool = objectOf(value, 'a tool', members)
  if (typeof tool['name'] !== 'string') throw invalid('"name" of a tool as text')
  if (typeof tool['description'] !== 'string') throw invalid('"description" of a tool as text')
  if (!isPlainObject(tool['parameters'])) throw invalid('"parameters" of a tool as an object')
  if (!['undefined', 'string'].includes(typeof tool['source_code']))
    throw invalid('"source_code" of a tool as text')
  return tool
}

/** Nothing but its items: what else an array can hold would not be hashed. */
function isPlainArray(value: unknown): value is readonly unknown[] {
  return (
    Array.isArray(value) &&
    Object.getPrototypeOf(value) === Array.prototype &&
    // `length` is the one other key.
    Reflect.ownKeys(value).length === value.length + 1
  )
}

function objectOf(value: unknown, what: string, members: readonly string[]): JsonObject {
  if (!isPlainObject(value)) throw invalid(`${what} as an object`)
  // Hidden ones and symbols, too.
  if (!Reflect.ownKeys(value).every((name) => typeof name === 'string' && members.includes(name)))
    throw invalid(`${what} without unknown members`)
  // Own members only: what a prototype holds is not printed, so it must not be read either.
  return Object.assign(Object.create(null) as JsonObject, value)
}

function invalid(expected: string): AgenticError {
  return new AgenticError('ERR_MANIFEST_INVALID', `agent manifest: expected ${expected}`)
}
