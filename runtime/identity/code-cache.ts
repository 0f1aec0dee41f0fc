/**
 * Hashes of files, kept as long as their stat stays the same. One cache is shared by all agents of a process
 * that are given it: most of their modules are the same.
 */
import { type BigIntStats, readFileSync, statSync } from 'node:fs'
import { type Clock, systemClock } from '../clock.js'
import { sha256Hex } from '../encoding/digest.js'

export interface FileStat {
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly size: bigint
  readonly ino: bigint
  /** False when the file was written so recently that a second write could leave the same stat. */
  readonly settled: boolean
}

export interface HashedFile<T> {
  /** 64 hex digits over the bytes. */
  readonly hash: string
  /** What the reader made of the bytes. */
  readonly content: T
}

export interface CodeCache {
  /** The current stat; undefined when there is no such file. Always asks the file system. */
  stat(path: string): FileStat | undefined
  isDirectory(path: string): boolean
  /** The current stat of a directory, which changes with what it lists; undefined when there is none. */
  directory(path: string): FileStat | undefined
  /** The file with that stat: read and hashed unless it was before.
   * @param read what to make of the bytes; one reader per path, its result is kept with the hash */
  file<T>(path: string, stat: FileStat, read: (bytes: Buffer) => T): HashedFile<T>
}

/** File systems stamp times with a clock that ticks; within a tick two writes look like one. */
const tickNs = 100_000_000n

/** Makes an empty cache. It holds one entry per file on disk that was hashed, the newest version only.
 * @param clock the clock of the file system's machine
 */
export function createCodeCache(clock: Clock = systemClock): CodeCache {
  const files = new Map<string, { readonly stat: FileStat; readonly file: HashedFile<unknown> }>()
  const look = (path: string) => statSync(path, { bigint: true, throwIfNoEntry: false })
  const settle = ({ mtimeNs, ctimeNs, size, ino }: BigIntStats): FileStat => ({
    mtimeNs,
    ctimeNs,
    size,
    ino,
    settled: BigInt(clock.nowMs()) * 1_000_000n - ctimeNs > tickNs,
  })
  return {
    stat(path) {
      const found = look(path)
      return found?.isFile() ? settle(found) : undefined
    },
    directory(path) {
      const found = look(path)
      return found?.isDirectory() ? settle(found) : undefined
    },
    isDirectory: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
    file<T>(path: string, stat: FileStat, read: (bytes: Buffer) => T) {
      const known = files.get(path)
      if (known !== undefined && sameStat(known.stat, stat)) return known.file as HashedFile<T>
      const bytes = readFileSync(path)
      const file = { hash: sha256Hex(bytes), content: read(bytes) }
      files.set(path, { stat, file })
      return file
    },
  }
}

/** True when both say that there is no file, or surely the same file with the same content. */
export function sameStat(before: FileStat | undefined, now: FileStat | undefined): boolean {
  if (before === undefined || now === undefined) return before === now
  return (
    before.settled &&
    before.mtimeNs === now.mtimeNs &&
    before.ctimeNs === now.ctimeNs &&
    before.size === now.size &&
    before.ino === now.ino
  )
}
