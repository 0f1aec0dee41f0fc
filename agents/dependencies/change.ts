/** What a plan asks to be changed: small JSON values, so that an approval can show and bind the whole of it. */
import { createHash } from 'node:crypto'
import type { JsonValue } from '../../runtime/index.js'

/** One value of a JSON file. `null` means that the member is absent: `from: null` inserts, `to: null` removes. */
export interface JsonEdit {
  /** JSON pointer (RFC 6901) through objects only. */
  readonly pointer: string
  readonly from: JsonValue
  readonly to: JsonValue
}

/** All edits of one file. */
export interface FileChange {
  /** Relative to the project, `/` between segments. */
  readonly file: string
  /** `sha256:` and hex of the bytes the plan was made from. */
  readonly before: string
  /** `sha256:` and hex of the bytes that these edits make of them. */
  readonly after: string
  readonly edits: readonly JsonEdit[]
}

/** A file's digest as changes name it: `sha256:` and the hex SHA-256 of its bytes. */
export function fileDigest(content: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

/** A JSON pointer from member names. */
export function pointerTo(...keys: readonly string[]): string {
  return keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** The member names of a JSON pointer; undefined when it is none. */
export function keysOf(pointer: string): readonly string[] | undefined {
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return undefined
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}
