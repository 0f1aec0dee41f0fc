/** The file port on `node:fs`. */

import type { BigIntStats } from 'node:fs'
import { constants } from 'node:fs'
import { type FileHandle, link, lstat, open, readdir, realpath, rename, unlink } from 'node:fs/promises'
import type { FilePort, FileStat, OpenFile } from './file-port.js'

// Windows knows none of these flags and opens no folders: there the checks before and after an open remain.
const noFollow = constants.O_NOFOLLOW ?? 0
const nonBlocking = constants.O_NONBLOCK ?? 0
const directory = constants.O_DIRECTORY ?? 0

/** The real file system. */
export const nodeFiles: FilePort = {
  realpath: (path) => realpath(path),
  lstat: async (path) => describe(await lstat(path, { bigint: true })),
  openFolder: async (path) =>
    process.platform === 'win32'
      ? folderByName(path)
      : wrap(await open(path, constants.O_RDONLY | directory | noFollow), path),
  // Non-blocking, so that a pipe somebody put there is refused rather than waited for.
  openFile: async (path) => wrap(await open(path, constants.O_RDONLY | noFollow | nonBlocking), path),
  create: async (path) =>
    wrap(await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow, 0o600), path),
  names: (path) => readdir(path),
  link: (from, to) => link(from, to),
  rename: (from, to) => rename(from, to),
  unlink: (path) => unlink(path),
}

function wrap(handle: FileHandle, path: string): OpenFile {
  return {
    path: process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : path,
    stat: async () => describe(await handle.stat({ bigint: true })),
    read: (maxBytes) => readUpTo(handle, maxBytes + 1),
    write: (bytes) => handle.writeFile(bytes),
    chmod: (mode) => handle.chmod(mode),
    chown: (uid, gid) => handle.chown(uid, gid),
    sync: () => handle.sync(),
    close: () => handle.close(),
  }
}

function folderByName(path: string): OpenFile {
  const unsupported = async (): Promise<never> => {
    throw new TypeError('a folder has no content')
  }
  const nothing = async (): Promise<void> => {}
  const stat = async (): Promise<FileStat> => describe(await lstat(path, { bigint: true }))
  return {
    path,
    stat,
    read: unsupported,
    write: unsupported,
    chmod: nothing,
    chown: nothing,
    sync: nothing,
    close: nothing,
  }
}

async function readUpTo(handle: FileHandle, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  while (length < limit) {
    const chunk = new Uint8Array(Math.min(limit - length, 1024 * 1024))
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, length)
    if (bytesRead === 0) break
    chunks.push(chunk.subarray(0, bytesRead))
    length += bytesRead
  }
  return Buffer.concat(chunks, length)
}

function describe(stat: BigIntStats): FileStat {
  const kind = stat.isFile()
    ? 'file'
    : stat.isDirectory()
      ? 'folder'
      : stat.isSymbolicLink()
        ? 'link'
        : 'other'
  return {
    kind,
    size: Number(stat.size),
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    identity: `${stat.dev}:${stat.ino}`,
    modifiedNs: stat.mtimeNs,
  }
}
