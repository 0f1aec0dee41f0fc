/** A private key one can sign with and not look at. */
import { inspect } from 'node:util'
import type { Ed25519Backend } from './ed25519.js'
import { type Ed25519PublicKey, ed25519PublicKey, type PublicKey } from './public-key.js'

/** Frozen. The private half lives in a closure: it is no property, and printing the key shows its thumbprint. */
export interface SigningKey<Public extends PublicKey = PublicKey> {
  readonly publicKey: Public
  /** @param message bytes, or a text whose UTF-8 bytes are signed
   * @returns 64 bytes: with Ed25519 the same for the same message, with ES256 others each time */
  sign(message: Uint8Array | string): Uint8Array
}

/** An agent's key.
 * @param seed 32 bytes, copied: the caller may erase them afterwards
 * @throws TypeError when the seed has another length */
export function signingKeyFromSeed(seed: Uint8Array, backend: Ed25519Backend): SigningKey<Ed25519PublicKey> {
  if (!(seed instanceof Uint8Array) || seed.length !== 32) throw new TypeError('seed: expected 32 bytes')
  const pair = backend.keyPair(seed)
  const x = Buffer.from(pair.publicKey).toString('base64url')
  const jwk = Object.freeze({ kty: 'OKP', crv: 'Ed25519', x } as const)
  return sealSigningKey(ed25519PublicKey(jwk, backend), pair.sign)
}

/** @param sign holds the private half in its closure */
export function sealSigningKey<Public extends PublicKey>(
  publicKey: Public,
  sign: (message: Uint8Array) => Uint8Array,
): SigningKey<Public> {
  const shown = `SigningKey <${publicKey.thumbprint}>`
  const key: SigningKey<Public> = {
    publicKey,
    sign: (message) => sign(typeof message === 'string' ? Buffer.from(message) : message),
  }
  Object.defineProperty(key, inspect.custom, { value: () => shown })
  Object.defineProperty(key, 'toJSON', { value: () => shown })
  return Object.freeze(key)
}
