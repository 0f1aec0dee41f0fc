/** Decisions as edits of manifests and of the lock file. */
import type { JsonObject, JsonValue } from '../../runtime/index.js'
import { type JsonEdit, keysOf, pointerTo } from './change.js'
import type { Decision } from './decide.js'
import type { Installed, ParsedProject } from './inventory.js'
import type { Lock } from './lock.js'
import { isObject, member } from './shape.js'

interface Decided {
  readonly name: string
  readonly decision: Decision
}

/** @returns edits by file, each pointer once */
export function editsFor(
  parsed: ParsedProject,
  decided: readonly Decided[],
): ReadonlyMap<string, readonly JsonEdit[]> {
  const edits = new Map<string, Map<string, JsonEdit>>()
  const add = (file: string, pointer: string, from: JsonValue, to: JsonValue): void => {
    if (from === to) return
    const ofFile = edits.get(file) ?? new Map<string, JsonEdit>()
    ofFile.set(pointer, { pointer, from, to })
    edits.set(file, ofFile)
  }
  addOverrides(parsed, decided, add)
  for (const { decision } of decided) {
    for (const { direct, key, range } of decision.raised) {
      add(direct.manifest, pointerTo(direct.field, key), direct.range, range)
      if (parsed.lock) addMirrors(parsed.lock, direct.manifest, direct.field, key, range, add)
    }
    for (const instance of decision.moved) if (parsed.lock) addMove(parsed.lock, instance, decision.to, add)
  }
  return new Map([...edits].map(([file, ofFile]) => [file, [...ofFile.values()]]))
}

type Add = (file: string, pointer: string, from: JsonValue, to: JsonValue) => void

function addOverrides(parsed: ParsedProject, decided: readonly Decided[], add: Add): void {
  const [{ file, overrides }] = parsed.manifests
  const rules = decided.flatMap(({ decision }) => decision.overrides)
  const fresh = rules.filter((rule) => rule.from === null)
  for (const rule of rules)
    if (rule.from !== null) add(file, pointerTo('overrides', rule.key), rule.from, rule.to)
  if (fresh.length === 0) return
  if (overrides && Object.keys(overrides).length > 0) {
    for (const rule of fresh) add(file, pointerTo('overrides', rule.key), null, rule.to)
    return
  }
  // Without any rule so far the whole object is the value.
  add(file, '/overrides', overrides ?? null, Object.fromEntries(fresh.map((rule) => [rule.key, rule.to])))
}

/** Lock files repeat what manifests declare; npm refuses one that differs. */
function addMirrors(lock: Lock, manifest: string, field: string, key: string, range: string, add: Add): void {
  const folder = manifest.includes('/') ? manifest.slice(0, manifest.lastIndexOf('/')) : ''
  for (const pointer of lock.entries.get(folder)?.pointers ?? []) {
    const inTree = !pointer.startsWith('/packages/')
    const at = pointer + pointerTo(inTree ? 'requires' : field, key)
    const present = valueAt(lock.json, at)
    if (typeof present === 'string') add(lock.file, at, present, range)
  }
}

function addMove(lock: Lock, instance: Installed, to: string, add: Add): void {
  const entry = lock.entries.get(instance.path)
  if (!entry) return
  const tarball = movedTarball(entry.resolved, instance, to)
  const integrity = knownIntegrity(lock, instance.name, to, tarball)
  for (const pointer of entry.pointers) {
    const version = valueAt(lock.json, `${pointer}/version`)
    const aliased = typeof version === 'string' && version.startsWith('npm:')
    add(lock.file, `${pointer}/version`, version ?? null, aliased ? `npm:${instance.name}@${to}` : to)
    const resolved = valueAt(lock.json, `${pointer}/resolved`)
    if (resolved !== undefined) add(lock.file, `${pointer}/resolved`, resolved, tarball)
    const before = valueAt(lock.json, `${pointer}/integrity`)
    if (before !== undefined) add(lock.file, `${pointer}/integrity`, before, integrity)
  }
}

/** The URL of another version's tarball in the same registry, by the registries' convention; null when it follows another. */
export function movedTarball(
  resolved: string | undefined,
  instance: { readonly name: string; readonly version: string },
  to: string,
): string | null {
  const base = instance.name.slice(instance.name.lastIndexOf('/') + 1)
  const end = `/-/${base}-${instance.version}.tgz`
  if (resolved === undefined || !/^https?:\/\//.test(resolved) || !resolved.endsWith(end)) return null
  return `${resolved.slice(0, -end.length)}/-/${base}-${to}.tgz`
}

/** The checksum of the new version, when it is installed in another place already. */
function knownIntegrity(lock: Lock, name: string, version: string, tarball: string | null): string | null {
  for (const entry of lock.entries.values()) {
    const same = entry.name === name && entry.version === version && (entry.resolved ?? null) === tarball
    if (same && entry.integrity !== undefined && !entry.bundled) return entry.integrity
  }
  return null
}

function valueAt(json: JsonObject, pointer: string): JsonValue | undefined {
  let value: JsonValue | undefined = json
  for (const key of keysOf(pointer) ?? []) value = isObject(value) ? member(value, key) : undefined
  return value
}

/** What has to be done after the patch, and why: npm does not look up again what a lock file already names. */
export function completionNotes(parsed: ParsedProject, decided: readonly Decided[]): readonly string[] {
  const notes: string[] = []
  if (decided.some(({ decision }) => decision.overrides.length > 0))
    notes.push('"overrides" need npm 8.3 or later')
  const lock = parsed.lock
  if (!lock || decided.length === 0) return notes
  const stale = decided.filter(({ decision }) => decision.moved.some((one) => needsOthers(lock, one)))
  if (stale.length > 0) {
    const names = stale.map(({ name, decision }) => `${name} ${decision.to}`).join(', ')
    notes.push(
      `${lock.file} still names what the old versions needed, because what the new ones need is not known here; until it is completed, \`npm ci\` may install too little for: ${names}`,
    )
  }
  notes.push(
    lock.version === 1
      ? `${lock.file} holds no checksums for the new versions: run \`npm install\` (npm 7 or later) to complete it`
      : `${lock.file} holds no checksums for the new versions, and \`npm install\` does not look up what a lock file already names: to complete it, delete it and node_modules and run \`npm install\`; the new ranges and overrides keep the vulnerable versions out`,
  )
  return notes
}

function needsOthers(lock: Lock, instance: Installed): boolean {
  return lock.entries.get(instance.path)?.requires.some((need) => need.field !== 'peerDependencies') ?? false
}
