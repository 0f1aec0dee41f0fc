/**
 * The packages behind a module graph, the packages that those depend on included. A package is named by name,
 * version and the lock file's integrity; where no lock file vouches for the installed version, by the hashes of
 * its files (package-files.ts). Integrity covers the tarball that was installed: a package that a lock file vouches
 * for and that was edited in place under `node_modules` is not noticed.
 */
import { realpathSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import type { JsonObject } from '../encoding/canonical-json.js'
import { findPackage } from './module-resolver.js'
import type { FoundPackage, ObservedFiles } from './observed-files.js'
import { packageFiles } from './package-files.js'

/** @returns one entry per package and version, sorted, without duplicates */
export function listPackages(files: ObservedFiles, imported: Iterable<FoundPackage>): readonly JsonObject[] {
  const entries = new Map<string, JsonObject>()
  const seen = new Set<string>()
  const queue = [...imported]
  for (let found = queue.pop(); found !== undefined; found = queue.pop()) {
    if (seen.has(found.directory)) continue
    seen.add(found.directory)
    const entry = describe(files, found)
    entries.set(JSON.stringify(entry), entry)
    queue.push(...dependenciesOf(files, found))
  }
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
}

function describe(files: ObservedFiles, found: FoundPackage): JsonObject {
  const { name = '', version = '' } = found.json
  const integrity = lockedIntegrity(files, found)
  return {
    name,
    version,
    ...(integrity === undefined ? { files: packageFiles(files, found) } : { integrity }),
  }
}

/** What is not installed (an optional or peer dependency) is skipped; the look-up is observed. */
function dependenciesOf(files: ObservedFiles, found: FoundPackage): FoundPackage[] {
  const { dependencies, optionalDependencies, peerDependencies } = found.json
  const names = new Set(Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }))
  const directory = realpathSync.native(found.directory)
  return [...names].flatMap((name) => findPackage(files, directory, name) ?? [])
}

/** The integrity of the nearest package-lock.json, when it is about the version that is installed. */
function lockedIntegrity(files: ObservedFiles, found: FoundPackage): string | undefined {
  for (let at = dirname(found.directory); ; at = dirname(at)) {
    const lock = at.includes(`${sep}node_modules`) ? undefined : files.json(join(at, 'package-lock.json'))
    if (lock !== undefined) {
      const packages = (lock.content.packages ?? {}) as Readonly<
        Record<string, { version?: string; integrity?: string }>
      >
      const key = relative(at, found.directory).split(sep).join('/')
      const entry = Object.hasOwn(packages, key) ? packages[key] : undefined
      return entry?.version === found.json.version ? entry?.integrity : undefined
    }
    if (at === dirname(at)) return undefined
  }
}
