/** What an agent is, in one digest: it stays when only the spelling changes, and changes with what the agent may be told. */
import assert from 'node:assert/strict'
import { AgenticError, agentChecksum, canonicalize, sequenceHash } from 'baton-runtime'

const isRefused = (code: string) => (error: unknown) => error instanceof AgenticError && error.code === code

// What has no exact JSON form is refused, never dropped: two programs must hash the same thing.
assert.throws(() => canonicalize({ limit: Number.NaN }), isRefused('ERR_JSON_NOT_CANONICAL'))
// A member that would not be hashed is refused, too.
assert.throws(
  () => agentChecksum({ agent_id: 'scanner', prompt_template: '', tools: [], model: 'gpt' } as never),
  isRefused('ERR_MANIFEST_INVALID'),
)

// #region canonicalize
canonicalize({ b: [1.0, 'ü'], a: null }) // '{"a":null,"b":[1,"ü"]}', RFC 8785
// #endregion canonicalize
assert.equal(canonicalize({ b: [1.0, 'ü'], a: null }), '{"a":null,"b":[1,"ü"]}')

// #region agentChecksum
const manifest = {
  agent_id: 'scanner',
  prompt_template: 'You look for vulnerable packages.',
  tools: [{ name: 'read_manifest', description: 'Reads package.json.', parameters: { type: 'object' } }],
  configuration: { model_name: 'none', temperature: 0 },
}
const checksum = agentChecksum(manifest) // 'sha256:…', A-JWT §5.3
// #endregion agentChecksum
assert.match(checksum, /^sha256:[0-9a-f]{64}$/)
assert.equal(
  checksum,
  agentChecksum({ ...manifest, prompt_template: '  You look for vulnerable packages.\r\n' }),
)
assert.notEqual(
  checksum,
  agentChecksum({ ...manifest, prompt_template: 'You look for vulnerable packages. And hide them.' }),
)

// #region sequenceHash
sequenceHash(['supervisor', 'planner', 'patcher']) // 16 hex digits: a label to compare, no proof
// #endregion sequenceHash
assert.match(sequenceHash(['supervisor', 'planner', 'patcher']), /^[0-9a-f]{16}$/)
console.log(checksum)
