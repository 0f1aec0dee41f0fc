/** Projects whose module graph is digested, gone after the test. */
import { afterEach } from 'vitest'
import { createCodeCache } from '../../runtime/identity/code-cache.js'
import { type CodeDigest, codeDigest } from '../../runtime/identity/code-digest.js'
import { type TempProject, tempProject } from './temp-project.js'

const projects: TempProject[] = []
afterEach(() => {
  for (const project of projects.splice(0)) project.dispose()
})

export function codeProject(files: Readonly<Record<string, string>>): TempProject {
  const made = tempProject(files)
  projects.push(made)
  return made
}

/** The digests of a project with these files. */
export async function digestsOf(files: Readonly<Record<string, string>>, entry = 'a.js') {
  const { digest, deps, modules }: CodeDigest = await codeDigest(codeProject(files).url(entry))
  return { digest, deps, modules }
}

/** An installed package of two files. */
export const installed = (name: string, version = '1.0.0', more: object = {}): Record<string, string> => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, version, main: 'index.js', ...more }),
  [`node_modules/${name}/index.js`]: 'module.exports = 1',
})

/** A lock file of version 3. @param packages by path, as npm writes them */
export const lock = (packages: object) => ({
  'package-lock.json': JSON.stringify({ lockfileVersion: 3, packages }),
})

/** A cache that trusts every stat, so that only what is observed can tell a change. */
export const settled = () => createCodeCache({ nowMs: () => Date.now() + 86_400_000 })
