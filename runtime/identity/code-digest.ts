/**
 * The code digest (PROTOCOL 2.2): which files an agent or a tool is loaded from, by walking the import graph
 * from its entry module without running it. It proves the files. That the *loaded* code is these files, and
 * what the code reaches by other doors (eval, workers, child processes, native addons, files read as data),
 * it does not prove.
 */
import { realpathSync } from 'node:fs'
import { dirname, extname, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { digestOf } from '../encoding/digest.js'
import { isAgenticError } from '../errors.js'
import { type CodeCache, createCodeCache } from './code-cache.js'
import { type ModuleImport, prepareLexer, unresolved } from './module-imports.js'
import { installedPackage, packageName, type Resolved, resolveImport } from './module-resolver.js'
import { type FoundPackage, type ObservedFiles, observeFiles } from './observed-files.js'
import { exportedFile } from './package-exports.js'
import { listPackages } from './package-list.js'

export interface CodeDigest {
  /** `sha256:` and hex over the modules (path relative to the package, SHA-256 of the bytes) and built-ins. */
  readonly digest: string
  /** `sha256:` and hex over the packages used. */
  readonly deps: string
  /** Number of files hashed as modules. */
  readonly modules: number
  /** Asks the file system again, synchronously. When any file it depends on changed, the graph is walked anew,
   * only changed files being hashed, and `digest`, `deps` and `modules` are the new ones.
   * @returns the current digest
   * @throws AgenticError ERR_CODE_UNRESOLVED when the graph no longer resolves */
  recheck(): string
}

/** Digests the module graph of an entry module.
 * Followed: static imports, `import()` and `createRequire(import.meta.url)()` of literals, JSON; type-only
 * imports where they lead somewhere. Local files are hashed as modules, by their real content, under the path
 * they are imported by; installed packages are listed (package-list.ts).
 * @param entryUrl `file:` URL of the entry (`import.meta.url`)
 * @throws TypeError when it is no file URL
 * @throws AgenticError ERR_CODE_UNRESOLVED, naming the file relative to its package: an import that leads
 *   nowhere or is no literal, CommonJS outside a package, a kind of file that is no module
 */
export async function codeDigest(entryUrl: string, options: { cache?: CodeCache } = {}): Promise<CodeDigest> {
  if (!URL.canParse(entryUrl) || new URL(entryUrl).protocol !== 'file:') {
    throw new TypeError('code digest: expected a file: URL')
  }
  const cache = options.cache ?? createCodeCache()
  const entry = fileURLToPath(entryUrl)
  await prepareLexer()
  let graph = walk(entry, cache)
  return {
    get digest() {
      return graph.digest
    },
    get deps() {
      return graph.deps
    },
    get modules() {
      return graph.modules
    },
    recheck() {
      if (!graph.files.unchanged()) graph = walk(entry, cache)
      return graph.digest
    },
  }
}

interface Graph {
  readonly digest: string
  readonly deps: string
  readonly modules: number
  readonly files: ObservedFiles
}

function walk(entry: string, cache: CodeCache): Graph {
  try {
    return walkFiles(entry, observeFiles(cache))
  } catch (error) {
    if (isAgenticError(error)) throw error
    throw unresolved(baseName(entry), 'a file of its graph cannot be read', { cause: error })
  }
}

function walkFiles(entry: string, files: ObservedFiles): Graph {
  const root = files.packageAround(dirname(entry))?.directory ?? dirname(entry)
  const nameOf = (path: string) => relative(root, path).split(sep).join('/')
  if (!files.exists(entry)) throw unresolved(nameOf(entry), 'there is no such file')

  const modules = new Map<string, string>()
  const builtins = new Set<string>()
  const packages = new Map<string, FoundPackage>()
  const absent = new Set<string>()
  const queue = [entry]
  const queued = new Set(queue)

  function follow(path: string): void {
    if (queued.has(path)) return
    queued.add(path)
    queue.push(path)
  }

  function accept(resolved: Resolved, name: string, specifier: string): void {
    if (resolved.kind === 'builtin') {
      builtins.add(resolved.name)
    } else if (resolved.kind === 'package') {
      const linked = linkedFile(files, resolved.found, specifier, name)
      if (linked === undefined) packages.set(resolved.found.directory, resolved.found)
      else follow(linked)
    } else {
      const installed = nameOf(resolved.path).includes('node_modules/')
        ? installedPackage(files, resolved.path)
        : undefined
      if (installed === undefined) follow(resolved.path)
      else packages.set(installed.directory, installed)
    }
  }

  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const name = nameOf(path)
    if (extname(path) === '.json') {
      modules.set(name, files.bytes(path, name).hash)
      continue
    }
    const { hash, imports } = readModule(files, path, name)
    modules.set(name, hash)
    if (imports.length === 0) continue
    const importer = realpathSync.native(path)
    for (const item of imports) {
      if (item.specifier.startsWith('data:')) continue // its content stands in the importing file
      const resolved = resolveImport(files, importer, item.specifier)
      if (resolved !== undefined) accept(resolved, name, item.specifier)
      else if (isOptional(files, importer, item)) absent.add(item.specifier)
      else if (!item.typeOnly) throw unresolved(name, `import of "${item.specifier}" leads nowhere`)
    }
  }

  const listed = listPackages(files, packages.values())
  return {
    digest: digestOf({ modules: [...modules].sort(byName), builtins: [...builtins].sort() }),
    deps: digestOf({ packages: listed, absent: [...absent].sort() }),
    modules: modules.size,
    files,
  }
}

function readModule(
  files: ObservedFiles,
  path: string,
  name: string,
): { hash: string; imports: readonly ModuleImport[] } {
  const extension = extname(path)
  if (extension === '.cjs' || extension === '.cts') throw unresolved(name, 'CommonJS outside a package')
  if (!['.js', '.mjs', '.ts', '.mts'].includes(extension))
    throw unresolved(name, 'no kind of file that can be followed')
  const { hash, content } = files.module(path, name)
  // A text without import and export is a module only where its package says so.
  if (
    !content.esm &&
    !extension.startsWith('.m') &&
    files.packageAround(dirname(path))?.json.type !== 'module'
  ) {
    throw unresolved(name, 'CommonJS outside a package')
  }
  return { hash, imports: content.imports }
}

/** A package that is a link to a directory of one's own (a workspace) changes without a version: its files count. */
function linkedFile(
  files: ObservedFiles,
  found: FoundPackage,
  specifier: string,
  name: string,
): string | undefined {
  const directory = realpathSync.native(found.directory)
  if (directory.split(sep).includes('node_modules')) return undefined
  const path = exportedFile({ ...found, directory }, `.${specifier.slice(packageName(specifier)?.length)}`)
  if (path === undefined || !files.exists(path))
    throw unresolved(name, `import of "${specifier}" leads nowhere`)
  return path
}

/** An optional package may be missing when it is imported dynamically; that it is missing is part of `deps`. */
function isOptional(files: ObservedFiles, importer: string, item: ModuleImport): boolean {
  if (!item.dynamic) return false
  const name = packageName(item.specifier) ?? ''
  const { optionalDependencies = {}, peerDependenciesMeta = {} } =
    files.packageAround(dirname(importer))?.json ?? {}
  return Object.hasOwn(optionalDependencies, name) || peerDependenciesMeta[name]?.optional === true
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf(sep) + 1)
}
