/** The secret all derived keys come from, and the file it is kept in. */
import { hkdfSync, randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { AgenticError } from '../errors.js'

const secretLength = 32
const salt = 'baton-runtime agent key v1'
const expandBytes = hkdfSync

/** Opaque and frozen: it has nothing to print. */
export interface MasterSecret {
  /** HKDF-SHA256 (RFC 5869) with a fixed salt.
   * @param info what the bytes are for; two uses never share one
   * @param length bytes, 1 to 8160; default 32 */
  expand(info: string, length?: number): Uint8Array
}

/** @param bytes 32 bytes, copied
 * @throws AgenticError ERR_MASTER_SECRET_INVALID for another length */
export function masterSecretFrom(bytes: Uint8Array): MasterSecret {
  if (!(bytes instanceof Uint8Array) || bytes.length !== secretLength) {
    throw new AgenticError('ERR_MASTER_SECRET_INVALID', `master secret: expected ${secretLength} bytes`)
  }
  const secret = Buffer.alloc(secretLength, bytes)
  return Object.freeze<MasterSecret>({
    expand(info, length = 32) {
      return new Uint8Array(expandBytes('sha256', secret, salt, info, length))
    },
  })
}

/** Reads the secret's file, 32 raw bytes readable by its owner alone. Synchronous: it runs once, at start.
 * @param options.create make it when there is none; of several who try at once one wins and all get its secret
 * @throws AgenticError ERR_MASTER_SECRET_MISSING, ERR_MASTER_SECRET_EXPOSED (group or others have a right to it,
 *   or it belongs to another user), ERR_MASTER_SECRET_INVALID (a link, no regular file, or not 32 bytes)
 * @see PROTOCOL 3
 */
export function loadMasterSecret(file: string, options: { readonly create: boolean }): MasterSecret {
  const found = readSecret(file)
  if (found !== undefined) return found
  if (options.create) {
    createSecret(file)
    const created = readSecret(file)
    if (created !== undefined) return created
  }
  throw new AgenticError('ERR_MASTER_SECRET_MISSING', 'master secret: there is no such file')
}

/** @returns undefined when there is no such file */
function readSecret(file: string): MasterSecret | undefined {
  let descriptor: number
  try {
    // Not through a link, and not waiting for the other end of a pipe. (Windows knows neither flag: there they are 0.)
    descriptor = openSync(
      file,
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    )
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new AgenticError('ERR_MASTER_SECRET_INVALID', 'master secret: expected a readable regular file', {
      cause,
    })
  }
  try {
    // Of the open file, not of the name: nothing can be exchanged between the check and the reading.
    requirePrivate(descriptor)
    const bytes = Buffer.alloc(secretLength + 1)
    const length = readSync(descriptor, bytes, 0, bytes.length, 0)
    const secret = masterSecretFrom(bytes.subarray(0, length))
    bytes.fill(0)
    return secret
  } finally {
    closeSync(descriptor)
  }
}

function requirePrivate(descriptor: number): void {
  const stat = fstatSync(descriptor)
  if (!stat.isFile())
    throw new AgenticError('ERR_MASTER_SECRET_INVALID', 'master secret: expected a regular file')
  const user = process.geteuid?.()
  if (user === undefined) return // Windows has neither modes nor user ids: its access lists are not checked
  if ((stat.mode & 0o077) !== 0) {
    throw new AgenticError(
      'ERR_MASTER_SECRET_EXPOSED',
      'master secret: expected mode 0600, others have rights to the file',
    )
  }
  if (stat.uid !== user) {
    throw new AgenticError('ERR_MASTER_SECRET_EXPOSED', 'master secret: the file belongs to another user')
  }
}

/** Writes a new secret beside the file and links it into place; an existing file is never replaced. */
function createSecret(file: string): void {
  const secret = randomBytes(secretLength)
  const beside = `${file}.${randomBytes(8).toString('hex')}.new`
  try {
    const descriptor = openSync(beside, 'wx', 0o600)
    try {
      fchmodSync(descriptor, 0o600) // whatever the umask
      writeSync(descriptor, secret)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    linkSync(beside, file)
  } catch (cause) {
    // Another process was first: its secret is the secret.
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
  } finally {
    rmSync(beside, { force: true })
    secret.fill(0)
  }
  syncDirectory(dirname(file))
}

/** So that the name, too, outlives a power failure. */
function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return // directories cannot be opened there
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
