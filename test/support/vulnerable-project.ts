import { createHash } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Workplace {
  readonly folder: string
  path(...parts: readonly string[]): string
  dispose(): void
}

/** A folder of its own for one test. */
export function workplace(): Workplace {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'baton-cli-')))
  return {
    folder,
    path: (...parts) => join(folder, ...parts),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  }
}

const installed = { lodash: '4.17.15', minimist: '1.2.0' }

/** Writes a project with two vulnerable packages, as npm leaves it. @returns its folder */
export function writeVulnerableProject(folder: string): string {
  mkdirSync(folder, { recursive: true })
  const about = { name: 'tiny', version: '1.0.0', dependencies: installed }
  const entries = Object.entries(installed).map(([name, version]) => [
    `node_modules/${name}`,
    { version, resolved: `https://registry.npmjs.org/${name}/-/${name}-${version}.tgz`, license: 'MIT' },
  ])
  const lock = {
    name: 'tiny',
    version: '1.0.0',
    lockfileVersion: 3,
    requires: true,
    packages: { '': about, ...Object.fromEntries(entries) },
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(about, null, 2)}\n`)
  writeFileSync(join(folder, 'package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`)
  return folder
}

/** Every file below a folder, by content; links by what they point to. */
export function contentOf(folder: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name)
    const stats = lstatSync(path)
    if (stats.isSymbolicLink()) found[name] = `-> ${readlinkSync(path)}`
    else if (stats.isFile()) found[name] = createHash('sha256').update(readFileSync(path)).digest('hex')
  }
  return found
}

/** The versions that the lockfile installs, by package. */
export function lockedVersions(folder: string): Readonly<Record<string, string>> {
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string }>
  }
  const entries = Object.entries(packages).filter(([path]) => path !== '')
  return Object.fromEntries(
    entries.map(([path, { version }]) => [path.replace('node_modules/', ''), version]),
  )
}
