/**
 * What a child may be of its parent: I1–I5 and I7 as far as they follow from the two assertions alone.
 * The same function judges at derivation and at verification, so neither can be laxer than the other.
 */
import { equalConstantTime } from '../encoding/digest.js'
import { AgenticError } from '../errors.js'
import { thumbprintUri } from '../keys/thumbprint.js'
import type { Assertion } from './assertion.js'
import { requireNarrower } from './tools.js'

/** Facts about the parent that its child is held to. */
export interface ParentFacts {
  readonly assertion: Assertion
  /** Thumbprint of the key in its `cnf`. */
  readonly thumbprint: string
  /** base64url SHA-256 of its signing input. */
  readonly hash: string
}

/**
 * @throws AgenticError ERR_CHAIN_ISSUER (I1), ERR_CHAIN_LINK (I5), ERR_CHAIN_DEPTH (I2), ERR_CHAIN_LIFETIME (I3),
 *   ERR_CHAIN_TOOL_WIDENED, ERR_CHAIN_CONSTRAINT_WIDENED, ERR_CHAIN_SCOPE_WIDENED (I4), ERR_CHAIN_INTENT (I7)
 * @see PROTOCOL 5.3
 */
export function requireChild(parent: ParentFacts, child: Assertion): void {
  requireIssuer(parent, child)
  requireLink(parent, child)
  requireDepth(parent.assertion, child)
  requireLifetime(parent.assertion, child)
  requireNarrower(parent.assertion.toolGrants, child.toolGrants)
  requireScope(parent.assertion, child)
  requireSameIntent(parent.assertion, child)
}

function requireIssuer(parent: ParentFacts, child: Assertion): void {
  if (child.iss !== thumbprintUri(parent.thumbprint)) {
    throw new AgenticError('ERR_CHAIN_ISSUER', '"iss" of a hop must be the key its parent delegated to')
  }
}

function requireLink(parent: ParentFacts, child: Assertion): void {
  if (child.parentHash === undefined || !equalConstantTime(child.parentHash, parent.hash)) {
    throw new AgenticError('ERR_CHAIN_LINK', '"par_hash" must be the hash of the hop before')
  }
}

function requireDepth(parent: Assertion, child: Assertion): void {
  if (child.depth !== parent.depth + 1) {
    throw new AgenticError('ERR_CHAIN_DEPTH', '"del_depth" must grow by exactly one per hop')
  }
  if (child.maxDepth > parent.maxDepth) {
    throw new AgenticError('ERR_CHAIN_DEPTH', '"del_max_depth" must not grow')
  }
  if (child.depth > child.maxDepth) {
    throw new AgenticError('ERR_CHAIN_DEPTH', `the grant allows ${child.maxDepth} hops below the root`)
  }
}

function requireLifetime(parent: Assertion, child: Assertion): void {
  if (child.exp > parent.exp) {
    throw new AgenticError('ERR_CHAIN_LIFETIME', 'a hop must not outlive its parent')
  }
  if (child.iat < parent.iat) {
    throw new AgenticError('ERR_CHAIN_LIFETIME', 'a hop must not be older than its parent')
  }
}

function requireScope(parent: Assertion, child: Assertion): void {
  // Not named: a hop can write anything there.
  if (!child.scope.every((scope) => parent.scope.includes(scope))) {
    throw new AgenticError('ERR_CHAIN_SCOPE_WIDENED', '"scope" must not go beyond the delegator\'s')
  }
}

function requireSameIntent(parent: Assertion, child: Assertion): void {
  const same =
    child.intent.executionId === parent.intent.executionId &&
    child.intent.workflowId === parent.intent.workflowId &&
    child.intent.intentHash === parent.intent.intentHash
  if (!same)
    throw new AgenticError('ERR_CHAIN_INTENT', 'every hop must serve the run and the intent of the root')
  if (child.initiatedBy !== undefined || child.auth) {
    throw new AgenticError('ERR_CHAIN_INTENT', 'only the root says who initiated the run')
  }
}
