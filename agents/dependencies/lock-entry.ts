/** One installed package, link or folder of a lock file. */
import type { DependencyField } from './manifest.js'

/** What an installed package asks for. */
export interface Requirement {
  readonly key: string
  readonly spec: string
  readonly field: DependencyField
}

export interface LockEntry {
  readonly path: string
  /** JSON pointers of the entry; in a version 2 file the second is its place in the old tree. */
  readonly pointers: readonly string[]
  /** The name it is imported by: the last part of the path. */
  readonly key: string
  /** The package's own name. */
  readonly name: string
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  /** The folder a link leads to. */
  readonly target?: string
  readonly dev: boolean
  readonly optional: boolean
  readonly bundled: boolean
  readonly requires: readonly Requirement[]
}
