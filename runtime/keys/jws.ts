/** Signing and verifying our own compact JWS (RFC 7515, RFC 9864): the hot path, small and strict. */
import { encodeBase64url } from '../encoding/base64url.js'
import { canonicalize, type JsonObject } from '../encoding/canonical-json.js'
import { type DecodedJws, decodeJws, type JwsRules } from '../encoding/compact-jws.js'
import { AgenticError } from '../errors.js'
import type { PublicJwk, PublicKey } from './public-key.js'
import type { SigningKey } from './signing-key.js'

export interface JwsHeaderToSign {
  readonly typ: string
  readonly kid?: string
  /** DPoP proofs only. */
  readonly jwk?: PublicJwk
}

/** Signs claims; header and payload are canonical JSON, `alg` is the key's.
 * @throws AgenticError ERR_JSON_NOT_CANONICAL when the claims hold what JSON cannot */
export function signJws(header: JwsHeaderToSign, claims: JsonObject, key: SigningKey): string {
  const { typ, kid, jwk } = header
  const members = {
    alg: key.publicKey.alg,
    typ,
    ...(kid !== undefined && { kid }),
    ...(jwk !== undefined && { jwk }),
  }
  const signingInput = `${encodeBase64url(canonicalize(members))}.${encodeBase64url(canonicalize(claims))}`
  return `${signingInput}.${encodeBase64url(key.sign(signingInput))}`
}

/** Passes a token through the gate and verifies its signature. Times, audience and issuer remain the caller's.
 * @throws AgenticError ERR_SIGNATURE_INVALID, and what `decodeJws` throws
 * @see PROTOCOL 4 */
export function verifyJws(token: string, key: PublicKey, rules: JwsRules): DecodedJws {
  const decoded = decodeJws(token, rules)
  verifyDecoded(decoded, key)
  return decoded
}

/** Verifies the signature of a token that has passed the gate.
 * @throws AgenticError ERR_ALG_REFUSED when the header names another algorithm than the key's, ERR_SIGNATURE_INVALID */
export function verifyDecoded(decoded: DecodedJws, key: PublicKey): void {
  if (decoded.header.alg !== key.alg) {
    throw new AgenticError('ERR_ALG_REFUSED', `protected header: expected "alg" to be the key's, ${key.alg}`)
  }
  // Not `!verify(…)`: the promise of a key that is somebody else's would count as yes.
  if (key.verify(decoded.signingInput, decoded.signature) !== true) {
    throw new AgenticError('ERR_SIGNATURE_INVALID', 'the signature is not this key’s over this token')
  }
}
