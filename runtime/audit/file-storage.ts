/**
 * A log in a folder: segments `00000000.log`, `00000001.log`, … and `verifier.vkey` beside them. A batch is one
 * write and one fdatasync; a segment is left for the next one when it has grown large.
 */

import { fstatSync, statSync } from 'node:fs'
import { constants, type FileHandle, mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { AgenticError, isAgenticError } from '../errors.js'
import { type FolderLock, openFolderLock } from './folder-lock.js'
import type { AuditChunk, AuditPosition, AuditStorage, AuditWriter } from './storage.js'

export interface FileAuditStorageOptions {
  /** A segment of this size or more is left for the next one. Default 64 MiB. */
  readonly segmentBytes?: number
  /** How long a batch waits for another process. Default 5,000 ms. */
  readonly lockWaitMs?: number
}

const segmentPattern = /^([0-9]{8})\.log$/
const verifierKeyName = 'verifier.vkey'

/** A log in this folder, which is created (mode 0700) when it is first written. Several processes may use one
 * folder: each holds the lock only while it writes a batch. */
export function fileAuditStorage(folder: string, options: FileAuditStorageOptions = {}): AuditStorage {
  if (typeof folder !== 'string' || folder === '') throw new TypeError('a log needs a folder')
  return new FileAuditStorage(
    resolve(folder),
    options.segmentBytes ?? 64 * 1024 * 1024,
    options.lockWaitMs ?? 5_000,
  )
}

class FileAuditStorage implements AuditStorage {
  readonly #folder: string
  readonly #segmentBytes: number
  readonly #lockWaitMs: number
  #lock: FolderLock | undefined
  #newest: { readonly number: number; readonly file: FileHandle } | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(folder: string, segmentBytes: number, lockWaitMs: number) {
    this.#folder = folder
    this.#segmentBytes = segmentBytes
    this.#lockWaitMs = lockWaitMs
  }

  async *read(position: AuditPosition): AsyncGenerator<AuditChunk> {
    const count = await this.#countSegments()
    for (let segment = position.segment; segment < count; segment++) {
      const offset = segment === position.segment ? position.offset : 0
      const file = await open(this.#path(segment), constants.O_RDONLY | constants.O_NOFOLLOW)
      try {
        const bytes = Buffer.allocUnsafe(Math.max(0, (await file.stat()).size - offset))
        yield { segment, offset, bytes: bytes.subarray(0, await readFully(file, bytes, offset)) }
      } finally {
        await file.close()
      }
    }
  }

  exclusively<T>(work: (writer: AuditWriter) => Promise<T>): Promise<T> {
    // The lock knows processes, not the callers inside this one.
    const result = this.#turn.then(async () => {
      try {
        this.#lock ??= await this.#openLock()
      } catch (error) {
        throw isAgenticError(error) ? error : unwritable(error)
      }
      return this.#lock.hold(() => work(this.#writer))
    })
    this.#turn = result.catch(() => {})
    return result
  }

  async readVerifierKey(): Promise<string | undefined> {
    try {
      return (await readFile(join(this.#folder, verifierKeyName), 'utf8')).trimEnd()
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async writeVerifierKey(verifierKey: string): Promise<void> {
    const path = join(this.#folder, verifierKeyName)
    const draft = `${path}.${process.pid}`
    const file = await open(draft, 'w', 0o644)
    try {
      await file.writeFile(`${verifierKey}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
    await syncFolder(this.#folder)
  }

  async close(): Promise<void> {
    await this.#turn
    await this.#newest?.file.close()
    this.#newest = undefined
    this.#lock?.close()
    this.#lock = undefined
  }

  readonly #writer: AuditWriter = {
    end: async () => {
      await this.#follow()
      return this.#newest === undefined
        ? { segment: 0, offset: 0 }
        : { segment: this.#newest.number, offset: this.#size(this.#newest.file) }
    },
    cut: async (position) => {
      if (this.#newest?.number !== position.segment) {
        throw new AgenticError('ERR_AUDIT_CORRUPT', 'an unfinished batch lies below the newest segment')
      }
      await this.#newest.file.truncate(position.offset)
      await this.#newest.file.sync()
    },
    sync: async () => {
      await this.#newest?.file.datasync()
    },
    append: (batch) => this.#append(batch),
  }

  async #append(batch: Uint8Array): Promise<AuditPosition> {
    const { number, file } = await this.#roomForBatch()
    const start = this.#size(file)
    try {
      for (let written = 0; written < batch.length; ) {
        written += (await file.write(batch, written, batch.length - written, null)).bytesWritten
      }
      await file.datasync()
    } catch (error) {
      // After a failed sync the cache may show what the disk does not hold: nobody must build on it.
      await file.truncate(start).catch(() => {})
      throw error
    }
    return { segment: number, offset: start + batch.length }
  }

  async #roomForBatch(): Promise<{ number: number; file: FileHandle }> {
    await this.#follow()
    const current = this.#newest
    if (current !== undefined && this.#size(current.file) < this.#segmentBytes) return current
    const number = current === undefined ? 0 : current.number + 1
    const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = constants
    const file = await open(this.#path(number), O_WRONLY | O_APPEND | O_CREAT | O_EXCL, 0o600)
    await this.#moveTo(number, file)
    await syncFolder(this.#folder)
    return { number, file }
  }

  /** Opens the segments that others began since; one stat per batch when there are none. */
  async #follow(): Promise<void> {
    for (let number = (this.#newest?.number ?? -1) + 1; ; number++) {
      const path = this.#path(number)
      if (statSync(path, { throwIfNoEntry: false }) === undefined) return
      const file = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW)
      await this.#moveTo(number, file)
    }
  }

  async #moveTo(number: number, file: FileHandle): Promise<void> {
    await this.#newest?.file.close()
    this.#newest = { number, file }
  }

  #size(file: FileHandle): number {
    const { size, nlink } = fstatSync(file.fd)
    if (nlink === 0) throw new AgenticError('ERR_AUDIT_WRITE', 'the audit log was removed while it was open')
    return size
  }

  async #countSegments(): Promise<number> {
    let names: string[]
    try {
      names = await readdir(this.#folder)
    } catch (error) {
      if (isMissing(error)) return 0
      throw error
    }
    const numbers = names.flatMap((name) => segmentPattern.exec(name)?.[1] ?? []).map(Number)
    if (numbers.length > 0 && Math.max(...numbers) !== numbers.length - 1) {
      throw new AgenticError('ERR_AUDIT_CORRUPT', 'a segment of the audit log is missing')
    }
    return numbers.length
  }

  async #openLock(): Promise<FolderLock> {
    const created = await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    if (created !== undefined) await syncFolder(dirname(created))
    return openFolderLock(this.#folder, this.#lockWaitMs)
  }

  #path(segment: number): string {
    return join(this.#folder, `${String(segment).padStart(8, '0')}.log`)
  }
}

async function readFully(file: FileHandle, bytes: Buffer, offset: number): Promise<number> {
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

/** A new name in a folder is durable only when the folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function unwritable(cause: unknown): AgenticError {
  return new AgenticError('ERR_AUDIT_WRITE', 'the folder of the audit log cannot be written', { cause })
}
