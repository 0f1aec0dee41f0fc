/** Delegation chains, for a program without a runtime: grants and constraints from outside are parsed first. */
import { type Clock, systemClock } from '../clock.js'
import { countConstraints, parseConstraint } from '../delegation/constraint.js'
import { type DerivationRequest, deriveAssertion as derive } from '../delegation/derive.js'
import { issueRootAssertion as issueRoot, type RootRequest } from '../delegation/root.js'
import { subsumes as isNarrower } from '../delegation/subsumes.js'
import { checkArguments as check, maxConstraints, parseToolGrants } from '../delegation/tools.js'
import type { LinkCache } from '../delegation/verified-links.js'
import { type VerifiedChain, verifyChain as verify } from '../delegation/verify-chain.js'
import type { JsonObject } from '../encoding/canonical-json.js'
import { isToolName } from '../encoding/identifier.js'
import { AgenticError, codeOf } from '../errors.js'
import { deepFreeze } from '../identity/frozen-json.js'
import type { Keyring } from '../keys/keyring.js'
import type { PublicKey } from '../keys/public-key.js'
import type { SigningKey } from '../keys/signing-key.js'
import { defaultKeyring, type TrustedKeys, trustedKeysOf } from './defaults.js'
import { ownMembers, requireText, secondsOf } from './rules.js'

export interface SigningOptions {
  readonly clock?: Clock
}

/** Signs what an authenticated initiator allows, to the agent that begins.
 * @returns compact `delegation+jwt`, depth 0
 * @throws AgenticError ERR_CONSTRAINT_INVALID, ERR_CLAIM_INVALID, ERR_KEY_*, ERR_TOKEN_TOO_LARGE when no verifier
 *   would read it
 * @throws TypeError for a depth or a lifetime out of bounds, a scope that would be read as several, or without who asked
 * @see PROTOCOL 5.1 */
export function issueRootAssertion(
  request: RootRequest,
  authorityKey: SigningKey,
  options: SigningOptions = {},
): string {
  const { clock = systemClock } = ownMembers(options, 'options')
  const own = ownMembers(request, 'request')
  const delegatee = readDelegatee(own.delegatee)
  return issueRoot(ownMembers({ ...own, delegatee }, 'request'), authorityKey, { clock })
}

/** Signs what a delegator passes on; no server is involved.
 * @param parent the chain the delegator holds, root first
 * @returns compact `delegation+jwt`, to be appended to that chain
 * @throws AgenticError ERR_CHAIN_* when it would not narrow, ERR_TOKEN_EXPIRED when the parent has ended,
 *   ERR_CONSTRAINT_INVALID, ERR_CLAIM_INVALID, ERR_KEY_*, ERR_TOKEN_TOO_LARGE when no verifier would read it
 * @see PROTOCOL 5.2 */
export function deriveAssertion(
  parent: { readonly chain: readonly string[] },
  request: DerivationRequest,
  delegatorKey: SigningKey,
  options: SigningOptions = {},
): string {
  const { clock = systemClock } = ownMembers(options, 'options')
  const own = ownMembers(request, 'request')
  const parsed = { delegatee: readDelegatee(own.delegatee), tools: parseToolGrants(own.tools) }
  return derive(parent, ownMembers({ ...own, ...parsed }, 'request'), delegatorKey, { clock })
}

/** Read again, down to what a public key is: a private member would be signed, and published with the chain. */
function readDelegatee(key: PublicKey | undefined): PublicKey {
  return defaultKeyring().publicKey(key?.jwk)
}

export interface VerifyChainRules {
  /** Whose signature on a root counts. */
  readonly trustedKeys: TrustedKeys
  /** Their identifier, demanded as the root's `iss`. */
  readonly issuer: string
  /** NumericDate, seconds; default the system's clock. */
  readonly now?: number
  readonly keyring?: Keyring
  /** Prefixes that verified before; see `createLinkCache`. */
  readonly cache?: LinkCache
}

/** Verifies a chain from root to leaf, offline.
 * @returns the authority left at the leaf (`toolGrants`, `scope`, `key`), which invariants were checked, and which a
 *   chain alone leaves open: a chain authorizes nothing without an intent token that names it. Frozen
 * @throws AgenticError the first reason in the order of PROTOCOL 5.3
 * @throws TypeError when a rule is missing */
export function verifyChain(tokens: readonly string[], rules: VerifyChainRules): VerifiedChain {
  const own = ownMembers(rules, 'rules')
  const { issuer, keyring = defaultKeyring() } = own
  requireText(issuer, 'issuer')
  const trustedKeys = trustedKeysOf(own.trustedKeys, keyring)
  if (!Array.isArray(tokens))
    throw new AgenticError('ERR_TOKEN_MALFORMED', 'expected the chain as an array of compact tokens')
  const inner = ownMembers({ ...own, trustedKeys, keyring, now: secondsOf(own.now) }, 'rules')
  return deepFreeze(verify(tokens, inner))
}

/** Checks one call against a grant.
 * @param tools tool → argument → constraint, as in a token's `authorization_details` or `toolGrants` of a verified chain
 * @throws AgenticError ERR_TOOL_NOT_GRANTED, ERR_ARGUMENT_REFUSED, ERR_CONSTRAINT_INVALID
 * @see PROTOCOL 5.4 */
export function checkArguments(tools: unknown, tool: string, args: JsonObject): void {
  const grants = parseToolGrants(tools)
  // No grant names such a tool, and a stranger's text is not repeated.
  if (!isToolName(tool)) throw new AgenticError('ERR_TOOL_NOT_GRANTED', 'the tool is not granted')
  check(grants, tool, args)
}

/** True only when every value that passes the child's constraint passes its parent's. What is not understood, on either
 * side, is never narrower, and neither is what has more clauses than a grant may hold (1,024).
 * @see PROTOCOL 5.4, AAT I4 */
export function subsumes(parentConstraint: unknown, childConstraint: unknown): boolean {
  try {
    const [parent, child] = [parseConstraint(parentConstraint), parseConstraint(childConstraint)]
    // No token holds as many, and comparing them takes time in the product.
    if ([parent, child].some((constraint) => countConstraints(constraint) > maxConstraints)) return false
    return isNarrower(parent, child)
  } catch (error) {
    if (codeOf(error) === 'ERR_CONSTRAINT_INVALID') return false
    throw error
  }
}
