/**
 * JWK Sets (RFC 7517 §5): the one an authority publishes, and reading one from outside. Private keys are never
 * exported: what is published is what a `PublicKey` holds, which has no private half.
 */
import type { JsonObject } from '../encoding/canonical-json.js'
import { isPlainObject, parseJsonObject } from '../encoding/strict-json.js'
import { AgenticError, isAgenticError } from '../errors.js'
import type { Keyring } from './keyring.js'
import type { KeyAlgorithm, PublicJwk, PublicKey } from './public-key.js'

export interface JwkSet {
  readonly keys: readonly PublishedJwk[]
}

export type PublishedJwk = PublicJwk & {
  /** RFC 7638 thumbprint: the `kid` in the headers of what the key signs. */
  readonly kid: string
  readonly alg: KeyAlgorithm
  readonly use: 'sig'
}

/** @returns the keys as they are published, frozen; a key that is given twice stands in it once */
export function exportJwkSet(keys: readonly PublicKey[]): JwkSet {
  const named = new Map(keys.map((key) => [key.thumbprint, key]))
  const published = [...named.values()].map(({ jwk, thumbprint: kid, alg }) =>
    Object.freeze<PublishedJwk>({ ...jwk, kid, alg, use: 'sig' }),
  )
  return Object.freeze<JwkSet>({ keys: Object.freeze(published) })
}

/** What could be read of somebody's JWK Set. */
export interface KeySet {
  /** Those that can verify for us, in the order of the set. */
  readonly keys: readonly PublicKey[]
  /** @param kid as in a token's header; of a key without `kid` its thumbprint */
  find(kid: string): PublicKey | undefined
}

/** Most keys in one set, usable or not. */
export const maxSetKeys = 64
const maxSetBytes = 131_072
const maxKidLength = 256

/** Members that a private or symmetric key has (RFC 7518 §6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const
const publicMembers = ['kty', 'crv', 'x', 'y', 'use', 'alg', 'key_ops'] as const

/** Reads a JWK Set from outside. As RFC 7517 §5 advises, keys of a kind that is not understood, without a required
 * member or with values out of range are left out, so that an issuer may have them for others; members that are not
 * understood are ignored (§4). A set that is ambiguous, or that gives a private key away, is refused as a whole.
 * @param text JSON, or its UTF-8 bytes, at most 128 KiB
 * @throws AgenticError ERR_KEY_SET_INVALID, ERR_KEY_SET_SIZE, ERR_KEY_SET_DUPLICATE, ERR_KEY_SET_PRIVATE */
export function parseJwkSet(text: string | Uint8Array, keyring: Pick<Keyring, 'verificationKey'>): KeySet {
  const entries = readEntries(text)
  const taken = new Set<string>()
  const named = new Map<string, PublicKey>()
  const keys: PublicKey[] = []
  for (const entry of entries) {
    const kid = Object.hasOwn(entry, 'kid') ? entry['kid'] : undefined
    if (typeof kid === 'string') {
      if (taken.has(kid)) throw new AgenticError('ERR_KEY_SET_DUPLICATE', 'JWK Set: a "kid" occurs twice')
      taken.add(kid)
    }
    const key = usableKey(entry, keyring)
    // What no token's header can name, nobody could mean.
    if (!key || (kid !== undefined && !isKid(kid))) continue
    keys.push(key)
    named.set(kid ?? key.thumbprint, key)
  }
  return Object.freeze<KeySet>({ keys: Object.freeze(keys), find: (kid) => named.get(kid) })
}

function readEntries(text: string | Uint8Array): readonly JsonObject[] {
  let set: JsonObject
  try {
    set = parseJsonObject(text, { maxBytes: maxSetBytes })
  } catch (cause) {
    throw new AgenticError('ERR_KEY_SET_INVALID', 'JWK Set: expected one strict JSON object', { cause })
  }
  const entries = Object.hasOwn(set, 'keys') ? set['keys'] : undefined
  if (!Array.isArray(entries) || !entries.every(isPlainObject))
    throw new AgenticError('ERR_KEY_SET_INVALID', 'JWK Set: expected "keys" to be an array of objects')
  if (entries.length > maxSetKeys)
    throw new AgenticError('ERR_KEY_SET_SIZE', `JWK Set: expected at most ${maxSetKeys} keys`)
  for (const entry of entries) {
    if (privateMembers.some((name) => Object.hasOwn(entry, name)))
      throw new AgenticError('ERR_KEY_SET_PRIVATE', 'JWK Set: expected public keys alone')
  }
  return entries as readonly JsonObject[]
}

/** @returns undefined when it is none of ours, or none at all */
function usableKey(entry: JsonObject, keyring: Pick<Keyring, 'verificationKey'>): PublicKey | undefined {
  const jwk = Object.fromEntries(
    publicMembers.filter((name) => Object.hasOwn(entry, name)).map((name) => [name, entry[name]]),
  )
  try {
    return keyring.verificationKey(jwk)
  } catch (error) {
    if (isAgenticError(error)) return undefined
    throw error
  }
}

function isKid(kid: unknown): kid is string {
  return typeof kid === 'string' && kid !== '' && kid.length <= maxKidLength
}
