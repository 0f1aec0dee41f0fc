/** Ed25519 by node:crypto (OpenSSL): there wherever Node is, unless OpenSSL is limited to FIPS algorithms. */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { Ed25519Backend, Ed25519KeyPair } from './ed25519.js'

/** PKCS#8 of an Ed25519 seed is this and the seed (RFC 8410 §7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

// Named imports of built-ins follow a later patch (syncBuiltinESMExports); these do not.
const [importPrivate, importPublic, signBytes, verifyBytes] = [
  createPrivateKey,
  createPublicKey,
  sign,
  verify,
]

/** @returns undefined when this OpenSSL has no Ed25519 */
export function nodeBackend(): Ed25519Backend | undefined {
  const keyPair = (seed: Uint8Array): Ed25519KeyPair => {
    // Not as a JWK: there OpenSSL believes the public half it is given; from the seed it computes it.
    const der = Buffer.concat([pkcs8Prefix, seed])
    const privateKey = importPrivate({ key: der, format: 'der', type: 'pkcs8' })
    der.fill(0)
    const { x } = importPublic(privateKey).export({ format: 'jwk' })
    return {
      publicKey: new Uint8Array(Buffer.from(x ?? '', 'base64url')),
      sign: (message) => new Uint8Array(signBytes(null, message, privateKey)),
    }
  }
  try {
    keyPair(new Uint8Array(32))
  } catch {
    return undefined
  }
  return {
    name: 'node',
    keyPair,
    verifier(publicKey) {
      const x = Buffer.from(publicKey).toString('base64url')
      const key = importPublic({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
      return (message, signature) => verifyBytes(null, message, key, signature)
    },
  }
}
