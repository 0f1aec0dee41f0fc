/** `npm run bench`: every figure as a ratio to something measured in the same run. */
import { cpus } from 'node:os'
import { createKeyring } from '../runtime/keys/keyring.js'
import { benchBiscuit } from './biscuit.js'
import { benchChain } from './chain.js'
import { benchChecksum } from './checksum.js'
import { benchIntentToken } from './intent-token.js'

console.log(`Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}`)
for (const backend of ['sodium', 'node'] as const) {
  const keyring = createKeyring({ backend })
  console.log(`\n### Ed25519 backend: ${keyring.backend}`)
  await benchIntentToken(keyring)
  await benchChain(keyring)
}
console.log('\n### Beside Biscuit, and the checksum')
await benchBiscuit(createKeyring())
await benchChecksum()
