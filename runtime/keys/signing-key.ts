/** A private key one can sign with and not look at. */
import { inspect } from 'node:util'
import type { Ed25519Backend } from './ed25519.js'
import { type PublicKey, publicKeyAt } from './public-key.js'

/** Frozen. The private half lives in a closure: it is no property, and printing the key shows its thumbprint. */
export interface SigningKey {
  readonly publicKey: PublicKey
  /** @param message bytes, or a text whose UTF-8 bytes are signed
   * @returns 64 bytes; the same for the same message (RFC 8032 is deterministic) */
  sign(message: Uint8Array | string): Uint8Array
}

/** @param seed 32 bytes, copied: the caller may erase them afterwards
 * @throws TypeError when the seed has another length */
export function signingKeyFromSeed(seed: Uint8Array, backend: Ed25519Backend): SigningKey {
  if (!(seed instanceof Uint8Array) || seed.length !== 32) throw new TypeError('seed: expected 32 bytes')
  const pair = backend.keyPair(seed)
  const publicKey = publicKeyAt(Buffer.from(pair.publicKey).toString('base64url'), backend)
  const shown = `SigningKey <${publicKey.thumbprint}>`
  const key: SigningKey = {
    publicKey,
    sign: (message) => pair.sign(typeof message === 'string' ? Buffer.from(message) : message),
  }
  Object.defineProperty(key, inspect.custom, { value: () => shown })
  Object.defineProperty(key, 'toJSON', { value: () => shown })
  return Object.freeze(key)
}
