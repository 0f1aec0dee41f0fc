/**
 * The port to an implementation of Ed25519 (RFC 8032, pure), and the test that each passes before it is used.
 * A backend may be lax about keys: public-key.ts lets only canonical points of large order reach it.
 */
import { AgenticError } from '../errors.js'

export type BackendName = 'sodium' | 'node' | 'noble'

/** An implementation of Ed25519. The functions it calls are taken when its module is loaded: agents' modules are
 * loaded before a program makes its first keyring, and may have patched what a backend would find then. */
export interface Ed25519Backend {
  readonly name: BackendName
  /** @param seed 32 bytes, copied: the caller may erase them afterwards */
  keyPair(seed: Uint8Array): Ed25519KeyPair
  /** Prepares a public key once, for many verifications.
   * @param publicKey 32 bytes, already checked
   * @returns a function that answers for a signature of exactly 64 bytes; S ≥ L is refused; never throws */
  verifier(publicKey: Uint8Array): (message: Uint8Array, signature: Uint8Array) => boolean
}

export interface Ed25519KeyPair {
  /** 32 bytes, computed from the seed. */
  readonly publicKey: Uint8Array
  /** @returns 64 bytes */
  readonly sign: (message: Uint8Array) => Uint8Array
}

/** RFC 8032 §7.1, TEST 1 to TEST 3: seed, public key, message, signature. */
const vectors = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
] as const

/** Runs the vectors, and a changed message, signature and S + L that must be refused.
 * @throws AgenticError ERR_CRYPTO_SELF_TEST */
export function selfTest(backend: Ed25519Backend): void {
  try {
    if (vectors.every((vector) => passes(backend, vector))) return
  } catch (cause) {
    throw failed(backend, { cause })
  }
  throw failed(backend)
}

function passes(backend: Ed25519Backend, vector: (typeof vectors)[number]): boolean {
  const message = Buffer.from(vector.message, 'hex')
  const { publicKey, sign } = backend.keyPair(Buffer.from(vector.seed, 'hex'))
  const signature = sign(message)
  const verify = backend.verifier(Buffer.from(vector.publicKey, 'hex'))
  return (
    hex(publicKey) === vector.publicKey &&
    hex(signature) === vector.signature &&
    verify(message, signature) &&
    !verify(Buffer.concat([message, Buffer.of(0)]), signature) &&
    !verify(message, withBitFlipped(signature)) &&
    !verify(message, withOrderAdded(signature))
  )
}

function failed(backend: Ed25519Backend, options?: ErrorOptions): AgenticError {
  return new AgenticError(
    'ERR_CRYPTO_SELF_TEST',
    `Ed25519 backend "${backend.name}" fails RFC 8032 §7.1`,
    options,
  )
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function withBitFlipped(signature: Uint8Array): Uint8Array {
  return signature.map((byte, index) => (index === 1 ? byte ^ 1 : byte))
}

/** L, the order of the base point, little-endian (RFC 8032 §5.1). */
const order = Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex')

/** The same signature with S + L for S: valid to a verifier that does not check the range of S. */
function withOrderAdded(signature: Uint8Array): Uint8Array {
  const changed = new Uint8Array(signature)
  let carry = 0
  for (let index = 0; index < 32; index++) {
    const sum = (signature[32 + index] ?? 0) + (order[index] ?? 0) + carry
    changed[32 + index] = sum & 0xff
    carry = sum >> 8
  }
  return changed
}
