/**
 * Keys from one master secret. An agent's (mode `derived`) is bound to what the agent is, so that a changed agent has
 * another key. Who holds the master holds every key: signatures bind agents against each other, not against him.
 */
import { canonicalize } from '../encoding/canonical-json.js'
import { es256SeedLength } from './es256.js'
import type { Keyring } from './keyring.js'
import type { MasterSecret } from './master-secret.js'
import type { Ed25519PublicKey, Es256PublicKey } from './public-key.js'
import type { SigningKey } from './signing-key.js'

export type { MasterSecret } from './master-secret.js'

export interface KeyDerivation {
  /** What the key is for, as in `agent`: keys of two purposes never coincide. */
  readonly purpose: string
  readonly iss: string
  readonly agent_id: string
  readonly agent_checksum: string
  /** Counts up to rotate, from 0. */
  readonly epoch: number
}

/** An Ed25519 key: seed = HKDF-SHA256(master, fixed salt, JCS({v: 1, …info})).
 * @throws TypeError when `epoch` is no non-negative integer, or a text is missing
 * @see PROTOCOL 3, RFC 5869 */
export function deriveKey(
  master: MasterSecret,
  info: KeyDerivation,
  keyring: Pick<Keyring, 'fromSeed'>,
): SigningKey<Ed25519PublicKey> {
  const seed = master.expand(canonicalize({ v: 1, ...checked(info) }))
  const key = keyring.fromSeed(seed)
  seed.fill(0)
  return key
}

/** An ES256 key, the same way from 48 bytes. `alg` is part of what is expanded: else the first 32 of them would be
 * the seed of the Ed25519 key with the same info.
 * @throws TypeError when `epoch` is no non-negative integer, or a text is missing */
export function deriveEs256Key(
  master: MasterSecret,
  info: KeyDerivation,
  keyring: Pick<Keyring, 'es256FromSeed'>,
): SigningKey<Es256PublicKey> {
  const seed = master.expand(canonicalize({ v: 1, alg: 'ES256', ...checked(info) }), es256SeedLength)
  const key = keyring.es256FromSeed(seed)
  seed.fill(0)
  return key
}

/** The members of its own alone, so that none can slip in that another version of this would read. */
function checked({ purpose, iss, agent_id, agent_checksum, epoch }: KeyDerivation): KeyDerivation {
  for (const text of [purpose, iss, agent_id, agent_checksum]) {
    if (typeof text !== 'string' || text === '')
      throw new TypeError('key derivation: expected text that is not empty')
  }
  if (!Number.isSafeInteger(epoch) || epoch < 0) throw new TypeError('epoch: expected an integer from 0')
  return { purpose, iss, agent_id, agent_checksum, epoch }
}
