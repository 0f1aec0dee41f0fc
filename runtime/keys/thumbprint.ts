/** JWK thumbprints (RFC 7638 §3.2, RFC 8037 §2) and their URIs (RFC 9278). */
import { sha256Base64url } from '../encoding/digest.js'
import type { PublicJwk } from './public-jwk.js'

const uriPrefix = 'urn:ietf:params:oauth:jwk-thumbprint:sha-256:'

/** @returns base64url SHA-256 of the required members in lexical order, 43 characters: the `jkt` of RFC 9449 */
export function thumbprint(jwk: PublicJwk): string {
  // Written out, not canonicalized: the members are fixed, and coordinates are base64url, which needs no escapes.
  const y = jwk.kty === 'EC' ? `,"y":"${jwk.y}"` : ''
  return sha256Base64url(`{"crv":"${jwk.crv}","kty":"${jwk.kty}","x":"${jwk.x}"${y}}`)
}

/** The `iss` of a derived assertion (PROTOCOL 5.2). */
export function thumbprintUri(thumbprint: string): string {
  return uriPrefix + thumbprint
}
