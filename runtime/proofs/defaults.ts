/**
 * What a program without a runtime need not wire by itself. Everything here can be passed in instead.
 */
import { createKeyring, type Keyring } from '../keys/keyring.js'
import type { PublicJwk, PublicKey } from '../keys/public-key.js'

let shared: Keyring | undefined

/** One per process, made when it is first needed. What it keeps follows from the bytes of a key alone, and is bounded. */
export function defaultKeyring(): Keyring {
  shared ??= createKeyring()
  return shared
}

/** Whose signatures count: keys already read, JWKs, or a JWK Set of either. */
export type TrustedKeys =
  | readonly (PublicKey | PublicJwk)[]
  | { readonly keys: readonly (PublicKey | PublicJwk)[] }

/** @throws AgenticError ERR_KEY_INVALID, ERR_KEY_SMALL_ORDER: a key that cannot be read is not passed over
 * @throws TypeError when it is no list at all */
export function trustedKeysOf(trusted: TrustedKeys, keyring: Keyring): readonly PublicKey[] {
  // Not `'keys' in trusted`: an array has a method of that name.
  const keys = isList(trusted) ? trusted : trusted?.keys
  if (!isList(keys)) throw new TypeError('trustedKeys: expected keys, or a JWK Set')
  return keys.map((key) => (isRead(key) ? key : keyring.verificationKey(key)))
}

function isList(value: unknown): value is readonly (PublicKey | PublicJwk)[] {
  return Array.isArray(value)
}

/** JSON holds no functions, so nothing from outside passes for a key that was read. */
function isRead(key: PublicKey | PublicJwk): key is PublicKey {
  return typeof key === 'object' && key !== null && 'verify' in key && typeof key.verify === 'function'
}
