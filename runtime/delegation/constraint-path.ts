/**
 * Extension `path_containment` {`root`}: the argument is a path at or below a root. Nothing is resolved:
 * a path that would need resolving is refused, so that the text checked is the text used. Links are not
 * seen here; a tool that opens files also compares the real path of what it opened (PROTOCOL 5.4).
 */
import { AgenticError } from '../errors.js'

/** @throws AgenticError ERR_CONSTRAINT_INVALID unless it is a plain absolute path */
export function parsePathRoot(root: unknown): string {
  if (isPlainPath(root)) return root
  throw new AgenticError('ERR_CONSTRAINT_INVALID', 'path_containment: "root" must be a plain absolute path')
}

/** True when the path is plain and is the root or below it, segment by segment, bytewise. */
export function isPathWithin(path: unknown, root: string): path is string {
  return isPlainPath(path) && startsWithSegments(path, root)
}

/** True when whole segments of `path` begin with those of `root`; both start with `/`, and only `/` ends with it. */
export function startsWithSegments(path: string, root: string): boolean {
  return root === '/' || path === root || path.startsWith(`${root}/`)
}

/** True for `/` and for `/`-separated, NFC, without NUL, `\`, and segments that are empty, `.` or `..`. */
export function isPlainPath(path: unknown): path is string {
  if (typeof path !== 'string' || !path.startsWith('/')) return false
  if (path === '/') return true
  if (path.includes('\0') || path.includes('\\') || path !== path.normalize('NFC')) return false
  return path
    .slice(1)
    .split('/')
    .every((segment) => segment !== '' && segment !== '.' && segment !== '..')
}
