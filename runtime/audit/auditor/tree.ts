/**
 * The auditor's own Merkle tree (RFC 9162 §2.1.1), by levels: level k holds the roots of all complete
 * subtrees of 2^k records. The root over *any* first n records follows from the levels by the RFC's
 * recursion, so an earlier checkpoint is compared with the records themselves and needs no proof.
 */
import { createHash } from 'node:crypto'

export interface AuditTree {
  readonly size: number
  /** @param record the bytes of a record's line, without the newline */
  add(record: Uint8Array): void
  /** The root over the first `size` records, 32 bytes. @throws RangeError when there are fewer */
  rootOfFirst(size: number): Buffer
}

export function createAuditTree(): AuditTree {
  const levels: HashColumn[] = []

  const put = (level: number, hash: Buffer): void => {
    const column = levels[level] ?? createHashColumn()
    levels[level] = column
    column.push(hash)
    if (column.length % 2 === 0) {
      put(level + 1, hashOf(1, column.at(column.length - 2), column.at(column.length - 1)))
    }
  }

  /** MTH over the records from `start` on, where `start` is a multiple of every complete subtree cut off. */
  const rootOf = (start: number, size: number): Buffer => {
    let level = 0
    let width = 1
    while (width * 2 <= size) {
      width *= 2
      level++
    }
    const complete = levels[level]?.at(start / width) ?? Buffer.alloc(0)
    return width === size ? complete : hashOf(1, complete, rootOf(start + width, size - width))
  }

  return {
    get size() {
      return levels[0]?.length ?? 0
    },
    add(record) {
      put(0, hashOf(0, record))
    },
    rootOfFirst(size) {
      if (size > this.size) throw new RangeError('the tree is smaller than that')
      return size === 0 ? createHash('sha256').digest() : rootOf(0, size)
    },
  }
}

function hashOf(prefix: 0 | 1, ...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256').update(Buffer.of(prefix))
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Many hashes in one piece of memory: 32 bytes each, without an object around every one of them. */
interface HashColumn {
  readonly length: number
  push(hash: Buffer): void
  at(index: number): Buffer
}

function createHashColumn(): HashColumn {
  let bytes = Buffer.alloc(32 * 16)
  let length = 0
  return {
    get length() {
      return length
    },
    push(hash) {
      if (length * 32 === bytes.length) bytes = Buffer.concat([bytes, Buffer.alloc(bytes.length)])
      hash.copy(bytes, length * 32)
      length++
    },
    at: (index) => bytes.subarray(index * 32, index * 32 + 32),
  }
}
