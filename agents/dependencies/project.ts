/** The files of a Node project that say what is installed, as texts with their digests. */
import { AgenticError } from '../../runtime/index.js'
import { parseManifest } from './manifest.js'
import { expandWorkspaces } from './workspaces.js'

export interface ProjectFile {
  /** Relative path, `/` between segments. */
  readonly file: string
  /** The exact text; a byte order mark is kept. */
  readonly text: string
  /** `sha256:` and hex of the file's bytes. */
  readonly digest: string
}

export interface Project {
  readonly manifest: ProjectFile
  /** npm-shrinkwrap.json, else package-lock.json. */
  readonly lock?: ProjectFile
  /** Manifests of the workspaces. */
  readonly workspaces: readonly ProjectFile[]
  /** What was found but not read, in plain words. */
  readonly notes: readonly string[]
}

/** Where a project's files come from. A working tree is one (repository/working-tree.ts). */
export interface ProjectSource {
  /** @returns undefined when there is no such file
   * @throws AgenticError ERR_TOOL_FAILED when it is no regular UTF-8 file of at most `maxBytes` */
  read(file: string, maxBytes: number): Promise<ProjectFile | undefined>
  /** The names of the real folders (no links) in a folder; empty when there is no such folder. */
  folders(folder: string): Promise<readonly string[]>
  /** True when something is there, of whatever kind. */
  has(path: string): Promise<boolean>
}

export const maxManifestBytes = 5 * 1024 * 1024
export const maxLockBytes = 64 * 1024 * 1024

/** Reads a project's manifests and lock file.
 * @throws AgenticError ERR_TOOL_FAILED, one sentence, when package.json is missing or a file cannot be used */
export async function readProject(source: ProjectSource): Promise<Project> {
  const manifest = await source.read('package.json', maxManifestBytes)
  if (!manifest) throw new AgenticError('ERR_TOOL_FAILED', 'there is no package.json in the project folder')
  const notes: string[] = []
  const lock = await readLock(source, notes)
  const workspaces: ProjectFile[] = []
  for (const folder of await expandWorkspaces(
    parseManifest(manifest.file, manifest.text).workspaces,
    (name) => source.folders(name),
  )) {
    const found = await source.read(`${folder}/package.json`, maxManifestBytes)
    if (found) workspaces.push(found)
  }
  return { manifest, workspaces, notes, ...(lock ? { lock } : {}) }
}

async function readLock(source: ProjectSource, notes: string[]): Promise<ProjectFile | undefined> {
  const shrinkwrap = await source.read('npm-shrinkwrap.json', maxLockBytes)
  if (shrinkwrap && (await source.has('package-lock.json'))) {
    notes.push('npm-shrinkwrap.json is used and package-lock.json is not, as npm does')
  }
  const lock = shrinkwrap ?? (await source.read('package-lock.json', maxLockBytes))
  for (const other of ['yarn.lock', 'pnpm-lock.yaml', 'bun.lock', 'bun.lockb']) {
    if (await source.has(other)) notes.push(`${other} is there but is not read: only npm's lock files are`)
  }
  return lock
}
