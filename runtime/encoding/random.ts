/** Bytes that nobody can guess. */
import { randomBytes as ofNode } from 'node:crypto'

// Taken once: a later patch of node:crypto chooses no key, no salt and no nonce.
const source = ofNode

/** @returns bytes of their own, from the system's generator */
export function randomBytes(length: number): Buffer<ArrayBuffer> {
  return source(length)
}
