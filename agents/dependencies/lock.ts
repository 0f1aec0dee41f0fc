/**
 * A lock file as a table of installed packages, whatever its version: 1 (npm 5 and 6, a tree of `dependencies`),
 * 2 (both forms), 3 (`packages` only). Places are named as version 3 does: `node_modules/a/node_modules/b`.
 */
import { AgenticError, type JsonObject } from '../../runtime/index.js'
import { pointerTo } from './change.js'
import { parseJsonFile } from './json-text.js'
import type { LockEntry } from './lock-entry.js'
import { addTree } from './lock-tree.js'
import { dependencyFields } from './manifest.js'
import { isObject, member, objectOf, textOf, textsOf } from './shape.js'

export interface Lock {
  readonly file: string
  readonly version: 1 | 2 | 3
  readonly json: JsonObject
  readonly entries: ReadonlyMap<string, LockEntry>
}

/** Reads package-lock.json or npm-shrinkwrap.json.
 * @throws AgenticError ERR_TOOL_FAILED naming the file and what is wrong with it */
export function parseLock(file: string, text: string): Lock {
  const json = parseJsonFile(file, text)
  const stated = member(json, 'lockfileVersion')
  if (stated !== undefined && stated !== 1 && stated !== 2 && stated !== 3) {
    throw new AgenticError('ERR_TOOL_FAILED', `${file}: "lockfileVersion" must be 1, 2 or 3`)
  }
  const packages = objectOf(json, 'packages', file)
  const entries = new Map<string, LockEntry>()
  if (!packages) {
    if (stated === 3) throw new AgenticError('ERR_TOOL_FAILED', `${file}: "packages" is missing`)
    addTree(entries, json, file)
    return { file, version: 1, json, entries }
  }
  for (const [path, value] of Object.entries(packages)) {
    if (!isObject(value))
      throw new AgenticError('ERR_TOOL_FAILED', `${file}: "packages", "${path}" must be an object`)
    entries.set(path, readEntry(path, value, `${file}, "packages", "${path}"`))
  }
  if (stated === 3 || !isObject(member(json, 'dependencies')))
    return { file, version: stated === 2 ? 2 : 3, json, entries }
  return { file, version: 2, json, entries: withOldTree(entries, json, file) }
}

/** Where Node finds `key` from a folder: the nearest `node_modules` upwards, links followed.
 * @returns undefined when it is not installed, or lies outside the project */
export function resolveFrom(lock: Lock, folder: string, key: string): LockEntry | undefined {
  if (folder.startsWith('..')) {
    const own = lock.entries.get(`${folder}/node_modules/${key}`)
    return own?.target === undefined ? own : lock.entries.get(own.target)
  }
  for (let at = folder; ; at = at.slice(0, Math.max(at.lastIndexOf('/'), 0))) {
    const found = lock.entries.get(at === '' ? `node_modules/${key}` : `${at}/node_modules/${key}`)
    if (found) return found.target === undefined ? found : lock.entries.get(found.target)
    if (at === '') return undefined
  }
}

function readEntry(path: string, value: JsonObject, where: string): LockEntry {
  const key = keyOfPath(path)
  const version = textOf(value, 'version', where)
  const resolved = textOf(value, 'resolved', where)
  const integrity = textOf(value, 'integrity', where)
  const link = member(value, 'link') === true
  return {
    path,
    pointers: [pointerTo('packages', path)],
    key,
    name: textOf(value, 'name', where) ?? key,
    ...(version === undefined ? {} : { version }),
    ...(resolved === undefined ? {} : { resolved }),
    ...(integrity === undefined ? {} : { integrity }),
    ...(link && resolved !== undefined ? { target: resolved } : {}),
    dev: member(value, 'dev') === true,
    optional: member(value, 'optional') === true || member(value, 'devOptional') === true,
    bundled: member(value, 'inBundle') === true,
    // What a package needs for its own development is installed for links and the root only.
    requires: dependencyFields
      .filter((field) => field !== 'devDependencies' || !path.includes('node_modules/'))
      .flatMap((field) => textsOf(value, field, where).map(([name, spec]) => ({ key: name, spec, field }))),
  }
}

function keyOfPath(path: string): string {
  const at = path.lastIndexOf('node_modules/')
  return at === -1 ? path : path.slice(at + 'node_modules/'.length)
}

function withOldTree(
  entries: Map<string, LockEntry>,
  json: JsonObject,
  file: string,
): Map<string, LockEntry> {
  const old = new Map<string, LockEntry>()
  addTree(old, json, file)
  const both = new Map<string, LockEntry>()
  for (const [path, entry] of entries) {
    const mirror = old.get(path)
    both.set(path, mirror ? { ...entry, pointers: [...entry.pointers, ...mirror.pointers] } : entry)
  }
  return both
}
