import { createKeyring, type Keyring } from '../../runtime/keys/keyring.js'

/** A keyring of each backend; libsodium is an optional dependency, so where it is missing its line says so. */
export const keyrings: readonly Keyring[] = (['sodium', 'node', 'noble'] as const).flatMap((backend) => {
  try {
    return [createKeyring({ backend })]
  } catch (error) {
    if (backend !== 'sodium') throw error
    process.stdout.write('sodium-native is not installed here: its backend is not tested\n')
    return []
  }
})
