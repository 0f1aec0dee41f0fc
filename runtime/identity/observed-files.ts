/**
 * The files that one walk of a module graph looked at, those that were not there included. The walk's result
 * depends on nothing else: as long as each of them is as it was, so is the result.
 */
import { type Dirent, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type CodeCache, type FileStat, type HashedFile, sameStat } from './code-cache.js'
import { type ModuleSyntax, readSyntax, unresolved } from './module-imports.js'

export interface PackageJson {
  readonly name?: string
  readonly version?: string
  readonly type?: string
  readonly main?: string
  readonly exports?: unknown
  readonly imports?: unknown
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

export interface FoundPackage {
  readonly directory: string
  readonly json: PackageJson
  /** SHA-256 of its package.json, 64 hex digits. */
  readonly hash: string
}

export interface ObservedFiles {
  exists(path: string): boolean
  isDirectory(path: string): boolean
  /** What a directory lists, in no order; its later change is noticed. */
  list(path: string): readonly Dirent[]
  /** @param name the path relative to the package, for errors */
  module(path: string, name: string): HashedFile<ModuleSyntax>
  /** A file that is hashed and not looked into. */
  bytes(path: string, name: string): HashedFile<undefined>
  /** @returns undefined when there is no such file
   * @throws AgenticError ERR_CODE_UNRESOLVED when it is no JSON object */
  json(path: string): HashedFile<Readonly<Record<string, unknown>>> | undefined
  /** The package whose package.json lies in this directory. */
  packageIn(directory: string): FoundPackage | undefined
  /** The package that a directory belongs to: the first package.json on the way up. */
  packageAround(directory: string): FoundPackage | undefined
  /** True when every file looked at is surely as it was, or is still missing. */
  unchanged(): boolean
}

/** Starts an observation; each file is asked for its stat once. */
export function observeFiles(cache: CodeCache): ObservedFiles {
  const observed = new Map<string, FileStat | undefined>()
  const directories = new Map<string, boolean>()
  const listings = new Map<string, FileStat | undefined>()

  function stat(path: string): FileStat | undefined {
    if (observed.has(path)) return observed.get(path)
    const found = cache.stat(path)
    observed.set(path, found)
    return found
  }

  function file<T>(path: string, read: (bytes: Buffer) => T): HashedFile<T> | undefined {
    const found = stat(path)
    return found === undefined ? undefined : cache.file(path, found, read)
  }

  function present<T>(found: HashedFile<T> | undefined, name: string): HashedFile<T> {
    if (found === undefined) throw unresolved(name, 'is not there any more')
    return found
  }

  const files: ObservedFiles = {
    exists: (path) => stat(path) !== undefined,
    isDirectory(path) {
      const known = directories.get(path) ?? cache.isDirectory(path)
      directories.set(path, known)
      return known
    },
    list(path) {
      listings.set(path, cache.directory(path)) // before it is read: a change in between is then noticed
      return readdirSync(path, { withFileTypes: true })
    },
    module: (path, name) =>
      present(
        file(path, (bytes) => readSyntax(bytes.toString('utf8'), name)),
        name,
      ),
    bytes: (path, name) =>
      present(
        file(path, () => undefined),
        name,
      ),
    json: (path) => file(path, readObject),
    packageIn(directory) {
      const found = files.json(join(directory, 'package.json'))
      return found === undefined
        ? undefined
        : { directory, json: found.content as PackageJson, hash: found.hash }
    },
    packageAround(directory) {
      for (let at = directory; ; at = dirname(at)) {
        const found = files.packageIn(at)
        if (found !== undefined || at === dirname(at)) return found
      }
    },
    unchanged() {
      for (const [path, before] of observed) if (!sameStat(before, cache.stat(path))) return false
      for (const [path, before] of directories) if (cache.isDirectory(path) !== before) return false
      for (const [path, before] of listings) if (!sameStat(before, cache.directory(path))) return false
      return true
    },
  }
  return files
}

function readObject(bytes: Buffer): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(bytes.toString('utf8'))
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SyntaxError('no JSON object')
  return value as Readonly<Record<string, unknown>>
}
