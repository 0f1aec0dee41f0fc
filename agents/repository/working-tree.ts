/**
 * One project folder, opened safely: every path is relative and stays inside, no link is followed anywhere below
 * the root, only regular files are read and written, and several files change together or not at all.
 */
import { randomBytes } from 'node:crypto'
import { AgenticError } from '../../runtime/index.js'
import { fileDigest } from '../dependencies/change.js'
import { maxLockBytes, type ProjectFile, type ProjectSource } from '../dependencies/project.js'
import { fileError, systemCode } from './file-errors.js'
import type { FilePort } from './file-port.js'
import { nodeFiles } from './node-files.js'
import { openBelow, openFile, openPlace, openRoot, type Place, type Root } from './place.js'
import { type Replacement, replaceFiles } from './replace-files.js'

export interface WorkingTree extends ProjectSource {
  /** The folder's real path. */
  readonly root: string
  /** Reads a text file; see ProjectSource. */
  read(file: string, maxBytes: number): Promise<ProjectFile | undefined>
  /** Replaces the content of files, all of them or none; mode and, where allowed, owner are kept. A file that already
   * has the new content is left alone, so that an attempt that was cut off can be repeated.
   * @returns the files that were written, and leftovers that could not be removed
   * @throws AgenticError ERR_TOOL_FAILED: a file is missing, is a link, is not as `before` says, the disk is full …
   *   Nothing is changed then.
   */
  update(updates: readonly FileUpdate[]): Promise<Updated>
}

/** New content for a file that exists. */
export interface FileUpdate {
  /** Relative path, `/` between segments. */
  readonly file: string
  /** Digest (`fileDigest`) of the content that is there now. */
  readonly before: string
  readonly content: Uint8Array
}

export interface Updated {
  readonly written: readonly string[]
  readonly left: readonly string[]
}

export interface WorkingTreeOptions {
  /** Default: the real file system. */
  readonly files?: FilePort
  /** Makes the unique part of temporary names; default 12 random hex digits. */
  readonly suffix?: () => string
}

/** Opens a project folder. The folder itself may be reached through links; nothing in it may.
 * @throws AgenticError ERR_TOOL_FAILED when there is no such folder */
export async function openWorkingTree(
  folder: string,
  options: WorkingTreeOptions = {},
): Promise<WorkingTree> {
  const files = options.files ?? nodeFiles
  const suffix = options.suffix ?? (() => randomBytes(6).toString('hex'))
  const root = await findRoot(files, folder)
  return {
    root: root.path,
    read: (file, maxBytes) => readText(files, root, file, maxBytes),
    folders: (path) => listFolders(files, root, path),
    has: (path) => exists(files, root, path),
    update: (updates) => updateAll(files, root, updates, suffix),
  }
}

async function findRoot(files: FilePort, folder: string): Promise<Root> {
  try {
    const path = await files.realpath(folder)
    const stat = await files.lstat(path)
    if (stat.kind === 'folder') return { path, identity: stat.identity }
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw fileError(error, folder)
    throw new AgenticError('ERR_TOOL_FAILED', `there is no folder ${folder}`, { cause: error })
  }
  throw new AgenticError('ERR_TOOL_FAILED', `${folder} is not a folder`)
}

async function readText(
  files: FilePort,
  root: Root,
  file: string,
  maxBytes: number,
): Promise<ProjectFile | undefined> {
  const place = await openPlace(files, root, file)
  if (!place) return undefined
  try {
    const found = await readBytes(files, place, file, maxBytes)
    return found && { file, text: decode(found.bytes, file), digest: fileDigest(found.bytes) }
  } finally {
    await place.folder.close()
  }
}

async function readBytes(files: FilePort, place: Place, file: string, maxBytes: number) {
  const opened = await openFile(files, place, file)
  if (!opened) return undefined
  try {
    const bytes = await opened.file.read(maxBytes)
    if (bytes.length > maxBytes) throw failed(`${file} is larger than ${Math.round(maxBytes / 1048576)} MiB`)
    return { bytes, stat: opened.stat } // as it was before: a later change then shows
  } catch (error) {
    throw fileError(error, file)
  } finally {
    await opened.file.close()
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }) // keeps a byte order mark in the text

function decode(bytes: Uint8Array, file: string): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw failed(`${file} is not UTF-8 text`)
  }
}

async function listFolders(files: FilePort, root: Root, path: string): Promise<readonly string[]> {
  const folder = await openFolderAt(files, root, path)
  if (!folder) return []
  try {
    const found: string[] = []
    for (const name of await files.names(folder.path)) {
      const stat = await files.lstat(`${folder.path}/${name}`).catch(() => undefined) // gone meanwhile
      if (stat?.kind === 'folder') found.push(name)
    }
    return found.sort()
  } catch (error) {
    throw fileError(error, path === '' ? 'the project folder' : path)
  } finally {
    await folder.close()
  }
}

async function openFolderAt(files: FilePort, root: Root, path: string) {
  if (path === '') return openRoot(files, root)
  const place = await openPlace(files, root, path)
  return place && openBelow(files, place.folder, place.name, path).finally(() => place.folder.close())
}

async function exists(files: FilePort, root: Root, path: string): Promise<boolean> {
  const place = await openPlace(files, root, path)
  if (!place) return false
  try {
    await files.lstat(`${place.folder.path}/${place.name}`)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw fileError(error, path)
  } finally {
    await place.folder.close()
  }
}

async function updateAll(
  files: FilePort,
  root: Root,
  updates: readonly FileUpdate[],
  suffix: () => string,
): Promise<Updated> {
  const places: Place[] = []
  try {
    const replacements: Replacement[] = []
    const seen = new Set<string>()
    for (const { file, before, content } of updates) {
      const place = await openPlace(files, root, file)
      if (!place) throw failed(`${file} is gone`)
      places.push(place)
      const found = await readBytes(files, place, file, maxLockBytes)
      if (!found) throw failed(`${file} is gone`)
      // Two spellings of one name on a file system that ignores case, or two names of one file.
      if (seen.has(found.stat.identity)) throw failed(`${file} is changed twice`)
      seen.add(found.stat.identity)
      const digest = fileDigest(found.bytes)
      if (digest === fileDigest(content)) continue
      if (digest !== before) throw failed(`${file} is not as it was when the change was planned`)
      replacements.push({ shown: file, place, stat: found.stat, content })
    }
    const left = replacements.length === 0 ? [] : await replaceFiles(files, replacements, suffix)
    return { written: replacements.map((one) => one.shown), left }
  } finally {
    for (const place of places) await place.folder.close().catch(() => {})
  }
}

function failed(sentence: string): AgenticError {
  return new AgenticError('ERR_TOOL_FAILED', sentence)
}
