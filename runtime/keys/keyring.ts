/** Where keys are made and read: one Ed25519 backend, tested before use, and a bounded cache of checked public keys. */
import { randomBytes } from 'node:crypto'
import { AgenticError } from '../errors.js'
import { nobleBackend } from './backend-noble.js'
import { nodeBackend } from './backend-node.js'
import { sodiumBackend } from './backend-sodium.js'
import { type BackendName, type Ed25519Backend, selfTest } from './ed25519.js'
import { parsePublicJwk } from './public-jwk.js'
import { type PublicKey, publicKeyAt } from './public-key.js'
import { type SigningKey, signingKeyFromSeed } from './signing-key.js'

export interface Keyring {
  readonly backend: BackendName
  /** A new random key. */
  generate(): SigningKey
  /** @param seed 32 bytes, copied; TypeError for another length */
  fromSeed(seed: Uint8Array): SigningKey
  /** Reads a JWK from outside. The point is checked once and kept, least recently used out first.
   * @throws AgenticError ERR_KEY_INVALID, ERR_KEY_SMALL_ORDER */
  publicKey(jwk: unknown): PublicKey
}

export interface KeyringOptions {
  /** Default: the first that loads of sodium, node, noble. */
  readonly backend?: BackendName
  /** How many checked public keys are kept; default 1024. */
  readonly maxKeys?: number
}

/** @throws AgenticError ERR_CRYPTO_SELF_TEST when the backend is not there or computes wrongly: a backend that
 *   loads and fails is not passed over, since then something has changed it */
export function createKeyring(options: KeyringOptions = {}): Keyring {
  const { maxKeys = 1024 } = options
  if (!Number.isSafeInteger(maxKeys) || maxKeys < 1)
    throw new TypeError('maxKeys: expected a positive integer')
  const backend = selectBackend(options.backend)
  selfTest(backend)
  const random = randomBytes
  const checked = new Map<string, PublicKey>()

  return Object.freeze<Keyring>({
    backend: backend.name,
    generate() {
      const seed = random(32)
      const key = signingKeyFromSeed(seed, backend)
      seed.fill(0)
      return key
    },
    fromSeed: (seed) => signingKeyFromSeed(seed, backend),
    publicKey(jwk) {
      const x = parsePublicJwk(jwk)
      const key = checked.get(x) ?? publicKeyAt(x, backend)
      checked.delete(x) // and to the end again: a Map keeps the order of insertion
      checked.set(x, key)
      if (checked.size > maxKeys) {
        for (const oldest of checked.keys()) {
          checked.delete(oldest)
          break
        }
      }
      return key
    },
  })
}

const backends: Record<BackendName, () => Ed25519Backend | undefined> = {
  sodium: sodiumBackend,
  node: nodeBackend,
  noble: nobleBackend,
}

function selectBackend(name: BackendName | undefined): Ed25519Backend {
  if (name === undefined) return sodiumBackend() ?? nodeBackend() ?? nobleBackend()
  if (!Object.hasOwn(backends, name)) throw new TypeError('backend: expected sodium, node or noble')
  const backend = backends[name]()
  if (backend !== undefined) return backend
  throw new AgenticError('ERR_CRYPTO_SELF_TEST', `Ed25519 backend "${name}" is not available here`)
}
