/**
 * The intent token: a short-lived `at+jwt` bound to an agent's key, to one step of one run and to the
 * user's intent (PROTOCOL 7).
 */
import type { Clock } from '../clock.js'
import { nowSeconds } from '../clock.js'
import { decodeJws } from '../encoding/compact-jws.js'
import { equalConstantTime } from '../encoding/digest.js'
import { newUuid } from '../encoding/uuid.js'
import { AgenticError } from '../errors.js'
import { signJws, verifyDecoded } from '../keys/jws.js'
import type { Keyring } from '../keys/keyring.js'
import type { PublicKey } from '../keys/public-key.js'
import type { SigningKey } from '../keys/signing-key.js'
import { checkTimes } from './times.js'
import { fromWire, type IntentTokenClaims, toWire } from './wire.js'

/** Longest and usual lifetime of an intent token, in seconds. */
export const maxIntentTokenSeconds = 600
export const defaultIntentTokenSeconds = 300

declare const verified: unique symbol
/** Made only by `verifyIntentToken`: signature, issuer, times and audience hold. */
export type VerifiedIntentToken = IntentTokenClaims & {
  /** The agent's key, checked; whoever presents the token must prove it. */
  readonly key: PublicKey
  readonly [verified]: true
}

/**
 * Signs an intent token.
 * @param claims everything but `jti`, `iat` and `exp`
 * @param ttlSeconds at most 600
 * @returns the compact JWS and its `jti` and `exp`
 */
export function mintIntentToken(
  claims: Omit<IntentTokenClaims, 'jti' | 'iat' | 'exp'>,
  authorityKey: SigningKey,
  options: { readonly clock: Clock; readonly ttlSeconds?: number },
): { readonly token: string; readonly jti: string; readonly exp: number } {
  const ttlSeconds = options.ttlSeconds ?? defaultIntentTokenSeconds
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > maxIntentTokenSeconds) {
    throw new TypeError(`ttlSeconds must be a whole number from 1 to ${maxIntentTokenSeconds}`)
  }
  const iat = nowSeconds(options.clock)
  const jti = newUuid(options.clock)
  const exp = iat + ttlSeconds
  const token = signJws(
    { typ: 'at+jwt', kid: authorityKey.publicKey.thumbprint },
    toWire(claims, { jti, iat, exp }),
    authorityKey,
  )
  return { token, jti, exp }
}

export interface IntentTokenRules {
  /** The authority that must have signed: its identifier and its keys. */
  readonly issuer: string
  readonly trustedKeys: readonly PublicKey[]
  /** This resource; compared whole. */
  readonly audience: string
  /** NumericDate, seconds. */
  readonly now: number
  readonly keyring: Keyring
}

/**
 * Verifies an intent token at a resource: encoding, signature and issuer, `typ`, times, audience, and
 * that `cnf` names one good key.
 * @throws AgenticError ERR_TOKEN_*, ERR_SIGNATURE_INVALID, ERR_TYP_MISMATCH, ERR_CLAIM_INVALID, ERR_KEY_*
 * @see RFC 9068 §4, RFC 8725
 */
export function verifyIntentToken(token: string, rules: IntentTokenRules): VerifiedIntentToken {
  const decoded = decodeJws(token, { typ: 'at+jwt' })
  verifyDecoded(decoded, trustedKey(decoded.header.kid, rules.trustedKeys))
  const claims = fromWire(decoded.claims)
  if (claims.iss !== rules.issuer) {
    throw new AgenticError('ERR_TOKEN_ISSUER', '"iss" must be the authority this resource trusts')
  }
  checkTimes(claims, rules.now, maxIntentTokenSeconds)
  if (claims.aud !== rules.audience) {
    throw new AgenticError('ERR_TOKEN_AUDIENCE', '"aud" must name this resource')
  }
  const key = rules.keyring.publicKey(claims.cnf.jwk)
  if (!equalConstantTime(key.thumbprint, claims.cnf.jkt)) {
    throw new AgenticError('ERR_CLAIM_INVALID', '"cnf" must hold one key: "jkt" and "jwk" differ')
  }
  return { ...claims, key } as VerifiedIntentToken
}

/** The signer is found by `kid` among the keys the verifier trusts; a key in the token is never used. */
export function trustedKey(kid: string | undefined, trustedKeys: readonly PublicKey[]): PublicKey {
  const key = trustedKeys.find((candidate) => candidate.thumbprint === kid)
  if (!key)
    throw new AgenticError('ERR_SIGNATURE_INVALID', 'the signature does not verify under a trusted key')
  return key
}
