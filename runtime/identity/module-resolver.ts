/**
 * Where an import leads. `import.meta.resolve` ignores its second argument on Node 20 and `require.resolve`
 * answers with CommonJS files, so the resolution is done here; every file it looks for is observed.
 */
import { isBuiltin } from 'node:module'
import { dirname, extname, join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { FoundPackage, ObservedFiles } from './observed-files.js'
import { exportedFile, importedTarget } from './package-exports.js'

export type Resolved =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'package'; readonly found: FoundPackage }

/** Resolves one specifier.
 * @param importer the real path of the importing file
 * @returns undefined when it leads nowhere
 */
export function resolveImport(
  files: ObservedFiles,
  importer: string,
  specifier: string,
): Resolved | undefined {
  if (isBuiltin(specifier)) return { kind: 'builtin', name: `node:${specifier.replace(/^node:/, '')}` }
  if (/^(?:\.{0,2}\/|file:)/.test(specifier)) return resolveFile(files, importer, specifier)
  if (specifier.startsWith('#')) return resolveInternal(files, importer, specifier)
  return resolveBare(files, importer, specifier)
}

/** The package of a bare specifier: `@scope/name/sub/path` is `@scope/name`. */
export function packageName(specifier: string): string | undefined {
  return /^(?:@[^/%\\]+\/)?[^/%\\@.:][^/%\\:]*/.exec(specifier)?.[0]
}

/** The package that a file is installed in; undefined for files of one's own. */
export function installedPackage(files: ObservedFiles, path: string): FoundPackage | undefined {
  const inside = path.lastIndexOf(`${sep}node_modules${sep}`)
  if (inside === -1) return undefined
  const [first = '', second = ''] = path.slice(inside + 14).split(sep)
  return files.packageIn(
    join(path.slice(0, inside), 'node_modules', first.startsWith('@') ? join(first, second) : first),
  )
}

/** An installed package by name, looked for as Node does: `node_modules` of every directory on the way up. */
export function findPackage(files: ObservedFiles, directory: string, name: string): FoundPackage | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const installed = join(at, 'node_modules')
    // Most directories have none: one look instead of one per package.
    const found = files.isDirectory(installed) ? files.packageIn(join(installed, name)) : undefined
    if (found !== undefined || at === dirname(at)) return found
  }
}

function resolveFile(files: ObservedFiles, importer: string, specifier: string): Resolved | undefined {
  const url = new URL(specifier, pathToFileURL(importer))
  if (url.protocol !== 'file:') return undefined
  return existing(files, fileURLToPath(url))
}

/** Sources run without being built say `./x.js` and mean `./x.ts`, as TypeScript itself does. */
function existing(files: ObservedFiles, path: string): Resolved | undefined {
  if (files.exists(path)) return { kind: 'file', path }
  const extension = extname(path)
  if (extension !== '.js' && extension !== '.mjs') return undefined
  const source = `${path.slice(0, -extension.length)}${extension.replace('js', 'ts')}`
  return files.exists(source) ? { kind: 'file', path: source } : undefined
}

function resolveInternal(files: ObservedFiles, importer: string, specifier: string): Resolved | undefined {
  const own = files.packageAround(dirname(importer))
  const target = own === undefined ? undefined : importedTarget(own, specifier)
  if (target === undefined) return undefined
  return 'bare' in target ? resolveImport(files, importer, target.bare) : existing(files, target.file)
}

function resolveBare(files: ObservedFiles, importer: string, specifier: string): Resolved | undefined {
  const name = packageName(specifier)
  if (name === undefined) return undefined
  const subpath = `.${specifier.slice(name.length)}`
  const own = files.packageAround(dirname(importer))
  if (own !== undefined && own.json.name === name && own.json.exports !== undefined)
    return resolveOwn(files, own, subpath)
  const found = findPackage(files, dirname(importer), name)
  return found === undefined ? undefined : { kind: 'package', found }
}

function resolveOwn(files: ObservedFiles, own: FoundPackage, subpath: string): Resolved | undefined {
  const path = exportedFile(own, subpath)
  return path === undefined ? undefined : existing(files, path)
}
