/** Proofs of possession, for a program without a runtime: over an HTTP request (DPoP), or over a tool's invocation. */
import { type Clock, nowSeconds, systemClock } from '../clock.js'
import type { Keyring } from '../keys/keyring.js'
import type { SigningKey } from '../keys/signing-key.js'
import {
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
import { defaultKeyring } from './defaults.js'

export interface ProofOptions {
  readonly clock?: Clock
}

/** Proves the key of a token over exactly one HTTP request.
 * @returns compact `dpop+jwt`
 * @see PROTOCOL 8, RFC 9449 */
export function createDpopProof(
  request: DpopProofRequest,
  key: SigningKey,
  { clock = systemClock }: ProofOptions = {},
): string {
  return createDpop(request, key, { clock })
}

/** `now` in NumericDate seconds; default the system's clock. */
export type VerifyDpopProofRules = Omit<DpopProofRules, 'now' | 'keyring'> & {
  readonly now?: number
  readonly keyring?: Keyring
}

/** Verifies a proof in the order of RFC 9449 §4.3, and spends it. A rule that is not given is not checked: a resource
 * gives `accessToken` and the token's `key`, and `request` where a body or a query counts.
 * @throws AgenticError ERR_PROOF_*, ERR_REPLAY_STORE, or the codes of the gate */
export async function verifyDpopProof(
  proof: string,
  rules: VerifyDpopProofRules,
): Promise<VerifiedDpopProof> {
  const { keyring = defaultKeyring(), now = nowSeconds(systemClock) } = rules
  return verifyDpop(proof, { ...rules, keyring, now })
}

/** Proves the key of a chain's leaf over one invocation of one tool with exactly these arguments.
 * @returns compact `pop+jwt`; it holds the arguments in clear and is never logged
 * @see PROTOCOL 8 */
export function createInvocationProof(
  request: InvocationProofRequest,
  key: SigningKey,
  { clock = systemClock }: ProofOptions = {},
): string {
  return createInvocation(request, key, { clock })
}

/** `now` in NumericDate seconds; default the system's clock. */
export type VerifyInvocationProofRules = Omit<InvocationProofRules, 'now'> & { readonly now?: number }

/** Verifies a proof against the invocation it came with, and spends it.
 * @throws AgenticError ERR_PROOF_*, ERR_SIGNATURE_INVALID, ERR_REPLAY_STORE, or the codes of the gate */
export async function verifyInvocationProof(
  proof: string,
  rules: VerifyInvocationProofRules,
): Promise<{ readonly jti: string; readonly ordinal: number }> {
  return verifyInvocation(proof, { ...rules, now: rules.now ?? nowSeconds(systemClock) })
}
