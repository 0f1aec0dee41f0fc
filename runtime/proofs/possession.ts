/** Proofs of possession, for a program without a runtime: over an HTTP request (DPoP), or over a tool's invocation. */
import { type Clock, systemClock } from '../clock.js'
import type { JsonObject } from '../encoding/canonical-json.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { frozenJson } from '../identity/frozen-json.js'
import type { Keyring } from '../keys/keyring.js'
import type { PublicKey } from '../keys/public-key.js'
import type { SigningKey } from '../keys/signing-key.js'
import {
  type BoundRequest,
  createDpopProof as createDpop,
  type DpopProofRequest,
  type DpopProofRules,
  type VerifiedDpopProof,
  verifyDpopProof as verifyDpop,
} from '../tokens/dpop-proof.js'
import {
  createInvocationProof as createInvocation,
  type InvocationProofRequest,
  type InvocationProofRules,
  verifyInvocationProof as verifyInvocation,
} from '../tokens/invocation-proof.js'
import type { SingleUse } from '../tokens/single-use.js'
import { defaultKeyring } from './defaults.js'
import { isGiven, isPublicKey, ownMembers, requireText, secondsOf } from './rules.js'

export interface ProofOptions {
  readonly clock?: Clock
}

/** Proves the key of a token over exactly one HTTP request.
 * @returns compact `dpop+jwt`
 * @throws TypeError for a `request` that is not whole (an absent query or content type is the empty text), an ordinal
 *   that is no count, or anything else that is no text
 * @see PROTOCOL 8, RFC 9449 */
export function createDpopProof(
  request: DpopProofRequest,
  key: SigningKey,
  options: ProofOptions = {},
): string {
  const { clock = systemClock } = ownMembers(options, 'options')
  const own = ownMembers(request, 'request')
  requireText(own.method, 'method')
  requireText(own.url, 'url')
  if (own.accessToken !== undefined) requireText(own.accessToken, 'accessToken')
  if (own.nonce !== undefined) requireText(own.nonce, 'nonce')
  requireOrdinal(own.ordinal)
  if (own.request === undefined) return createDpop(own, key, { clock })
  return createDpop(ownMembers({ ...own, request: boundRequest(own.request) }, 'request'), key, { clock })
}

/** A token counts only with its key, so that a proof by whoever found the token is none.
 * `now` in NumericDate seconds; default the system's clock. */
export type VerifyDpopProofRules = Omit<DpopProofRules, 'now' | 'keyring' | 'accessToken' | 'key'> & {
  readonly now?: number
  readonly keyring?: Keyring
} & (
    | { readonly accessToken: string; readonly key: PublicKey }
    | { readonly accessToken?: never; readonly key?: PublicKey }
  )

/** Verifies a proof in the order of RFC 9449 §4.3, and spends it: await it before anything else is done.
 * - A resource gives `accessToken` and the `key` of the token as verified, and `request` wherever a query or a body
 *   counts: without `request`, who sees a proof can send it on with another body.
 * - A token endpoint gives no `accessToken`, and a `key` only where one is registered. Without a `key` any key
 *   passes, and the result says which it was.
 * - A rule that is left out is not checked. One that is given and undefined was forgotten, and is a TypeError.
 * @throws AgenticError ERR_PROOF_*, ERR_SIGNATURE_INVALID, ERR_KEY_*, ERR_REPLAY_STORE, or the codes of the gate
 * @throws TypeError when the rules are none that could hold */
export async function verifyDpopProof(
  proof: string,
  rules: VerifyDpopProofRules,
): Promise<VerifiedDpopProof> {
  const own = ownMembers(rules, 'rules')
  const { method, url, accessToken, key, request, nonces, singleUse, keyring = defaultKeyring() } = own
  requireText(method, 'method')
  requireText(url, 'url')
  if (isGiven(own, 'accessToken')) requireText(accessToken, 'accessToken')
  if (isGiven(own, 'key') || isGiven(own, 'accessToken')) requireKey(key)
  if (isGiven(own, 'nonces') && typeof nonces?.accepts !== 'function')
    throw new TypeError('nonces: expected what createDpopNonces makes')
  requireSingleUse(singleUse)
  const bound = isGiven(own, 'request') && { request: boundRequest(request) }
  // Still without a prototype: what is left out stays left out for the inner room as well.
  const inner = ownMembers({ ...own, ...bound, keyring, now: secondsOf(own.now) }, 'rules')
  return Object.freeze(await verifyDpop(proof, inner as DpopProofRules))
}

/** Proves the key of a chain's leaf over one invocation of one tool with exactly these arguments.
 * @returns compact `pop+jwt`; it holds the arguments in clear and is never logged
 * @throws AgenticError ERR_JSON_NOT_CANONICAL for arguments that JSON would change on the way
 * @throws TypeError for arguments that are no object, an ordinal that is no count, or anything else that is no text
 * @see PROTOCOL 8 */
export function createInvocationProof(
  request: InvocationProofRequest,
  key: SigningKey,
  options: ProofOptions = {},
): string {
  const { clock = systemClock } = ownMembers(options, 'options')
  const own = ownMembers(request, 'request')
  requireInvocation(own)
  requireOrdinal(own.ordinal)
  if (!isPlainObject(own.args)) throw new TypeError('args: expected an object of arguments')
  return createInvocation(own, key, { clock })
}

/** `now` in NumericDate seconds; default the system's clock. */
export type VerifyInvocationProofRules = Omit<InvocationProofRules, 'now'> & { readonly now?: number }

export interface VerifiedInvocationProof {
  readonly jti: string
  readonly ordinal: number
  /** What was proven: a frozen copy. Those that were passed in may have been changed since. */
  readonly args: JsonObject
}

/** Verifies a proof against the invocation it came with, and spends it: await it before anything else is done, and go
 * on with the `args` of the result.
 * @throws AgenticError ERR_PROOF_*, ERR_SIGNATURE_INVALID, ERR_REPLAY_STORE, ERR_JSON_NOT_CANONICAL for arguments that
 *   are none, or the codes of the gate
 * @throws TypeError when a rule is missing */
export async function verifyInvocationProof(
  proof: string,
  rules: VerifyInvocationProofRules,
): Promise<VerifiedInvocationProof> {
  const own = ownMembers(rules, 'rules')
  const { leafId, tool, audience, accessToken, key, singleUse } = own
  requireInvocation(own)
  requireKey(key)
  requireSingleUse(singleUse)
  const args = frozenJson(own.args)
  const now = secondsOf(own.now)
  const invocation = { leafId, tool, audience, args, accessToken, key, now, singleUse }
  const { jti, ordinal } = await verifyInvocation(proof, invocation)
  return Object.freeze<VerifiedInvocationProof>({ jti, ordinal, args })
}

function requireInvocation(
  given: Pick<InvocationProofRequest, 'leafId' | 'tool' | 'audience' | 'accessToken'>,
): void {
  requireText(given.leafId, 'leafId')
  requireText(given.tool, 'tool')
  requireText(given.audience, 'audience')
  requireText(given.accessToken, 'accessToken')
}

function requireKey(key: unknown): void {
  if (!isPublicKey(key)) throw new TypeError('key: expected the key of the token, or one that was read')
}

function requireOrdinal(ordinal: number | undefined): void {
  if (ordinal !== undefined && !(Number.isSafeInteger(ordinal) && ordinal >= 0))
    throw new TypeError('ordinal: expected a count from 0')
}

function requireSingleUse(singleUse: Partial<SingleUse> | undefined): void {
  if (typeof singleUse?.claim !== 'function')
    throw new TypeError('singleUse: expected a store of spent proofs')
}

/** @throws TypeError: what is not there would be bound to nothing */
function boundRequest(request: BoundRequest | undefined): BoundRequest {
  const { query, contentType, body } = ownMembers(request ?? ([] as never), 'request')
  if (typeof query !== 'string' || typeof contentType !== 'string' || !(body instanceof Uint8Array))
    throw new TypeError('request: expected query and content type as text, and the body as bytes')
  return { query, contentType, body }
}
