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
  const read = objectOf(manifest, 'a manifest', members)
  const { agent_id, prompt_template, tools, configuration } = read
  if (typeof agent_id !== 'string') throw invalid('"agent_id" as text')
  if (typeof prompt_template !== 'string') throw invalid('"prompt_template" as text')
  if (!Array.isArray(tools)) throw invalid('"tools" as an array')
  for (const tool of tools as readonly unknown[]) requireTool(tool)
  if (configuration !== undefined && !isPlainObject(configuration))
    throw invalid('"configuration" as an object')
  return checksumOf(read as unknown as AgentManifest)
}

/** A-JWT's `delegation_chain` of agent ids and `step_sequence_hash` of steps: 16 hex digits. A label for comparison;
 * it proves nothing.
 * @throws TypeError when they are not texts
 * @see PROTOCOL 15 */
export function sequenceHash(ids: readonly string[]): string {
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string'))
    throw new TypeError('ids: expected an array of texts')
  return hashOf(ids)
}

function requireTool(value: unknown): void {
  const members = ['name', 'description', 'parameters', 'source_code']
  const tool = objectOf(value, 'a tool', members)
  if (typeof tool['name'] !== 'string') throw invalid('"name" of a tool as text')
  if (typeof tool['description'] !== 'string') throw invalid('"description" of a tool as text')
  if (!isPlainObject(tool['parameters'])) throw invalid('"parameters" of a tool as an object')
  if (!['undefined', 'string'].includes(typeof tool['source_code']))
    throw invalid('"source_code" of a tool as text')
}

function objectOf(value: unknown, what: string, members: readonly string[]): JsonObject {
  if (!isPlainObject(value)) throw invalid(`${what} as an object`)
  if (!Object.keys(value).every((name) => members.includes(name)))
    throw invalid(`${what} without unknown members`)
  // Own members only: what a prototype holds is not printed, so it must not be read either.
  return Object.assign(Object.create(null) as JsonObject, value)
}

function invalid(expected: string): AgenticError {
  return new AgenticError('ERR_MANIFEST_INVALID', `agent manifest: expected ${expected}`)
}
