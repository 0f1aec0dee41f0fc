/**
 * An agent's own key (mode `attested`, PROTOCOL 3): random, made and kept where the agent runs. The authority learns
 * its public half and a proof of possession (key-proof.ts); no master secret leads to it.
 */

import { randomBytes } from '../encoding/random.js'
import { AgenticError } from '../errors.js'
import type { Keyring } from './keyring.js'
import type { Ed25519PublicKey } from './public-key.js'
import { createSecretFile, readSecretFile } from './secret-file.js'
import type { SigningKey } from './signing-key.js'

const seedLength = 32

/** Reads the key from a file of mode 0600 that holds its seed, so that a worker that starts again is the same agent.
 * @param options.create make a new key when there is none; of several who try at once one wins and all get its key
 * @throws AgenticError ERR_KEY_FILE_MISSING, ERR_KEY_FILE_EXPOSED (group or others have a right to it, or it belongs to
 *   another user), ERR_KEY_FILE_INVALID (a link, no regular file, or not 32 bytes) */
export function loadAttestedKey(
  file: string,
  options: { readonly create: boolean },
  keyring: Pick<Keyring, 'fromSeed'>,
): SigningKey<Ed25519PublicKey> {
  let seed = readSecretFile(file, 'agent key', seedLength)
  if (seed === undefined && options.create) {
    const made = randomBytes(seedLength)
    createSecretFile(file, made)
    made.fill(0)
    seed = readSecretFile(file, 'agent key', seedLength)
  }
  if (seed === undefined) throw new AgenticError('ERR_KEY_FILE_MISSING', 'agent key: there is no such file')
  if (seed.length !== seedLength)
    throw new AgenticError('ERR_KEY_FILE_INVALID', `agent key: expected ${seedLength} bytes`)
  const key = keyring.fromSeed(seed)
  seed.fill(0)
  return key
}
