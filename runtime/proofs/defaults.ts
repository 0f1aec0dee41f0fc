/**
 * What a program without a runtime need not wire by itself. Everything here can be passed in instead.
 */
import { AgenticError } from '../errors.js'
import { maxSetKeys } from '../keys/jwk-set.js'
import { createKeyring, type Keyring } from '../keys/keyring.js'
import type { PublicJwk, PublicKey } from '../keys/public-key.js'
import { isPublicKey } from './rules.js'

let shared: Keyring | undefined

/** One per process, made when it is first needed. What it keeps follows from the bytes of a key alone, and is bounded. */
export function defaultKeyring(): Keyring {
  shared ??= createKeyring()
  return shared
}

/** Whose signatures count: keys already read, JWKs, or a JWK Set of either; at most 64. */
export type TrustedKeys =
  | readonly (PublicKey | PublicJwk)[]
  | { readonly keys: readonly (PublicKey | PublicJwk)[] }

/** @throws AgenticError ERR_KEY_INVALID, ERR_KEY_SMALL_ORDER: a key that cannot be read is not passed over;
 *   ERR_KEY_SET_SIZE
 * @throws TypeError when it is no list at all */
export function trustedKeysOf(trusted: TrustedKeys, keyring: Keyring): readonly PublicKey[] {
  const keys = isList(trusted) ? trusted : ownKeys(trusted)
  if (!isList(keys)) throw new TypeError('trustedKeys: expected keys, or a JWK Set')
  if (keys.length > maxSetKeys)
    throw new AgenticError('ERR_KEY_SET_SIZE', `trusted keys: expected at most ${maxSetKeys}`)
  // Not `map`, which passes over a hole.
  return Array.from(keys, (key) => (isPublicKey(key) ? key : keyring.verificationKey(key)))
}

/** Not `'keys' in set`: an array has a method of that name, and a prototype may hold anything. */
function ownKeys(set: { readonly keys: unknown } | undefined | null): unknown {
  return set !== undefined && set !== null && Object.hasOwn(set, 'keys') ? set.keys : undefined
}

function isList(value: unknown): value is readonly (PublicKey | PublicJwk)[] {
  return Array.isArray(value)
}
