/** What a package.json declares. */
import { AgenticError, type JsonObject } from '../../runtime/index.js'
import { parseJsonFile } from './json-text.js'
import { isObject, member, objectOf, textOf, textsOf } from './shape.js'

export type DependencyField = 'dependencies' | 'devDependencies' | 'optionalDependencies' | 'peerDependencies'

export const dependencyFields: readonly DependencyField[] = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
]

export interface Declaration {
  readonly field: DependencyField
  /** The name it is imported by: the package's own, or an alias. */
  readonly key: string
  readonly spec: string
}

export interface Manifest {
  /** Relative path, e.g. `packages/x/package.json`. */
  readonly file: string
  /** The folder as lock files name it: `` for the root, else `packages/x`. */
  readonly folder: string
  readonly name?: string
  readonly declared: readonly Declaration[]
  /** npm's `overrides`; they count in the root manifest only. */
  readonly overrides?: JsonObject
  /** Workspace patterns, as written. */
  readonly workspaces: readonly string[]
}

/** Reads a manifest. A missing name or version is no mistake: a private project needs neither.
 * @throws AgenticError ERR_TOOL_FAILED naming the file and the wrong member */
export function parseManifest(file: string, text: string): Manifest {
  const json = parseJsonFile(file, text)
  const name = textOf(json, 'name', file)
  textOf(json, 'version', file)
  const declared = dependencyFields.flatMap((field) =>
    textsOf(json, field, file).map(([key, spec]) => ({ field, key, spec })),
  )
  const folder = file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : ''
  const overrides = objectOf(json, 'overrides', file)
  return {
    file,
    folder,
    declared,
    workspaces: patternsOf(json, file),
    ...(overrides === undefined ? {} : { overrides }),
    ...(name === undefined ? {} : { name }),
  }
}

function patternsOf(json: JsonObject, file: string): readonly string[] {
  const value = member(json, 'workspaces')
  if (value === undefined) return []
  const patterns = isObject(value) ? (member(value, 'packages') ?? []) : value
  if (!Array.isArray(patterns) || !patterns.every((pattern) => typeof pattern === 'string')) {
    throw new AgenticError('ERR_TOOL_FAILED', `${file}: "workspaces" must be an array of strings`)
  }
  return patterns as readonly string[]
}
