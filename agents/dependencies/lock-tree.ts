/** The old form of lock files: a tree of `dependencies`, nested as folders are, with `requires` beside them. */
import { AgenticError, type JsonObject } from '../../runtime/index.js'
import { pointerTo } from './change.js'
import type { LockEntry } from './lock-entry.js'
import { isObject, member, objectOf, textOf, textsOf } from './shape.js'
import { parseSpec } from './spec.js'

/** Adds every package of the tree under `json.dependencies`.
 * @throws AgenticError ERR_TOOL_FAILED */
export function addTree(entries: Map<string, LockEntry>, json: JsonObject, file: string): void {
  addLevel(entries, json, file, '', '')
}

function addLevel(
  entries: Map<string, LockEntry>,
  parent: JsonObject,
  where: string,
  folder: string,
  pointer: string,
): void {
  for (const [key, value] of Object.entries(objectOf(parent, 'dependencies', where) ?? {})) {
    const place = `${where}, "${key}"`
    if (!isObject(value)) throw new AgenticError('ERR_TOOL_FAILED', `${place} must be an object`)
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${key}`
    const here = pointer + pointerTo('dependencies', key)
    const entry = readEntry(path, key, value, here, place)
    entries.set(path, entry)
    if (entry.target !== undefined) entries.set(entry.target, targetOf(entry, entry.target))
    addLevel(entries, value, place, entry.target ?? path, here)
  }
}

function readEntry(path: string, key: string, value: JsonObject, pointer: string, where: string): LockEntry {
  const stated = textOf(value, 'version', where)
  const source = stated === undefined ? undefined : parseSpec(key, stated)
  const resolved = textOf(value, 'resolved', where) ?? (source?.kind === 'range' ? undefined : stated)
  const integrity = textOf(value, 'integrity', where)
  const folder = source?.kind === 'file' && !/\.(?:tgz|tar|tar\.gz)$/i.test(stated ?? '')
  // `requires` is `true` at the root of the file and of some bundles: it then names nothing.
  const requires = isObject(member(value, 'requires')) ? textsOf(value, 'requires', where) : []
  return {
    path,
    pointers: [pointer],
    key,
    name: source?.kind === 'range' ? source.name : key,
    ...(source?.kind === 'range' ? { version: source.range } : {}),
    ...(resolved === undefined ? {} : { resolved }),
    ...(integrity === undefined ? {} : { integrity }),
    ...(folder && stated !== undefined ? { target: stated.replace(/^file:(?:\.\/)?/, '') } : {}),
    dev: member(value, 'dev') === true,
    optional: member(value, 'optional') === true,
    bundled: member(value, 'bundled') === true,
    requires: requires.map(([name, spec]) => ({ key: name, spec, field: 'dependencies' as const })),
  }
}

/** The folder a link leads to holds what the link's entry says of requirements. */
function targetOf(link: LockEntry, target: string): LockEntry {
  const { target: _, version: __, resolved: ___, ...rest } = link
  return { ...rest, path: target }
}
