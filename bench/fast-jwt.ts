/** fast-jwt as a contender: synchronous, on node:crypto, its cache of verified tokens off. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createSigner, createVerifier } from 'fast-jwt'

export interface FastJwtPair {
  readonly publicKey: KeyObject
  /** @returns a compact JWS whose header says `EdDSA`: the name `Ed25519` (RFC 9864) it refuses */
  readonly sign: (claims: object) => string
  /** Checks the signature and what times there are. */
  readonly verify: (token: string) => unknown
}

/** A new key pair, and what signs and verifies with it. */
export function fastJwtPair(header: { readonly typ: string; readonly jwk?: object }): FastJwtPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    publicKey,
    sign: createSigner({
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      algorithm: 'EdDSA',
      header: { alg: 'EdDSA', ...header },
      noTimestamp: true,
    }),
    verify: createVerifier({
      key: publicKey.export({ type: 'spki', format: 'pem' }) as string,
      algorithms: ['EdDSA'],
      cache: false,
    }),
  }
}
