/** Ed25519 by libsodium: the fastest backend, an optional dependency with prebuilt binaries. */
import { createRequire } from 'node:module'
import type { Ed25519Backend } from './ed25519.js'

/** What is used of sodium-native, which has no types of its own. */
interface Sodium {
  crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void
  crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void
  crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
}

// The module's export object stays writable: what is called later is taken now.
const captured = captureSodium()

/** @returns undefined when the package is not installed or its binary does not load here */
export function sodiumBackend(): Ed25519Backend | undefined {
  if (captured === undefined) return undefined
  const { crypto_sign_seed_keypair, crypto_sign_detached, crypto_sign_verify_detached } = captured
  return {
    name: 'sodium',
    keyPair(seed) {
      const publicKey = Buffer.alloc(32)
      const secretKey = Buffer.alloc(64) // alloc, not allocUnsafe: never in the pool that other buffers share
      crypto_sign_seed_keypair(publicKey, secretKey, seed)
      return {
        publicKey: new Uint8Array(publicKey),
        sign(message) {
          const signature = new Uint8Array(64)
          crypto_sign_detached(signature, message, secretKey)
          return signature
        },
      }
    },
    verifier(publicKey) {
      const key = Buffer.alloc(32, publicKey)
      return (message, signature) => crypto_sign_verify_detached(signature, message, key)
    },
  }
}

function captureSodium(): Sodium | undefined {
  try {
    const sodium = createRequire(import.meta.url)('sodium-native') as Sodium
    const { crypto_sign_seed_keypair, crypto_sign_detached, crypto_sign_verify_detached } = sodium
    return { crypto_sign_seed_keypair, crypto_sign_detached, crypto_sign_verify_detached }
  } catch {
    return undefined // missing, or no binary for this platform: the next backend serves
  }
}
