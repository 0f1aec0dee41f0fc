/** Every installed package instance of a project, and who asked for it with which range. */
import semver from 'semver'
import { pointerTo } from './change.js'
import { type Lock, parseLock, resolveFrom } from './lock.js'
import type { LockEntry } from './lock-entry.js'
import { type Declaration, type DependencyField, type Manifest, parseManifest } from './manifest.js'
import type { Project } from './project.js'
import { admits } from './range.js'
import { parseSpec, type Spec } from './spec.js'

/** A declaration in one of the project's own manifests. */
export interface Direct {
  readonly manifest: string
  readonly field: DependencyField
  /** The text after the name; for an alias with its `npm:name@`. */
  readonly range: string
}

/** An installed package that asks for another. */
export interface Dependent {
  readonly path: string
  readonly name: string
  readonly version?: string
  readonly range: string
  readonly field: DependencyField
}

export interface Installed {
  /** The package's own name, aliases resolved. */
  readonly name: string
  readonly version: string
  /** Its place as lock files name it; without a lock file the declaration, e.g. `package.json#/dependencies/x`. */
  readonly path: string
  readonly alias?: string
  readonly dev: boolean
  readonly optional: boolean
  /** Where it comes from; what is not `registry` cannot be moved to another version here. */
  readonly source: 'registry' | 'git' | 'file' | 'tarball' | 'bundled'
  readonly direct: readonly Direct[]
  readonly dependents: readonly Dependent[]
}

export interface Inventory {
  readonly lock?: { readonly file: string; readonly version: 1 | 2 | 3 }
  /** In order of path. */
  readonly installed: readonly Installed[]
  /** What could not be judged, in plain words. */
  readonly notes: readonly string[]
}

/** A project's files, parsed. */
export interface ParsedProject {
  /** The root's first. */
  readonly manifests: readonly [Manifest, ...Manifest[]]
  readonly lock?: Lock
}

/** Parses a project's files.
 * @throws AgenticError ERR_TOOL_FAILED, one sentence naming the file */
export function parseProject(project: Project): ParsedProject {
  const root = parseManifest(project.manifest.file, project.manifest.text)
  const others = project.workspaces.map(({ file, text }) => parseManifest(file, text))
  const lock = project.lock && parseLock(project.lock.file, project.lock.text)
  return { manifests: [root, ...others], ...(lock ? { lock } : {}) }
}

/** Lists what a project has installed according to its lock file; without one, what it declares exactly.
 * @throws AgenticError ERR_TOOL_FAILED, one sentence naming the file */
export function takeInventory(project: Project): Inventory {
  const parsed = parseProject(project)
  const notes = [...project.notes]
  if (!parsed.lock) return { installed: declaredOnly(parsed.manifests, notes), notes }
  const { file, version } = parsed.lock
  return { lock: { file, version }, installed: installedBy(parsed.lock, parsed.manifests, notes), notes }
}

interface Asked {
  readonly direct: Direct[]
  readonly dependents: Dependent[]
  source?: 'git' | 'file' | 'tarball'
}

function installedBy(lock: Lock, manifests: readonly Manifest[], notes: string[]): readonly Installed[] {
  const asked = new Map<LockEntry, Asked>()
  const kindOf = specKinds()
  const ask = (entry: LockEntry, spec: string): Asked => {
    let found = asked.get(entry)
    if (!found) {
      found = { direct: [], dependents: [] }
      asked.set(entry, found)
    }
    const kind = kindOf(spec)
    if (kind === 'git' || kind === 'file' || kind === 'tarball') found.source = kind
    return found
  }
  const folders = new Set(manifests.map((manifest) => manifest.folder))
  for (const manifest of manifests) {
    for (const declaration of manifest.declared) {
      const entry = resolveFrom(lock, manifest.folder, declaration.key)
      if (entry) ask(entry, declaration.spec).direct.push(directOf(manifest, declaration))
      noteDeclared(manifest, declaration, entry, folders, notes)
    }
  }
  for (const entry of lock.entries.values()) {
    if (entry.target !== undefined || folders.has(entry.path)) continue
    for (const need of entry.requires) {
      const found = resolveFrom(lock, entry.path, need.key)
      if (found) ask(found, need.spec).dependents.push(dependentOf(entry, need))
    }
  }
  const installed: Installed[] = []
  const unversioned: string[] = []
  for (const entry of lock.entries.values()) {
    if (entry.target !== undefined || !isInstalled(entry.path)) continue
    const by = asked.get(entry)
    const source = sourceOf(entry, by)
    if (entry.version === undefined) unversioned.push(`${entry.path} (${source})`)
    else installed.push(describe(entry, entry.version, source, by))
  }
  if (unversioned.length > 0) {
    notes.push(`${lock.file} gives no version, so these are not judged: ${listed(unversioned)}`)
  }
  noteStrangers(lock, installed, notes)
  return installed.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** The kinds of declarations; the same few texts are asked for thousands of times. */
function specKinds(): (spec: string) => Spec['kind'] {
  const known = new Map<string, Spec['kind']>()
  return (spec) => {
    const kind = known.get(spec) ?? parseSpec('', spec).kind
    known.set(spec, kind)
    return kind
  }
}

/** Workspaces and linked folders are the project's own, not installed packages. */
function isInstalled(path: string): boolean {
  return /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path)
}

function describe(
  entry: LockEntry,
  version: string,
  source: Installed['source'],
  by: Asked | undefined,
): Installed {
  return {
    name: entry.name,
    version,
    path: entry.path,
    ...(entry.key === entry.name ? {} : { alias: entry.key }),
    dev: entry.dev,
    optional: entry.optional,
    source,
    direct: by?.direct ?? [],
    dependents: by?.dependents ?? [],
  }
}

function sourceOf(entry: LockEntry, by: Asked | undefined): Installed['source'] {
  if (entry.bundled) return 'bundled'
  const resolved = entry.resolved ?? ''
  if (/^(?:git|git\+[a-z]+|ssh|github|gitlab|bitbucket|gist):/.test(resolved)) return 'git'
  if (resolved.startsWith('file:')) return 'file'
  return by?.source ?? 'registry'
}

function directOf(manifest: Manifest, declaration: Declaration): Direct {
  return { manifest: manifest.file, field: declaration.field, range: declaration.spec }
}

function dependentOf(
  entry: LockEntry,
  need: { readonly spec: string; readonly field: DependencyField },
): Dependent {
  const { path, name, version } = entry
  return { path, name, range: need.spec, field: need.field, ...(version === undefined ? {} : { version }) }
}

function noteDeclared(
  manifest: Manifest,
  declaration: Declaration,
  entry: LockEntry | undefined,
  folders: ReadonlySet<string>,
  notes: string[],
): void {
  const what = `${manifest.file} declares ${declaration.key} (${declaration.field})`
  if (!entry) {
    const mayBeMissing =
      declaration.field === 'optionalDependencies' || declaration.field === 'peerDependencies'
    if (!mayBeMissing) notes.push(`${what} but the lock file does not hold it: run \`npm install\` first`)
    return
  }
  const spec = parseSpec(declaration.key, declaration.spec)
  if (spec.kind === 'range') {
    if (entry.version === undefined || folders.has(entry.path) || admits(spec.range, entry.version)) return
    notes.push(`${what} as "${declaration.spec}" but the lock file holds ${entry.version}`)
  } else if (!folders.has(entry.path)) {
    notes.push(`${what} by ${spec.kind === 'tag' ? 'a tag' : spec.kind}, not by a version range`)
  }
}

function noteStrangers(lock: Lock, installed: readonly Installed[], notes: string[]): void {
  const unread = installed.filter((one) => semver.valid(one.version, { loose: true }) === null)
  if (unread.length > 0) {
    notes.push(
      `not semantic versions, so not judged: ${listed(unread.map((one) => `${one.name} ${one.version}`))}`,
    )
  }
  if (
    lock.version === 1 &&
    installed.length > 0 &&
    ![...lock.entries.values()].some((entry) => entry.requires.length > 0)
  ) {
    const all = installed.every((one) => one.direct.length > 0)
    if (!all)
      notes.push(
        `${lock.file} does not say which package needs which, so ranges between packages are not checked`,
      )
  }
}

function declaredOnly(manifests: readonly Manifest[], notes: string[]): readonly Installed[] {
  const own = new Set(manifests.map((manifest) => manifest.name))
  const installed: Installed[] = []
  const open: string[] = []
  for (const manifest of manifests) {
    for (const declaration of manifest.declared) {
      const spec = parseSpec(declaration.key, declaration.spec)
      const version =
        spec.kind === 'range' ? semver.valid(spec.range.replace(/^=\s*/, ''), { loose: true }) : null
      if (spec.kind !== 'range' || version === null) {
        if (!own.has(declaration.key)) open.push(`${declaration.key} "${declaration.spec}"`)
        continue
      }
      installed.push({
        name: spec.name,
        version,
        path: `${manifest.file}#${pointerTo(declaration.field, declaration.key)}`,
        ...(declaration.key === spec.name ? {} : { alias: declaration.key }),
        dev: declaration.field === 'devDependencies',
        optional: declaration.field === 'optionalDependencies',
        source: 'registry',
        direct: [directOf(manifest, declaration)],
        dependents: [],
      })
    }
  }
  notes.push(
    'there is no npm lock file: only exact versions in package.json are judged, and nothing they bring along',
  )
  if (open.length > 0) notes.push(`these can be any version, so they are not judged: ${listed(open)}`)
  return installed.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ')
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown
}
