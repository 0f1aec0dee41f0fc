/** Files that only their owner may read: a master secret, what it is wrapped with, an agent's own key. Synchronous:
 * they are read once, at start. */
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
import { randomBytes } from '../encoding/random.js'
import { AgenticError } from '../errors.js'

/** What a file holds: its name in messages, and the codes of its refusals. */
const kinds = {
  'master secret': { exposed: 'ERR_MASTER_SECRET_EXPOSED', invalid: 'ERR_MASTER_SECRET_INVALID' },
  'wrapped master secret': { exposed: 'ERR_MASTER_SECRET_EXPOSED', invalid: 'ERR_MASTER_SECRET_INVALID' },
  'wrapping key': { exposed: 'ERR_MASTER_SECRET_EXPOSED', invalid: 'ERR_MASTER_SECRET_INVALID' },
  'agent key': { exposed: 'ERR_KEY_FILE_EXPOSED', invalid: 'ERR_KEY_FILE_INVALID' },
} as const

export type SecretFileKind = keyof typeof kinds

/** Reads a file whose owner alone has a right to it.
 * @param what it holds
 * @param maxLength longest content in bytes; of a longer one a byte more is returned, for the caller to refuse
 * @returns undefined when there is no such file
 * @throws AgenticError ERR_MASTER_SECRET_EXPOSED or ERR_KEY_FILE_EXPOSED (group or others have a right to it, or it
 *   belongs to another user), ERR_MASTER_SECRET_INVALID or ERR_KEY_FILE_INVALID (a link, or no regular file) */
export function readSecretFile(
  file: string,
  what: SecretFileKind,
  maxLength: number,
): Uint8Array | undefined {
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
    throw new AgenticError(kinds[what].invalid, `${what}: expected a readable regular file`, {
      cause,
    })
  }
  try {
    // Of the open file, not of the name: nothing can be exchanged between the check and the reading.
    requirePrivate(descriptor, what)
    const bytes = Buffer.alloc(maxLength + 1)
    const length = readSync(descriptor, bytes, 0, bytes.length, 0)
    const content = new Uint8Array(bytes.subarray(0, length))
    bytes.fill(0)
    return content
  } finally {
    closeSync(descriptor)
  }
}

function requirePrivate(descriptor: number, what: SecretFileKind): void {
  const stat = fstatSync(descriptor)
  if (!stat.isFile()) throw new AgenticError(kinds[what].invalid, `${what}: expected a regular file`)
  const user = process.geteuid?.()
  if (user === undefined) return // Windows has neither modes nor user ids: its access lists are not checked
  if ((stat.mode & 0o077) !== 0) {
    throw new AgenticError(kinds[what].exposed, `${what}: expected mode 0600, others have rights to the file`)
  }
  if (stat.uid !== user) {
    throw new AgenticError(kinds[what].exposed, `${what}: the file belongs to another user`)
  }
}

/** Writes a new file beside and links it into place, mode 0600 and durable; an existing file is never replaced, so
 * that of several who try at once one wins: read it afterwards. */
export function createSecretFile(file: string, content: Uint8Array): void {
  const beside = `${file}.${randomBytes(8).toString('hex')}.new`
  try {
    const descriptor = openSync(beside, 'wx', 0o600)
    try {
      fchmodSync(descriptor, 0o600) // whatever the umask
      writeSync(descriptor, content)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    linkSync(beside, file)
  } catch (cause) {
    // Another process was first: what it wrote counts.
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
  } finally {
    rmSync(beside, { force: true })
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
