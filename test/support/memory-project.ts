/** A Node project in memory: files by path, objects printed as npm prints them. */
import { type FileChange, fileDigest } from '../../agents/dependencies/change.js'
import { applyEdits } from '../../agents/dependencies/edit-text.js'
import { type Project, type ProjectSource, readProject } from '../../agents/dependencies/project.js'

export type Files = Readonly<Record<string, string | object>>

export function sourceOf(files: Files): ProjectSource {
  const texts = new Map(Object.entries(files).map(([file, content]) => [file, printed(content)]))
  return {
    async read(file) {
      const text = texts.get(file)
      return text === undefined ? undefined : { file, text, digest: fileDigest(text) }
    },
    async folders(folder) {
      const start = folder === '' ? '' : `${folder}/`
      const below = [...texts.keys()]
        .filter((path) => path.startsWith(start))
        .map((path) => path.slice(start.length))
      return [
        ...new Set(below.filter((path) => path.includes('/')).map((path) => path.split('/')[0] ?? '')),
      ].sort()
    },
    async has(path) {
      return [...texts.keys()].some((file) => file === path || file.startsWith(`${path}/`))
    },
  }
}

export function projectOf(files: Files): Promise<Project> {
  return readProject(sourceOf(files))
}

/** The same project after changes. */
export function patched(project: Project, changes: readonly FileChange[]): Project {
  const patch = (file: Project['manifest']): Project['manifest'] => {
    const change = changes.find((one) => one.file === file.file)
    if (!change) return file
    const text = applyEdits(file.text, change.edits)
    return { file: file.file, text, digest: fileDigest(text) }
  }
  return {
    manifest: patch(project.manifest),
    workspaces: project.workspaces.map(patch),
    notes: project.notes,
    ...(project.lock ? { lock: patch(project.lock) } : {}),
  }
}

/** A lock file of version 3 from its `packages`. */
export function lockOf(packages: Readonly<Record<string, object>>): object {
  return { name: 'test', lockfileVersion: 3, requires: true, packages }
}

function printed(content: string | object): string {
  return typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`
}
