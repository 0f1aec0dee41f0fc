/** Ed25519 in JavaScript (@noble/curves): the portable backend, some twenty times slower than the others. */
import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import type { Ed25519Backend } from './ed25519.js'

const { getPublicKey, sign, verify, Point } = ed25519
const { BASE, Fn } = Point
const sha512 = createHash

export function nobleBackend(): Ed25519Backend {
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
      const point = Point.fromBytes(key)
      // The library checks the equation times the cofactor, libsodium and OpenSSL check it plainly. Then the owner
      // of a key could sign so that one verifier says yes and another no; the plain equation is checked here too.
      const plain = (message: Uint8Array, signature: Uint8Array) => {
        const r = signature.subarray(0, 32)
        const k = littleEndian(sha512('sha512').update(r).update(key).update(message).digest()) % Fn.ORDER
        const s = littleEndian(signature.subarray(32))
        return Buffer.compare(BASE.multiplyUnsafe(s).subtract(point.multiplyUnsafe(k)).toBytes(), r) === 0
      }
      // Its default, ZIP 215, accepts encodings that RFC 8032 refuses.
      return (message, signature) =>
        verify(signature, message, key, { zip215: false }) && plain(message, signature)
    },
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}
