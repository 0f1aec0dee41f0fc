/** Delegation chains, for a program without a runtime: grants and constraints from outside are parsed first. */
import { type Clock, nowSeconds, systemClock } from '../clock.js'
import { parseConstraint } from '../delegation/constraint.js'
import { type DerivationRequest, deriveAssertion as derive } from '../delegation/derive.js'
import { issueRootAssertion as issueRoot, type RootRequest } from '../delegation/root.js'
import { subsumes as isNarrower } from '../delegation/subsumes.js'
import { checkArguments as check, parseToolGrants } from '../delegation/tools.js'
import type { LinkCache } from '../delegation/verified-links.js'
import { type VerifiedChain, verifyChain as verify } from '../delegation/verify-chain.js'
import type { JsonObject } from '../encoding/canonical-json.js'
import { isToolName } from '../encoding/identifier.js'
import { AgenticError, codeOf } from '../errors.js'
import type { Keyring } from '../keys/keyring.js'
import type { SigningKey } from '../keys/signing-key.js'
import { defaultKeyring, type TrustedKeys, trustedKeysOf } from './defaults.js'

export interface SigningOptions {
  readonly clock?: Clock
}

/** Signs what an authenticated initiator allows, to the agent that begins.
 * @returns compact `delegation+jwt`, depth 0
 * @throws AgenticError ERR_CONSTRAINT_INVALID, ERR_CLAIM_INVALID, ERR_TOKEN_TOO_LARGE when no verifier would read it
 * @see PROTOCOL 5.1 */
export function issueRootAssertion(
  request: RootRequest,
  authorityKey: SigningKey,
  { clock = systemClock }: SigningOptions = {},
): string {
  return issueRoot(request, authorityKey, { clock })
}

/** Signs what a delegator passes on; no server is involved.
 * @param parent the chain the delegator holds, root first
 * @returns compact `delegation+jwt`, to be appended to that chain
 * @throws AgenticError ERR_CHAIN_* when it would not narrow, ERR_TOKEN_EXPIRED when the parent has ended
 * @see PROTOCOL 5.2 */
export function deriveAssertion(
  parent: { readonly chain: readonly string[] },
  request: DerivationRequest,
  delegatorKey: SigningKey,
  { clock = systemClock }: SigningOptions = {},
): string {
  return derive(parent, { ...request, tools: parseToolGrants(request.tools) }, delegatorKey, { clock })
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
 *   chain alone leaves open: a chain authorizes nothing without an intent token that names it
 * @throws AgenticError the first reason in the order of PROTOCOL 5.3 */
export function verifyChain(tokens: readonly string[], rules: VerifyChainRules): VerifiedChain {
  const { issuer, keyring = defaultKeyring(), now = nowSeconds(systemClock), cache } = rules
  const trustedKeys = trustedKeysOf(rules.trustedKeys, keyring)
  return verify(tokens, { issuer, trustedKeys, now, keyring, ...(cache && { cache }) })
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
 * side, is never narrower.
 * @see PROTOCOL 5.4, AAT I4 */
export function subsumes(parentConstraint: unknown, childConstraint: unknown): boolean {
  try {
    return isNarrower(parseConstraint(parentConstraint), parseConstraint(childConstraint))
  } catch (error) {
    if (codeOf(error) === 'ERR_CONSTRAINT_INVALID') return false
    throw error
  }
}
