/** Where keys are made and read: implementations tested before use, and a bounded cache of checked public keys. */

import { randomBytes } from '../encoding/random.js'
import { AgenticError } from '../errors.js'
import { nobleBackend } from './backend-noble.js'
import { nodeBackend } from './backend-node.js'
import { sodiumBackend } from './backend-sodium.js'
import { type BackendName, type Ed25519Backend, selfTest } from './ed25519.js'
import { es256KeyOfScalar, es256PublicKey, es256SelfTest, es256SigningKey } from './es256.js'
import { nodeP256, type P256Ecdsa } from './es256-node.js'
import { parsePrivateJwk, requireSamePoint } from './private-jwk.js'
import { algorithmOf, parsePublicJwk } from './public-jwk.js'
import { type Ed25519PublicKey, type Es256PublicKey, ed25519PublicKey, type PublicKey } from './public-key.js'
import { type SigningKey, signingKeyFromSeed } from './signing-key.js'

export interface Keyring {
  /** What computes Ed25519. ES256 is always node:crypto's. */
  readonly backend: BackendName
  /** A new random Ed25519 key. */
  generate(): SigningKey<Ed25519PublicKey>
  /** @param seed 32 bytes, copied; TypeError for another length */
  fromSeed(seed: Uint8Array): SigningKey<Ed25519PublicKey>
  /** An ES256 key, for an authority.
   * @param seed 48 bytes, copied; TypeError for another length */
  es256FromSeed(seed: Uint8Array): SigningKey<Es256PublicKey>
  /** Reads a private JWK from outside, Ed25519 or ES256; there is no way back.
   * @throws AgenticError ERR_KEY_INVALID, ERR_KEY_PAIR_MISMATCH when `x` (or `y`) is another key's */
  fromPrivateJwk(jwk: unknown): SigningKey
  /** Reads a JWK from outside that an agent may have: Ed25519 alone. The point is checked once and kept, least
   * recently used out first.
   * @throws AgenticError ERR_KEY_INVALID, ERR_KEY_SMALL_ORDER */
  publicKey(jwk: unknown): Ed25519PublicKey
  /** Reads a JWK from outside that an issuer may have: Ed25519 or ES256.
   * @throws AgenticError ERR_KEY_INVALID, ERR_KEY_SMALL_ORDER */
  verificationKey(jwk: unknown): PublicKey
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
  let tested: P256Ecdsa | undefined
  /** Made when it is first asked for: most runtimes never see an ES256 key. */
  const es256 = () => {
    if (tested === undefined) {
      const ecdsa = nodeP256()
      es256SelfTest(ecdsa)
      tested = ecdsa
    }
    return tested
  }
  const ed25519Keys = leastRecentlyUsed<Ed25519PublicKey>(maxKeys)
  const es256Keys = leastRecentlyUsed<Es256PublicKey>(maxKeys)

  const publicKey = (jwk: unknown): Ed25519PublicKey => {
    const parsed = parsePublicJwk(jwk, 'Ed25519')
    return ed25519Keys(parsed.x, () => ed25519PublicKey(parsed, backend))
  }
  return Object.freeze<Keyring>({
    backend: backend.name,
    generate() {
      const seed = randomBytes(32)
      const key = signingKeyFromSeed(seed, backend)
      seed.fill(0)
      return key
    },
    fromSeed: (seed) => signingKeyFromSeed(seed, backend),
    es256FromSeed: (seed) => es256SigningKey(seed, es256()),
    fromPrivateJwk(jwk) {
      const { algorithm, publicJwk, d } = parsePrivateJwk(jwk)
      try {
        const key = algorithm === 'ES256' ? es256KeyOfScalar(d, es256()) : signingKeyFromSeed(d, backend)
        requireSamePoint(publicJwk, key.publicKey.jwk)
        return key
      } finally {
        d.fill(0)
      }
    },
    publicKey,
    verificationKey(jwk) {
      if (algorithmOf(jwk) === 'Ed25519') return publicKey(jwk)
      const parsed = parsePublicJwk(jwk, 'ES256')
      return es256Keys(`${parsed.x}.${parsed.y}`, () => es256PublicKey(parsed, es256()))
    },
  })
}

/** @returns a function that finds the value of a name, or makes and keeps it */
function leastRecentlyUsed<Value>(max: number): (name: string, make: () => Value) => Value {
  const kept = new Map<string, Value>()
  return (name, make) => {
    const value = kept.get(name) ?? make()
    kept.delete(name) // and to the end again: a Map keeps the order of insertion
    kept.set(name, value)
    if (kept.size > max) {
      for (const oldest of kept.keys()) {
        kept.delete(oldest)
        break
      }
    }
    return value
  }
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
