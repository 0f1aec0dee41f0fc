import { sha256 } from '../../runtime/encoding/digest.js'
import { type AuthorityKeys, createAuthorityKeys } from '../../runtime/keys/authority-keys.js'
import { createKeyring } from '../../runtime/keys/keyring.js'
import type { SigningKey } from '../../runtime/keys/signing-key.js'

export const keyring = createKeyring()

/** The same key for the same name in every run. */
export function fixedKey(name: string): SigningKey {
  return keyring.fromSeed(sha256(`baton test key ${name}`))
}

/** An authority that has but one key. */
export const fixedAuthorityKeys: AuthorityKeys = createAuthorityKeys({
  epochs: [{ epoch: 0, from: 0 }],
  keyAt: () => fixedKey('authority'),
  clock: { nowMs: () => 0 },
})

/** The neutral point: everything verifies under it somewhere. */
export const smallOrderJwk = { kty: 'OKP', crv: 'Ed25519', x: `AQ${'A'.repeat(41)}` } as const
