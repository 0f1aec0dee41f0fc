/** Keys: an agent's follows from what the agent is, so that a changed agent has another one. */
import assert from 'node:assert/strict'
import { AgenticError, deriveKey, generateKey, readPublicKey, thumbprint } from 'baton-runtime'

const master = new Uint8Array(32).fill(7) // a real one is random, and kept where only the runtime reads it

// A public key under which anybody can make a signature is refused.
assert.throws(
  () => readPublicKey({ kty: 'OKP', crv: 'Ed25519', x: `AQ${'A'.repeat(41)}` }),
  (error) => error instanceof AgenticError && error.code === 'ERR_KEY_SMALL_ORDER',
)

// #region generateKey
const key = generateKey() // Ed25519; the private half can be used, not looked at
const signature = key.sign('hand over')
// #endregion generateKey
assert.ok(key.publicKey.verify('hand over', signature))
assert.ok(!key.publicKey.verify('hand out', signature))
assert.ok(!JSON.stringify(key).includes('"d"'))

// #region deriveKey
const iss = 'https://authority.example'
const agent = { iss, agent_id: 'scanner', agent_checksum: `sha256:${'a'.repeat(64)}` }
const derived = deriveKey(master, agent) // the same key in every process that has the master secret
const rotated = deriveKey(master, { ...agent, epoch: 1 })
// #endregion deriveKey
const changed = deriveKey(master, { ...agent, agent_checksum: `sha256:${'b'.repeat(64)}` })
assert.equal(derived.publicKey.thumbprint, deriveKey(master, agent).publicKey.thumbprint)
assert.equal(new Set([derived, rotated, changed].map(({ publicKey }) => publicKey.thumbprint)).size, 3)

// #region thumbprint
const jkt = thumbprint(derived.publicKey.jwk) // RFC 7638, the `jkt` of RFC 9449
// #endregion thumbprint
assert.equal(jkt, derived.publicKey.thumbprint)

// #region readPublicKey
const published = readPublicKey(derived.publicKey.jwk) // a JWK from outside, judged before it is used
// #endregion readPublicKey
assert.ok(published.verify('hand over', derived.sign('hand over')))
console.log(jkt)
