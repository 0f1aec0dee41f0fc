/**
 * Which file of a package a specifier means: the `exports` and `imports` of its package.json, as Node's
 * ECMAScript module loader resolves them (nodejs.org, "Determining module system / Resolution algorithm").
 */
import { join } from 'node:path'
import type { FoundPackage } from './observed-files.js'

/** The conditions under which Node imports a module. */
const conditions = new Set(['node', 'import', 'module-sync', 'node-addons', 'default'])

/** @param subpath `.` or `./…`
 * @returns the absolute path it names, whether there or not; undefined when the package does not export it
 */
export function exportedFile(found: FoundPackage, subpath: string): string | undefined {
  const { exports, main } = found.json
  if (exports === undefined || exports === null) {
    return join(found.directory, subpath === '.' ? (main ?? 'index.js') : subpath)
  }
  const table =
    isTable(exports) && Object.keys(exports).some((key) => key.startsWith('.')) ? exports : { '.': exports }
  return fileOf(found, matchKey(table, subpath))
}

/** @param specifier `#…`
 * @returns a path as `exportedFile`, or a bare specifier of another package; undefined when there is no such entry
 */
export function importedTarget(
  found: FoundPackage,
  specifier: string,
): { file: string } | { bare: string } | undefined {
  const { imports } = found.json
  if (!isTable(imports)) return undefined
  const target = matchKey(imports, specifier)
  if (target !== undefined && !target.startsWith('./')) return { bare: target }
  const file = fileOf(found, target)
  return file === undefined ? undefined : { file }
}

type Table = Readonly<Record<string, unknown>>

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fileOf(found: FoundPackage, target: string | undefined): string | undefined {
  if (target === undefined || !target.startsWith('./')) return undefined
  // As Node: a target stays inside its package.
  if (/(?:^|[\\/])(?:\.\.?|node_modules)(?:[\\/]|$)/i.test(decodeURIComponent(target.slice(2))))
    return undefined
  return join(found.directory, target)
}

/** The entry for a key, exact before patterns, the longest pattern first; `*` is replaced in the target. */
function matchKey(table: Table, key: string): string | undefined {
  if (Object.hasOwn(table, key) && !key.includes('*')) return pickTarget(table[key])
  const patterns = Object.keys(table)
    .filter((pattern) => pattern.split('*').length === 2)
    .sort((a, b) => b.indexOf('*') - a.indexOf('*') || b.length - a.length)
  for (const pattern of patterns) {
    const [before = '', after = ''] = pattern.split('*')
    if (key.length >= pattern.length && key.startsWith(before) && key.endsWith(after) && key !== before) {
      return pickTarget(table[pattern])?.replaceAll('*', key.slice(before.length, key.length - after.length))
    }
  }
  return undefined
}

/** Walks conditions in the order they are written; the first that leads to a target wins. */
function pickTarget(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) {
    for (const item of value as readonly unknown[]) {
      const target = pickTarget(item)
      if (target !== undefined) return target
    }
    return undefined
  }
  if (!isTable(value)) return undefined
  for (const [condition, target] of Object.entries(value)) {
    if (!conditions.has(condition)) continue
    const picked = pickTarget(target)
    if (picked !== undefined) return picked
  }
  return undefined
}
