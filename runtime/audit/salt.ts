/**
 * Digests of payloads for the log. A plain digest of a short personal value can be guessed from a list of
 * candidates; keyed with a salt of the execution it cannot, and once the salt is erased with the payload the
 * log says nothing about it any more, though every hash in it still holds (PROTOCOL 16).
 */
import { createHmac } from 'node:crypto'
import { canonicalize, type JsonValue } from '../encoding/canonical-json.js'
import { randomBytes } from '../encoding/random.js'

export interface SaltedDigests {
  /** A salt for one execution, 32 random bytes. The caller keeps it beside the payloads and erases both. */
  newSalt(): Uint8Array
  /** `hmac-sha256:` and the hex HMAC-SHA256 of the value's canonical JSON under the salt.
   * @param salt at least 16 bytes
   * @throws TypeError for a short salt; AgenticError ERR_JSON_NOT_CANONICAL */
  payloadDigest(salt: Uint8Array, value: JsonValue): string
}

/** @param options.random returns that many random bytes */
export function createSaltedDigests(options: { random?: (bytes: number) => Uint8Array } = {}): SaltedDigests {
  const random = options.random ?? randomBytes
  const hmac = createHmac
  return Object.freeze({
    newSalt: () => new Uint8Array(random(32)),
    payloadDigest(salt: Uint8Array, value: JsonValue) {
      if (!(salt instanceof Uint8Array) || salt.length < 16)
        throw new TypeError('a salt has at least 16 bytes')
      return `hmac-sha256:${hmac('sha256', salt).update(canonicalize(value)).digest('hex')}`
    },
  })
}
