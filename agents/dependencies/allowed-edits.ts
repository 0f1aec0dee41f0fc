/**
 * What a patch may touch at all, whoever made the plan: versions and their ranges, upwards, in manifests and in the
 * lock file of the root. Not scripts, not registries, not other files. An approval is asked for what passes here.
 */
import semver from 'semver'
import { AgenticError, type JsonValue } from '../../runtime/index.js'
import { type FileChange, type JsonEdit, keysOf } from './change.js'
import { dependencyFields } from './manifest.js'
import { lowestOf } from './range.js'
import { isObject } from './shape.js'
import { parseSpec } from './spec.js'

/** Refuses changes that are not version changes of dependencies.
 * @throws AgenticError ERR_TOOL_FAILED saying which edit of which file is the first that is refused */
export function requireVersionChanges(changes: readonly FileChange[]): void {
  const files = new Set<string>()
  // A file and a pointer that are refused are not repeated: they can be any text.
  for (const [place, { file, edits }] of changes.entries()) {
    const test = file === 'package-lock.json' || file === 'npm-shrinkwrap.json' ? isLockEdit : isManifestEdit
    if (test === isManifestEdit && !isManifest(file))
      throw refused(`change ${place + 1} is of no file that a patch may change`)
    if (files.has(file)) throw refused(`"${file}" is changed twice`)
    files.add(file)
    for (const [index, edit] of edits.entries()) {
      if (!test(keysOf(edit.pointer) ?? [], edit, edits)) {
        throw refused(`edit ${index + 1} of ${file} is of no version that a patch may change so`)
      }
    }
  }
}

function isManifest(file: string): boolean {
  const segments = file.split('/')
  return segments.at(-1) === 'package.json' && !segments.includes('node_modules')
}

const fields: readonly string[] = dependencyFields

function isManifestEdit(keys: readonly string[], { from, to }: JsonEdit): boolean {
  const [top, key, more] = keys
  if (top === 'overrides' && key === undefined)
    return isEmpty(from) && isObject(to) && Object.entries(to).every(isRule)
  if (key === undefined || more !== undefined) return false
  if (top === 'overrides') return (from === null || isRaise(ruleName(key), from, to)) && isRule([key, to])
  return fields.includes(top ?? '') && isRaise(key, from, to)
}

function isLockEdit(keys: readonly string[], edit: JsonEdit, all: readonly JsonEdit[]): boolean {
  const last = keys.at(-1) ?? ''
  const holder = keys.at(-2) ?? ''
  if (keys[0] === 'packages' && keys.length === 4)
    return fields.includes(holder) && isRaise(last, edit.from, edit.to)
  if (keys[0] === 'dependencies' && keys.length % 2 === 0 && keys.length >= 4) {
    return holder === 'requires' && isTreePath(keys.slice(0, -2)) && isRaise(last, edit.from, edit.to)
  }
  const isEntry = keys[0] === 'packages' ? keys.length === 3 : isTreePath(keys.slice(0, -1))
  if (!isEntry) return false
  if (last === 'version') return newVersion(edit) !== undefined
  if (last === 'integrity')
    return edit.to === null || (typeof edit.to === 'string' && /^sha\d+-/.test(edit.to))
  return last === 'resolved' && isMove(edit, all)
}

/** `dependencies`, a name, and so on in turn: the old tree of lock files. */
function isTreePath(keys: readonly string[]): boolean {
  return (
    keys.length > 0 &&
    keys.length % 2 === 0 &&
    keys.every((key, index) => index % 2 === 1 || key === 'dependencies')
  )
}

/** The version an edit moves an entry to, when it is the same package at a higher version. */
function newVersion({ from, to }: JsonEdit): string | undefined {
  if (typeof from !== 'string' || typeof to !== 'string') return undefined
  const before = from.lastIndexOf('@') + 1
  const after = to.lastIndexOf('@') + 1
  const [old, fresh] = [from.slice(before), to.slice(after)]
  const higher =
    semver.valid(old, true) !== null && semver.valid(fresh) === fresh && semver.gt(fresh, old, true)
  return higher && from.slice(0, before) === to.slice(0, after) ? fresh : undefined
}

/** The tarball of the new version at the same registry, or none. */
function isMove({ pointer, from, to }: JsonEdit, all: readonly JsonEdit[]): boolean {
  if (to === null) return true
  const version = all.find((edit) => edit.pointer === pointer.replace(/resolved$/, 'version'))
  const fresh = version && newVersion(version)
  if (typeof from !== 'string' || typeof to !== 'string' || typeof version?.from !== 'string' || !fresh)
    return false
  const old = version.from.slice(version.from.lastIndexOf('@') + 1)
  return from.endsWith(`-${old}.tgz`) && to === `${from.slice(0, -`${old}.tgz`.length)}${fresh}.tgz`
}

/** A range of the same registry package that begins no lower. */
function isRaise(key: string, from: JsonValue, to: JsonValue): boolean {
  if (typeof from !== 'string' || typeof to !== 'string') return false
  const [old, fresh] = [parseSpec(key, from), parseSpec(key, to)]
  if (old.kind !== 'range' || fresh.kind !== 'range') return false
  const [before, after] = [lowestOf(old.range), lowestOf(fresh.range)]
  const higher = before !== undefined && after !== undefined && semver.gte(after, before)
  return higher && old.name === fresh.name && old.alias === fresh.alias
}

function isRule([key, value]: readonly [string, JsonValue]): boolean {
  const spec = typeof value === 'string' ? parseSpec(ruleName(key), value) : undefined
  return spec?.kind === 'range' && !spec.alias && spec.range !== ''
}

function ruleName(key: string): string {
  const at = key.indexOf('@', 1)
  return at === -1 ? key : key.slice(0, at)
}

function isEmpty(value: JsonValue): boolean {
  return value === null || (isObject(value) && Object.keys(value).length === 0)
}

function refused(sentence: string): AgenticError {
  return new AgenticError('ERR_TOOL_FAILED', sentence)
}
