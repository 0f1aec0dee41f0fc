/** SHA-256 in the forms the wire uses, and comparison in constant time. */
import { hash, timingSafeEqual } from 'node:crypto'
import { canonicalize } from './canonical-json.js'

// Taken once: a later patch of node:crypto does not change what this room computes.
const digest = hash
const equalBytes = timingSafeEqual

/** @param data bytes, or a text whose UTF-8 bytes are hashed
 * @returns 32 bytes */
export function sha256(data: Uint8Array | string): Uint8Array {
  // As text and back: half the cost of asking for a buffer.
  return new Uint8Array(Buffer.from(digest('sha256', data, 'binary'), 'binary'))
}

/** @returns 64 lower-case hex digits */
export function sha256Hex(data: Uint8Array | string): string {
  return digest('sha256', data, 'hex')
}

/** @returns 43 base64url characters */
export function sha256Base64url(data: Uint8Array | string): string {
  return digest('sha256', data, 'base64url')
}

/** The digest of a JSON value: `sha256:` and the hex SHA-256 of its canonical JSON (PROTOCOL 2.1).
 * @throws AgenticError ERR_JSON_NOT_CANONICAL */
export function digestOf(value: unknown): string {
  return `sha256:${sha256Hex(canonicalize(value))}`
}

/** Compares two texts; the time does not tell where they differ. Their lengths may show: digests have a known one. */
export function equalConstantTime(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  // Different lone surrogates have the same bytes, so the texts themselves have the last word.
  return left.length === right.length && equalBytes(left, right) && a === b
}
