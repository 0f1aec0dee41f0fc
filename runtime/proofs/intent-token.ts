/** Intent tokens, for a program without a runtime: what it mints can be read, and what it verifies is proven. */
import { type Clock, systemClock } from '../clock.js'
import { decodeJws } from '../encoding/compact-jws.js'
import { deepFreeze } from '../identity/frozen-json.js'
import type { Keyring } from '../keys/keyring.js'
import type { SigningKey } from '../keys/signing-key.js'
import { isSameScope } from '../tokens/claims.js'
import {
  defaultIntentTokenSeconds,
  type IntentTokenRules,
  mintIntentToken as mint,
  type VerifiedIntentToken,
  verifyIntentToken as verify,
} from '../tokens/intent-token.js'
import { fromWire, type Intent, type IntentTokenClaims } from '../tokens/wire.js'
import { defaultKeyring, type TrustedKeys, trustedKeysOf } from './defaults.js'
import { ownMembers, requireText, secondsOf } from './rules.js'

/** Everything an intent token says but what its minting adds. */
export type IntentTokenRequest = Omit<IntentTokenClaims, 'jti' | 'iat' | 'exp'>

export interface MintOptions {
  /** 1 to 600, default 300. */
  readonly ttlSeconds?: number
  readonly clock?: Clock
}

/** Signs an intent token (`at+jwt`).
 * @returns the compact JWS, its `jti`, and its `exp` in seconds
 * @throws AgenticError ERR_CLAIM_INVALID, ERR_KEY_*, ERR_TOKEN_* when no verifier would read it
 * @throws TypeError for a lifetime out of bounds, or a scope that would be read as several
 * @see PROTOCOL 7
 */
export function mintIntentToken(
  claims: IntentTokenRequest,
  authorityKey: SigningKey,
  options: MintOptions = {},
): { readonly token: string; readonly jti: string; readonly exp: number } {
  const { clock = systemClock, ttlSeconds = defaultIntentTokenSeconds } = ownMembers(options, 'options')
  const minted = mint(claims, authorityKey, { clock, ttlSeconds })
  const read = fromWire(decodeJws(minted.token, { typ: 'at+jwt' }).claims)
  if (!isSameScope(read.scope, claims.scope)) throw new TypeError('scope: expected scope tokens')
  if (defaultKeyring().publicKey(read.cnf.jwk).thumbprint !== read.cnf.jkt)
    throw new TypeError('cnf: expected "jkt" to be the thumbprint of "jwk"')
  return minted
}

export type VerifyIntentTokenRules = Pick<IntentTokenRules, 'issuer' | 'audience'> & {
  readonly trustedKeys: TrustedKeys
  /** NumericDate, seconds; default the system's clock. */
  readonly now?: number
  readonly keyring?: Keyring
}

/** Verifies encoding, signature and issuer, `typ`, times, audience, and that `cnf` names one good key. Whoever presents
 * the token has yet to prove that key. A token with `intent.approval` opens that tool with those arguments, once:
 * whether it does is for the caller to check, and to remember.
 * @returns the claims, frozen through and through
 * @throws AgenticError ERR_TOKEN_*, ERR_SIGNATURE_INVALID, ERR_TYP_MISMATCH, ERR_CLAIM_INVALID, ERR_KEY_*
 * @throws TypeError when a rule is missing
 * @see PROTOCOL 7, RFC 9068 §4
 */
export function verifyIntentToken(token: string, rules: VerifyIntentTokenRules): VerifiedIntentToken {
  const own = ownMembers(rules, 'rules')
  const { issuer, audience, keyring = defaultKeyring() } = own
  requireText(issuer, 'issuer')
  requireText(audience, 'audience')
  const trustedKeys = trustedKeysOf(own.trustedKeys, keyring)
  const verified = verify(token, { issuer, audience, trustedKeys, now: secondsOf(own.now), keyring })
  // Without a prototype: an approval that is absent stays absent, whatever `Object.prototype` was made to hold.
  const intent = Object.assign(Object.create(null) as Intent, verified.intent)
  return deepFreeze({ ...verified, intent })
}
