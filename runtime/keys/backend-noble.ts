/** Ed25519 in JavaScript (@noble/curves): the portable backend, some twenty times slower than the others. */
import { ed25519 } from '@noble/curves/ed25519.js'
import type { Ed25519Backend } from './ed25519.js'

export function nobleBackend(): Ed25519Backend {
  const { getPublicKey, sign, verify } = ed25519
  return {
    name: 'noble',
    keyPair(seed) {
      const secret = new Uint8Array(seed) // not slice: of a Buffer that is a view
      return {
        publicKey: getPublicKey(secret),
        sign: (message) => sign(message, secret),
      }
    },
    verifier(publicKey) {
      const key = new Uint8Array(publicKey)
      // Its default, ZIP 215, accepts encodings that RFC 8032 refuses.
      return (message, signature) => verify(signature, message, key, { zip215: false })
    },
  }
}
