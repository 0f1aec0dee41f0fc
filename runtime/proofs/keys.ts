/** Keys, for a program without a runtime. Signing keys show nothing of their private half. */
import { canonicalize } from '../encoding/canonical-json.js'
import { sha256Base64url } from '../encoding/digest.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'
import { deriveKey as deriveFrom, type KeyDerivation } from '../keys/derive.js'
import {
  exportJwkSet as exportSet,
  type JwkSet,
  type KeySet,
  parseJwkSet as parseSet,
} from '../keys/jwk-set.js'
import type { Keyring } from '../keys/keyring.js'
import { masterSecretFrom } from '../keys/master-secret.js'
import type { Ed25519PublicKey, PublicKey } from '../keys/public-key.js'
import type { SigningKey } from '../keys/signing-key.js'
import { defaultKeyring } from './defaults.js'
import { isPublicKey, ownMembers } from './rules.js'

/** A new random Ed25519 key. It cannot be exported: for one that outlives the process, derive it. */
export function generateKey(): SigningKey<Ed25519PublicKey> {
  return defaultKeyring().generate()
}

/** The Ed25519 key of an agent: another one whenever its checksum or the epoch is another.
 * @param master 32 bytes, copied; whoever has them has every key
 * @param info `purpose` is `agent`, and `epoch` 0, where they are not given
 * @throws AgenticError ERR_MASTER_SECRET_INVALID for another length
 * @throws TypeError when `epoch` is no non-negative integer, or a text is missing
 * @see PROTOCOL 3, RFC 5869
 */
export function deriveKey(
  master: Uint8Array,
  info: Omit<KeyDerivation, 'purpose' | 'epoch'> & Partial<KeyDerivation>,
): SigningKey<Ed25519PublicKey> {
  const { purpose = 'agent', epoch = 0, iss, agent_id, agent_checksum } = ownMembers(info, 'info')
  return deriveFrom(
    masterSecretFrom(master),
    { purpose, iss, agent_id, agent_checksum, epoch },
    defaultKeyring(),
  )
}

/** Reads a public JWK from outside, Ed25519 or ES256.
 * @throws AgenticError ERR_KEY_INVALID, ERR_KEY_SMALL_ORDER */
export function readPublicKey(jwk: unknown): PublicKey {
  return defaultKeyring().verificationKey(jwk)
}

/** Publishes keys: what a resource gets from an authority, and what can serve as `trustedKeys` there.
 * @param keys as read, or of a signing key its `publicKey`; one that is given twice stands in it once
 * @returns frozen, with `kid` (the thumbprint), `alg` and `use`
 * @throws TypeError for what is no public key
 * @throws AgenticError ERR_KEY_INVALID for one that shows more than a public key has */
export function exportJwkSet(keys: readonly PublicKey[]): JwkSet {
  if (!Array.isArray(keys) || !Array.from(keys).every(isPublicKey))
    throw new TypeError('keys: expected public keys that were read')
  // Read again, down to what a public key is: a private member would be published.
  for (const { jwk } of keys) defaultKeyring().verificationKey(jwk)
  return exportSet(keys)
}

/** Reads a JWK Set from outside, as it came. Keys that nobody here could use are left out of it, and what is left can
 * serve as `trustedKeys`. A set that gives a private key away, or names two keys alike, is refused as a whole.
 * @param text JSON, or its UTF-8 bytes, at most 128 KiB and 64 keys
 * @throws AgenticError ERR_KEY_SET_INVALID, ERR_KEY_SET_SIZE, ERR_KEY_SET_DUPLICATE, ERR_KEY_SET_PRIVATE
 * @see RFC 7517 §5 */
export function parseJwkSet(
  text: string | Uint8Array,
  keyring: Pick<Keyring, 'verificationKey'> = defaultKeyring(),
): KeySet {
  return parseSet(text, keyring)
}

/** Members that make a public key, by `kty` (RFC 7638 §3.2, RFC 8037 §2). A symmetric key is left out: its
 * thumbprint would be a hash of the secret. */
const requiredMembers: Readonly<Record<string, readonly string[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
}

/** The SHA-256 thumbprint of a JWK (RFC 7638), which is the `jkt` of RFC 9449. That the key is a good one is not judged.
 * @param jwk a public key; other members do not count
 * @returns base64url, 43 characters
 * @throws AgenticError ERR_KEY_INVALID */
export function thumbprint(jwk: unknown): string {
  if (!isPlainObject(jwk)) throw invalid()
  const kty = Object.hasOwn(jwk, 'kty') ? jwk['kty'] : undefined
  const names =
    typeof kty === 'string' && Object.hasOwn(requiredMembers, kty) ? requiredMembers[kty] : undefined
  if (!names) throw invalid()
  const members = names.map((name) => [name, Object.hasOwn(jwk, name) ? jwk[name] : undefined] as const)
  if (!members.every(([, value]) => typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)))
    throw invalid()
  return sha256Base64url(canonicalize(Object.fromEntries(members)))
}

function invalid(): AgenticError {
  return new AgenticError('ERR_KEY_INVALID', 'public key: expected a JWK of kty EC, OKP or RSA')
}
