/**
 * Where a master secret comes from when it is neither in a plain file nor in the environment: a hook for a key
 * management service, and a sample of one on files. The service holds a key that never leaves it; beside the runtime
 * lies only the secret wrapped under that key.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { randomBytes } from '../encoding/random.js'
import { AgenticError, isAgenticError } from '../errors.js'
import { type MasterSecret, masterSecretFrom } from './master-secret.js'
import { createSecretFile, readSecretFile } from './secret-file.js'

/** The hook. Asked once, when a runtime starts; it does not start without an answer. */
export interface MasterSecretSource {
  /** @returns the same secret every time: other keys are derived from another one, and no agent is known by them */
  load(): Promise<MasterSecret>
}

/** What a key management service does for a runtime; each call may go over the network. */
export interface KeyWrapper {
  /** @param secret 32 bytes; not kept
   * @returns at most 8 KiB that only `unwrap` can read */
  wrap(secret: Uint8Array): Promise<Uint8Array>
  /** @throws when it was not wrapped here, or was changed since */
  unwrap(wrapped: Uint8Array): Promise<Uint8Array>
}

const maxWrappedLength = 8192

/** A secret that lies wrapped in a file of mode 0600.
 * @param options.create wrap a new random secret when there is no such file; of several who try at once one wins
 * @returns a source that throws AgenticError ERR_MASTER_SECRET_MISSING, ERR_MASTER_SECRET_EXPOSED,
 *   ERR_MASTER_SECRET_INVALID, ERR_MASTER_SECRET_UNWRAP (the service refused, or the file is none of its own) */
export function wrappedMasterSecret(options: {
  readonly file: string
  readonly wrapper: KeyWrapper
  readonly create: boolean
}): MasterSecretSource {
  const { file, wrapper, create } = options
  const read = () => readSecretFile(file, 'wrapped master secret', maxWrappedLength)
  return Object.freeze<MasterSecretSource>({
    async load() {
      let wrapped = read()
      if (wrapped === undefined && create) {
        createSecretFile(file, await wrapNew(wrapper))
        wrapped = read()
      }
      if (wrapped === undefined)
        throw new AgenticError('ERR_MASTER_SECRET_MISSING', 'wrapped master secret: there is no such file')
      return unwrapped(wrapped, wrapper)
    },
  })
}

async function wrapNew(wrapper: KeyWrapper): Promise<Uint8Array> {
  const secret = randomBytes(32)
  try {
    const wrapped = await wrapper.wrap(secret)
    if (wrapped.length > maxWrappedLength)
      throw new TypeError(`wrap: expected at most ${maxWrappedLength} bytes`)
    return wrapped
  } finally {
    secret.fill(0)
  }
}

async function unwrapped(wrapped: Uint8Array, wrapper: KeyWrapper): Promise<MasterSecret> {
  let secret: Uint8Array
  try {
    secret = await wrapper.unwrap(wrapped)
  } catch (cause) {
    if (isAgenticError(cause)) throw cause
    throw new AgenticError('ERR_MASTER_SECRET_UNWRAP', 'wrapped master secret: it could not be unwrapped', {
      cause,
    })
  }
  try {
    return masterSecretFrom(secret)
  } finally {
    secret.fill(0)
  }
}

/** Of a wrapped secret: version, nonce, ciphertext, tag. Bound to its use, so that nothing else unwraps as a secret. */
const [version, nonceLength, tagLength] = [1, 12, 16]
const wrappedLength = 1 + nonceLength + 32 + tagLength
const context = Buffer.from('baton-runtime wrapped master secret v1')

/** A sample of the hook: AES-256-GCM under a key in a file of its own, 32 bytes of mode 0600, that belongs on other
 * storage than what it wraps. A backup of the one is then worth nothing without the other; to who reads both files
 * this is no more than the plain file.
 * @param options.create make the key when something is to be wrapped and there is none */
export function fileKeyWrapper(keyFile: string, options: { readonly create: boolean }): KeyWrapper {
  const readKey = (): Uint8Array | undefined => {
    const key = readSecretFile(keyFile, 'wrapping key', 32)
    if (key !== undefined && key.length !== 32)
      throw new AgenticError('ERR_MASTER_SECRET_INVALID', 'wrapping key: expected 32 bytes')
    return key
  }
  const requireKey = (): Uint8Array => {
    const key = readKey()
    if (key === undefined)
      throw new AgenticError('ERR_MASTER_SECRET_MISSING', 'wrapping key: there is no such file')
    return key
  }
  return Object.freeze<KeyWrapper>({
    async wrap(secret) {
      if (options.create && readKey() === undefined) createSecretFile(keyFile, randomBytes(32))
      const key = requireKey()
      const nonce = randomBytes(nonceLength)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(context)
      const sealed = Buffer.concat([cipher.update(secret), cipher.final(), cipher.getAuthTag()])
      key.fill(0)
      return Buffer.concat([Buffer.of(version), nonce, sealed])
    },
    async unwrap(wrapped) {
      if (wrapped.length !== wrappedLength || wrapped[0] !== version)
        throw new AgenticError('ERR_MASTER_SECRET_UNWRAP', `expected ${wrappedLength} bytes of version 1`)
      const key = requireKey()
      const nonce = wrapped.subarray(1, 1 + nonceLength)
      const decipher = createDecipheriv('aes-256-gcm', key, nonce)
      decipher.setAAD(context).setAuthTag(wrapped.subarray(-tagLength))
      try {
        return Buffer.concat([
          decipher.update(wrapped.subarray(1 + nonceLength, -tagLength)),
          decipher.final(),
        ])
      } finally {
        key.fill(0)
      }
    },
  })
}
