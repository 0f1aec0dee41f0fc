/**
 * The Merkle tree over the log's records (RFC 9162 §2.1, the hashes of RFC 6962): one root for all
 * records, short proofs that a record is under it (inclusion) and that a later root extends an earlier one
 * (consistency). Sizes are plain integers up to 2^53 − 1, so no bit operator is used: those see 32 bits.
 */
import { hash } from 'node:crypto'
import { AgenticError } from '../errors.js'

const hashBytes = 32
const digest = hash

/** SHA-256. Node makes a text of one character per byte in half the time it needs for a buffer, and these
 * hashes are the greater part of what a record costs. */
function sha256(data: Uint8Array | string): Uint8Array {
  return Buffer.from(digest('sha256', data, 'binary'), 'binary')
}

/** SHA-256(0x00 ‖ record).
 * @param record the canonical line as text, or its UTF-8 bytes; without the newline */
export function leafHash(record: Uint8Array | string): Uint8Array {
  if (typeof record === 'string') return sha256(`\u0000${record}`)
  const prefixed = new Uint8Array(record.length + 1)
  prefixed.set(record, 1)
  return sha256(prefixed)
}

// Filled and hashed without a pause in between, so one is enough.
const pair = Buffer.alloc(1 + 2 * hashBytes, 1)

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  pair.set(left, 1)
  pair.set(right, 1 + hashBytes)
  return sha256(pair)
}

/** A growing tree of which only the roots of its complete subtrees are kept: at most 53 hashes. */
export interface Frontier {
  readonly size: number
  /** @param leaf a leaf hash, 32 bytes */
  append(leaf: Uint8Array): void
  /** The root over everything appended; SHA-256 of nothing for an empty tree. */
  root(): Uint8Array
  /** An independent copy, for a batch that may yet fail. */
  copy(): Frontier
}

export function createFrontier(): Frontier {
  return frontierOf(0, [])
}

/** @param peaks roots of complete subtrees, largest first: one per bit that is set in `start` */
function frontierOf(start: number, peaks: Uint8Array[]): Frontier {
  let size = start
  return {
    get size() {
      return size
    },
    append(leaf) {
      let node = leaf
      for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
        node = nodeHash(peaks.pop() as Uint8Array, node)
      }
      peaks.push(node)
      size++
    },
    root() {
      return peaks.length === 0 ? sha256('') : peaks.reduceRight((right, left) => nodeHash(left, right))
    },
    copy: () => frontierOf(size, [...peaks]),
  }
}

/** The audit path of one record.
 * @param leaves the leaf hashes of all records of the tree, in order
 * @returns sibling hashes, from the leaf upwards
 * @throws TypeError when there is no such record
 * @see RFC 9162 §2.1.3.1 */
export function makeInclusionProof(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!isIndex(index) || index >= leaves.length) throw new TypeError('no record of this index in the tree')
  if (leaves.length === 1) return []
  const split = splitOf(leaves.length)
  const left = leaves.slice(0, split)
  const right = leaves.slice(split)
  return index < split
    ? [...makeInclusionProof(left, index), rootOf(right)]
    : [...makeInclusionProof(right, index - split), rootOf(left)]
}

/** The proof that the tree over all leaves extends the tree over the first `firstSize` of them.
 * @param leaves the leaf hashes of all records of the later tree, in order
 * @throws TypeError unless 0 < firstSize ≤ number of leaves
 * @see RFC 9162 §2.1.4.1 */
export function makeConsistencyProof(leaves: readonly Uint8Array[], firstSize: number): Uint8Array[] {
  if (!isIndex(firstSize) || firstSize === 0 || firstSize > leaves.length) {
    throw new TypeError('the earlier tree is empty or larger than the later one')
  }
  return subproof(leaves, firstSize, true)
}

function subproof(leaves: readonly Uint8Array[], firstSize: number, whole: boolean): Uint8Array[] {
  if (firstSize === leaves.length) return whole ? [] : [rootOf(leaves)]
  const split = splitOf(leaves.length)
  const left = leaves.slice(0, split)
  const right = leaves.slice(split)
  return firstSize <= split
    ? [...subproof(left, firstSize, whole), rootOf(right)]
    : [...subproof(right, firstSize - split, false), rootOf(left)]
}

export interface InclusionClaim {
  readonly leafHash: Uint8Array
  readonly index: number
  readonly size: number
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** Proves that a record is in the tree of this size and root.
 * @throws AgenticError ERR_AUDIT_PROOF
 * @see RFC 9162 §2.1.3.2 */
export function verifyInclusion(claim: InclusionClaim): void {
  requireHashes([claim.leafHash, claim.root, ...claim.proof])
  if (!isIndex(claim.index) || !isIndex(claim.size) || claim.index >= claim.size) {
    throw refused('an index within the tree')
  }
  let node = claim.index
  let last = claim.size - 1
  let computed = claim.leafHash
  for (const sibling of claim.proof) {
    if (last === 0) throw refused('a shorter inclusion proof')
    if (node % 2 === 1 || node === last) {
      computed = nodeHash(sibling, computed)
      while (node % 2 === 0 && node !== 0) {
        node = half(node)
        last = half(last)
      }
    } else {
      computed = nodeHash(computed, sibling)
    }
    node = half(node)
    last = half(last)
  }
  if (last !== 0) throw refused('a longer inclusion proof')
  if (!isSameHash(computed, claim.root)) throw refused('an inclusion proof that leads to the root')
}

export interface ConsistencyClaim {
  readonly firstSize: number
  readonly firstRoot: Uint8Array
  readonly secondSize: number
  readonly secondRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** Proves that the second tree extends the first. An empty first tree proves nothing and is refused.
 * @throws AgenticError ERR_AUDIT_PROOF
 * @see RFC 9162 §2.1.4.2 */
export function verifyConsistency(claim: ConsistencyClaim): void {
  if (!isIndex(claim.firstSize) || !isIndex(claim.secondSize) || claim.firstSize === 0) {
    throw refused('an earlier tree that is not empty')
  }
  if (claim.firstSize > claim.secondSize) throw refused('an earlier tree no larger than the later one')
  if (claim.firstSize === claim.secondSize) {
    if (claim.proof.length > 0) throw refused('an empty proof between trees of one size')
    if (!isSameHash(claim.firstRoot, claim.secondRoot)) throw refused('one root for trees of one size')
    return // compared, not computed with: nothing depends on their length
  }
  requireHashes([claim.firstRoot, claim.secondRoot, ...claim.proof])
  let node = claim.firstSize - 1
  let last = claim.secondSize - 1
  while (node % 2 === 1) {
    node = half(node)
    last = half(last)
  }
  // A first tree that is one complete subtree is its own starting point, and is left out of the proof.
  const [start, ...rest] = node === 0 ? [claim.firstRoot, ...claim.proof] : claim.proof
  if (start === undefined) throw refused('a longer consistency proof')
  let first = start
  let second = start
  for (const sibling of rest) {
    if (last === 0) throw refused('a shorter consistency proof')
    if (node % 2 === 1 || node === last) {
      first = nodeHash(sibling, first)
      second = nodeHash(sibling, second)
      while (node % 2 === 0 && node !== 0) {
        node = half(node)
        last = half(last)
      }
    } else {
      second = nodeHash(second, sibling)
    }
    node = half(node)
    last = half(last)
  }
  if (last !== 0) throw refused('a longer consistency proof')
  if (!isSameHash(first, claim.firstRoot)) throw refused('a consistency proof that leads to the earlier root')
  if (!isSameHash(second, claim.secondRoot)) throw refused('a consistency proof that leads to the later root')
}

function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const frontier = createFrontier()
  for (const leaf of leaves) frontier.append(leaf)
  return frontier.root()
}

/** The largest power of two below `size`. */
function splitOf(size: number): number {
  let split = 1
  while (split * 2 < size) split *= 2
  return split
}

function half(value: number): number {
  return Math.floor(value / 2)
}

function isIndex(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function requireHashes(hashes: readonly Uint8Array[]): void {
  if (hashes.some((hash) => hash.length !== hashBytes)) throw refused('hashes of 32 bytes')
}

function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

function refused(expected: string): AgenticError {
  return new AgenticError('ERR_AUDIT_PROOF', `expected ${expected}`)
}
