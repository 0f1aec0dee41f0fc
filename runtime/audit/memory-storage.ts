/** A log that lives and dies with the process; the shape that the file storage is measured against. */
import type { AuditChunk, AuditPosition, AuditStorage, AuditWriter } from './storage.js'

export interface MemoryAuditStorage extends AuditStorage {
  /** The whole log as it stands, for the auditor. */
  bytes(): Uint8Array
}

/** @param initial the bytes of an earlier log */
export function memoryAuditStorage(initial: Uint8Array = new Uint8Array()): MemoryAuditStorage {
  let chunks: Uint8Array[] = [initial]
  let verifierKey: string | undefined
  let turn: Promise<unknown> = Promise.resolve()

  const bytes = () => {
    const whole = Buffer.concat(chunks)
    chunks = [whole]
    return whole
  }
  const end = (): AuditPosition => ({
    segment: 0,
    offset: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
  })

  const writer: AuditWriter = {
    end: async () => end(),
    cut: async (position) => {
      chunks = [bytes().subarray(0, position.offset)]
    },
    sync: async () => {},
    append: async (batch) => {
      chunks.push(Uint8Array.from(batch))
      return end()
    },
  }

  return {
    bytes: () => Uint8Array.from(bytes()),
    async *read(position): AsyncGenerator<AuditChunk> {
      yield { ...position, bytes: Uint8Array.from(bytes().subarray(position.offset)) }
    },
    exclusively(work) {
      const result = turn.then(() => work(writer))
      turn = result.catch(() => {})
      return result
    },
    readVerifierKey: async () => verifierKey,
    writeVerifierKey: async (key) => {
      verifierKey = key
    },
    close: async () => {},
  }
}
