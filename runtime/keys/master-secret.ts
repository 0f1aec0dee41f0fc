/** The secret all derived keys come from, and the file it is kept in. */
import { hkdfSync } from 'node:crypto'
import { decodeBase64url } from '../encoding/base64url.js'
import { randomBytes } from '../encoding/random.js'
import { AgenticError } from '../errors.js'
import { createSecretFile, readSecretFile } from './secret-file.js'

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

/** Reads the secret as an environment variable or a secret manager hands it over.
 * @param text base64url of 32 bytes, 43 characters, without padding or white space
 * @throws AgenticError ERR_MASTER_SECRET_INVALID; neither message nor cause holds a part of the text */
export function masterSecretFromText(text: string): MasterSecret {
  let bytes: Uint8Array
  try {
    bytes = decodeBase64url(text)
  } catch {
    throw new AgenticError('ERR_MASTER_SECRET_INVALID', 'master secret: expected 32 bytes in base64url')
  }
  try {
    return masterSecretFrom(bytes)
  } finally {
    bytes.fill(0)
  }
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
    const secret = randomBytes(secretLength)
    createSecretFile(file, secret)
    secret.fill(0)
    const created = readSecret(file)
    if (created !== undefined) return created
  }
  throw new AgenticError('ERR_MASTER_SECRET_MISSING', 'master secret: there is no such file')
}

/** @returns undefined when there is no such file */
function readSecret(file: string): MasterSecret | undefined {
  const bytes = readSecretFile(file, 'master secret', secretLength)
  if (bytes === undefined) return undefined
  const secret = masterSecretFrom(bytes)
  bytes.fill(0)
  return secret
}
