/** From a path inside a project to an open folder and a name in it, without following any link. */
import { AgenticError } from '../../runtime/index.js'
import { fileError, systemCode } from './file-errors.js'
import type { FilePort, FileStat, OpenFile } from './file-port.js'

/** A project folder as it was when it was opened. */
export interface Root {
  /** Its real path. */
  readonly path: string
  readonly identity: string
}

/** An open folder of the project; whoever gets it closes it. */
export interface Place {
  readonly folder: OpenFile
  /** The last segment of the path. */
  readonly name: string
}

/** Splits a path of the project into segments.
 * @throws AgenticError ERR_TOOL_FAILED for anything that is not plainly a path below the root */
export function segmentsOf(path: string): readonly string[] {
  const segments = path.split('/')
  const plain = segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..')
  // A backslash, a colon or a NUL would mean something else on some system.
  if (!plain || /[\\:\0]/.test(path) || path.length > 4096)
    throw new AgenticError('ERR_TOOL_FAILED', 'expected a relative path inside the project')
  return segments
}

/** Opens the folders on the way to a path, each one below the one before.
 * @throws AgenticError ERR_TOOL_FAILED when one is a link or no folder; `undefined` when one is missing */
export async function openPlace(files: FilePort, root: Root, path: string): Promise<Place | undefined> {
  const segments = segmentsOf(path)
  let folder = await openRoot(files, root)
  for (const [index, segment] of segments.slice(0, -1).entries()) {
    const shown = segments.slice(0, index + 1).join('/')
    const next = await openBelow(files, folder, segment, shown).finally(() => folder.close())
    if (!next) return undefined
    folder = next
  }
  return { folder, name: segments.at(-1) ?? '' }
}

/** Opens the root itself, and makes sure it is still the folder it was. */
export async function openRoot(files: FilePort, root: Root): Promise<OpenFile> {
  let folder: OpenFile
  try {
    folder = await files.openFolder(root.path)
  } catch (error) {
    throw fileError(error, 'the project folder')
  }
  if ((await statOrClose(folder)).identity === root.identity) return folder
  await folder.close()
  throw new AgenticError('ERR_TOOL_FAILED', 'the project folder was replaced by another one')
}

/** Opens a folder in an open folder; `undefined` when there is none. */
export async function openBelow(
  files: FilePort,
  parent: OpenFile,
  name: string,
  shown: string,
): Promise<OpenFile | undefined> {
  const path = `${parent.path}/${name}`
  try {
    const before = await files.lstat(path)
    requireKind(before, 'folder', shown)
    const folder = await files.openFolder(path)
    if ((await statOrClose(folder)).identity === before.identity) return folder
    await folder.close()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw fileError(error, shown)
  }
  throw refused(shown, 'was replaced while it was opened')
}

/** Opens a regular file in an open folder; `undefined` when there is none. */
export async function openFile(
  files: FilePort,
  { folder, name }: Place,
  shown: string,
): Promise<{ readonly file: OpenFile; readonly stat: FileStat } | undefined> {
  const path = `${folder.path}/${name}`
  try {
    const before = await files.lstat(path)
    requireKind(before, 'file', shown)
    const file = await files.openFile(path)
    const stat = await statOrClose(file)
    if (stat.identity === before.identity && stat.kind === 'file') return { file, stat }
    await file.close()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw fileError(error, shown)
  }
  throw refused(shown, 'was replaced while it was opened')
}

async function statOrClose(file: OpenFile): Promise<FileStat> {
  try {
    return await file.stat()
  } catch (error) {
    await file.close()
    throw error
  }
}

function requireKind(stat: FileStat, kind: 'file' | 'folder', shown: string): void {
  if (stat.kind === kind) return
  if (stat.kind === 'link') throw refused(shown, 'is a symbolic link, which is not followed')
  throw refused(shown, kind === 'file' ? 'is not a regular file' : 'is not a folder')
}

function refused(path: string, what: string): AgenticError {
  return new AgenticError('ERR_TOOL_FAILED', `"${path}" ${what}`)
}
