/**
 * The agent checksum (A-JWT §5.3, PROTOCOL 2.1): one digest that says what an agent is, and a digest per
 * component, so that a mismatch can say what changed without showing it.
 */
import { canonicalize } from '../encoding/canonical-json.js'
import { digestOf, equalConstantTime, sha256Hex } from '../encoding/digest.js'
import { isToolName } from '../encoding/identifier.js'
import { type AgentManifest, sortTools } from './manifest.js'
import { normalizePrompt } from './prompt.js'
import type { CodeMode, ComponentDigests } from './registration.js'

/** The exact text that is hashed: JCS, prompt normalized, tools sorted, an absent configuration `{}`.
 * @throws AgenticError ERR_MANIFEST_INVALID (two tools of one name), ERR_JSON_NOT_CANONICAL
 */
export function canonicalManifest(manifest: AgentManifest): string {
  return canonicalize({
    agent_id: manifest.agent_id,
    prompt_template: normalizePrompt(manifest.prompt_template),
    tools: sortTools(manifest.tools),
    configuration: manifest.configuration ?? {},
  })
}

/** @returns `sha256:` and 64 hex digits
 * @throws AgenticError as `canonicalManifest` */
export function agentChecksum(manifest: AgentManifest): string {
  return `sha256:${sha256Hex(canonicalManifest(manifest))}`
}

/** Digests of the parts: two manifests of one agent have equal checksums exactly when all of these are equal.
 * `prompt` covers the normalized and, where it is declared, the exact prompt; `configuration` is without the
 * keys that the runtime writes.
 */
export function componentDigests(manifest: AgentManifest): ComponentDigests {
  const { prompt, code, deps, ...configuration } = { ...manifest.configuration }
  return Object.freeze({
    prompt: digestOf({
      normalized: normalizePrompt(manifest.prompt_template),
      ...(prompt === undefined ? {} : { exact: prompt }),
    }),
    tools: Object.freeze(
      Object.fromEntries(sortTools(manifest.tools).map((tool) => [tool.name, digestOf(tool)])),
    ),
    configuration: digestOf(configuration),
    ...(code === undefined ? {} : { code: typeof code === 'string' ? code : digestOf(code) }),
    ...(deps === undefined ? {} : { deps: typeof deps === 'string' ? deps : digestOf(deps) }),
  })
}

/** Whether the checksum covers the agent's own code. Which tools carry theirs, each says by its `source_code`.
 * @see PROTOCOL 2.2 */
export function codeMode({ configuration }: AgentManifest): CodeMode {
  return configuration !== undefined && Object.hasOwn(configuration, 'code') ? 'deep' : 'shallow'
}

/** Names what differs: `prompt`, `tool "x" added`, `tool "x" removed`, `tool "x" changed`, `configuration`,
 * `code`, `code now shallow`, `code now deep`, `deps`. Never shows content; a name that is no tool name is not repeated.
 * @param expected what was registered
 * @param actual what is there now
 * @returns empty exactly when all digests are equal
 */
export function explainMismatch(expected: ComponentDigests, actual: ComponentDigests): string[] {
  const tools = new Set([...Object.keys(expected.tools), ...Object.keys(actual.tools)])
  return [
    ...(differs(expected.prompt, actual.prompt) ? ['prompt'] : []),
    ...[...tools].sort().flatMap((name) => {
      const before = ownDigest(expected, name)
      const after = ownDigest(actual, name)
      if (!differs(before, after)) return []
      const verb = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'
      return [`tool "${isToolName(name) ? name : '?'}" ${verb}`]
    }),
    ...(differs(expected.configuration, actual.configuration) ? ['configuration'] : []),
    ...explainCode(expected.code, actual.code),
    ...(differs(expected.deps, actual.deps) ? ['deps'] : []),
  ]
}

/** A-JWT's digest of a sequence of names (`delegation_chain`, `step_sequence_hash`): the first 16 hex digits
 * of SHA-256 over the names joined by `|`. 64 bits over names: a label for comparison, never a proof.
 * @see PROTOCOL 15
 */
export function sequenceHash(ids: readonly string[]): string {
  return sha256Hex(ids.join('|')).slice(0, 16)
}

/** A digest that is not there any more is another thing than one that differs: the check itself was switched off. */
function explainCode(expected: string | undefined, actual: string | undefined): string[] {
  if (!differs(expected, actual)) return []
  if (actual === undefined) return ['code now shallow']
  return [expected === undefined ? 'code now deep' : 'code']
}

function ownDigest(components: ComponentDigests, tool: string): string | undefined {
  return Object.hasOwn(components.tools, tool) ? components.tools[tool] : undefined
}

function differs(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a !== b
  return !equalConstantTime(a, b)
}
