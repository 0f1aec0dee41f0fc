/**
 * Agent keys of mode `derived`: from one master secret, bound to what the agent is, so that a changed agent has
 * another key. Who holds the master holds every key: signatures bind agents against each other, not against him.
 */
import { canonicalize } from '../encoding/canonical-json.js'
import type { Keyring } from './keyring.js'
import type { MasterSecret } from './master-secret.js'
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

/** Seed = HKDF-SHA256(master, fixed salt, JCS({v: 1, …info})).
 * @throws TypeError when `epoch` is no non-negative integer, or a text is missing
 * @see PROTOCOL 3, RFC 5869 */
export function deriveKey(
  master: MasterSecret,
  info: KeyDerivation,
  keyring: Pick<Keyring, 'fromSeed'>,
): SigningKey {
  const { purpose, iss, agent_id, agent_checksum, epoch } = info
  for (const text of [purpose, iss, agent_id, agent_checksum]) {
    if (typeof text !== 'string' || text === '')
      throw new TypeError('key derivation: expected text that is not empty')
  }
  if (!Number.isSafeInteger(epoch) || epoch < 0) throw new TypeError('epoch: expected an integer from 0')
  const seed = master.expand(canonicalize({ v: 1, purpose, iss, agent_id, agent_checksum, epoch }))
  const key = keyring.fromSeed(seed)
  seed.fill(0)
  return key
}
