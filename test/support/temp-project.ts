import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface TempProject {
  url(path: string): string
  write(path: string, text: string): void
  remove(path: string): void
  /** Makes `path` a symbolic link to `target`, relative to the link's directory. */
  link(path: string, target: string): void
  dispose(): void
}

/** A directory of its own with these files; an ECMAScript package unless it brings a package.json. */
export function tempProject(files: Readonly<Record<string, string>>): TempProject {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'project-')))
  const project: TempProject = {
    url: (path) => pathToFileURL(join(root, path)).href,
    write(path, text) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    },
    remove: (path) => unlinkSync(join(root, path)),
    link(path, target) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      symlinkSync(target, join(root, path))
    },
    dispose: () => rmSync(root, { recursive: true, force: true }),
  }
  const all = { 'package.json': '{"name":"sample","version":"1.0.0","type":"module"}', ...files }
  for (const [path, text] of Object.entries(all)) project.write(path, text)
  return project
}
