import { encodeBase64url } from '../../runtime/encoding/base64url.js'
import type { SigningKey } from '../../runtime/keys/signing-key.js'

/** A compact JWS of exactly these header and payload bytes, with a signature that is right: whatever refuses it
 * is the reading, not the signature. */
export function signRaw(header: string | Uint8Array, claims: string | Uint8Array, key: SigningKey): string {
  return signSegments(encodeBase64url(header), encodeBase64url(claims), key)
}

/** The same for two segments as they are, however they are encoded: the signature is over these very characters. */
export function signSegments(header: string, payload: string, key: SigningKey): string {
  const input = `${header}.${payload}`
  return `${input}.${encodeBase64url(key.sign(input))}`
}

/** A token with another third segment. */
export function withSignature(token: string, signature: Uint8Array | string): string {
  const segment = typeof signature === 'string' ? signature : encodeBase64url(signature)
  return token.slice(0, token.lastIndexOf('.') + 1) + segment
}

/** The bytes of the third segment. */
export function signatureOf(token: string): Uint8Array {
  return new Uint8Array(Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url'))
}

/** L, the order of Ed25519's base point (RFC 8032 §5.1). */
export const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n

/** The same Ed25519 signature with S + times · L: right to whoever reduces S instead of refusing it. */
export function withOrderAdded(signature: Uint8Array, times = 1n): Uint8Array {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + times * groupOrder
  const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
  return Uint8Array.from([...signature.subarray(0, 32), ...bytes])
}
