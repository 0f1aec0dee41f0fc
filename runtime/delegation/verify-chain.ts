/**
 * Verifying a chain from root to leaf, offline (PROTOCOL 5.3, AAT "Chain Verification Algorithm").
 *
 * A chain alone authorizes nothing: I6 is the proof's matter, I8 and I9 the authority's, and the result
 * says that they are open.
 */
import type { DecodedJws } from '../encoding/compact-jws.js'
import { AgenticError } from '../errors.js'
import { verifyDecoded } from '../keys/jws.js'
import type { Keyring } from '../keys/keyring.js'
import type { PublicKey } from '../keys/public-key.js'
import { trustedKey } from '../tokens/intent-token.js'
import { checkTimes } from '../tokens/times.js'
import {
  type Assertion,
  assertionFromWire,
  decodeAssertionJws,
  maxChainBytes,
  maxDerivedSeconds,
  maxHops,
  maxRootSeconds,
  signingInputHash,
} from './assertion.js'
import { requireChild } from './narrowing.js'
import type { ToolGrants } from './tools.js'
import { type LinkCache, linkKey, type VerifiedLink } from './verified-links.js'

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9'

export interface ChainRules {
  /** Keys of the authority that may have signed the root. */
  readonly trustedKeys: readonly PublicKey[]
  /** The authority's identifier, demanded as the root's `iss`. */
  readonly issuer: string
  /** NumericDate, seconds. */
  readonly now: number
  readonly keyring: Keyring
  /** Verified prefixes; without it everything is verified anew. */
  readonly cache?: LinkCache
}

declare const verified: unique symbol
/** Made only by `verifyChain`. */
export interface VerifiedChain {
  /** Root first. */
  readonly hops: readonly Assertion[]
  readonly root: Assertion
  readonly leaf: Assertion
  /** The leaf's key; the presenter must prove it. */
  readonly key: PublicKey
  /** What is left at the leaf: never wider than any hop. */
  readonly toolGrants: ToolGrants
  readonly scope: readonly string[]
  /** base64url SHA-256 of the leaf's signing input. */
  readonly chainHash: string
  readonly checked: readonly Invariant[]
  /** What a chain alone cannot show. */
  readonly open: readonly Invariant[]
  readonly [verified]: true
}

/**
 * @param tokens compact assertions, root first
 * @throws AgenticError the first reason in the order of PROTOCOL 5.3
 */
export function verifyChain(tokens: readonly string[], rules: ChainRules): VerifiedChain {
  checkSize(tokens)
  const links: VerifiedLink[] = []
  const { cache } = rules
  // The running key starts from who is trusted, so that a chain of another authority never hits.
  let key = `${rules.issuer} ${rules.trustedKeys.map((trusted) => trusted.thumbprint).join(' ')}`
  for (const token of tokens) {
    const parent = links.at(-1)
    if (cache) key = linkKey(key, token)
    const known = cache?.get(key)
    const link = known ?? (parent ? verifyHop(token, parent, rules) : verifyRoot(token, rules))
    if (!known) cache?.set(key, link)
    checkTimes(link.assertion, rules.now, parent ? maxDerivedSeconds : maxRootSeconds)
    links.push(link)
  }
  return conclude(links)
}

function checkSize(tokens: readonly string[]): void {
  if (tokens.length === 0) throw new AgenticError('ERR_CHAIN_EMPTY', 'a chain must have at least its root')
  if (tokens.length > maxHops) {
    throw new AgenticError('ERR_CHAIN_TOO_LONG', `a chain must have at most ${maxHops} hops`)
  }
  if (!tokens.every((token) => typeof token === 'string'))
    throw new AgenticError('ERR_TOKEN_MALFORMED', 'expected each hop as text')
  const bytes = tokens.reduce((sum, token) => sum + token.length, 0)
  if (bytes > maxChainBytes) {
    throw new AgenticError('ERR_CHAIN_TOO_LONG', `a chain must have at most ${maxChainBytes} bytes`)
  }
}

function rootSigner(decoded: DecodedJws, rules: ChainRules): PublicKey {
  try {
    return trustedKey(decoded.header.kid, rules.trustedKeys)
  } catch (cause) {
    throw new AgenticError('ERR_CHAIN_ROOT_UNTRUSTED', 'the root must be signed by a trusted authority', {
      cause,
    })
  }
}

function verifyRoot(token: string, rules: ChainRules): VerifiedLink {
  const decoded = decodeAssertionJws(token)
  verifyDecoded(decoded, rootSigner(decoded, rules))
  const assertion = assertionFromWire(decoded.claims)
  if (assertion.iss !== rules.issuer) {
    throw new AgenticError('ERR_CHAIN_ROOT_UNTRUSTED', '"iss" of the root must be the trusted authority')
  }
  if (assertion.parentHash !== undefined) {
    throw new AgenticError('ERR_CHAIN_LINK', 'the root must not have "par_hash"')
  }
  if (assertion.depth !== 0 || assertion.maxDepth >= maxHops) {
    throw new AgenticError('ERR_CHAIN_DEPTH', '"del_depth" of the root must be 0 and its maximum in bounds')
  }
  if (assertion.initiatedBy === undefined || !assertion.auth) {
    throw new AgenticError(
      'ERR_CLAIM_INVALID',
      'the root must say who initiated the run, and how that is known',
    )
  }
  return linkOf(token, assertion, rules)
}

function verifyHop(token: string, parent: VerifiedLink, rules: ChainRules): VerifiedLink {
  const decoded = decodeAssertionJws(token)
  verifyDecoded(decoded, parent.key)
  const assertion = assertionFromWire(decoded.claims)
  requireChild(
    { assertion: parent.assertion, thumbprint: parent.key.thumbprint, hash: parent.hash },
    assertion,
  )
  return linkOf(token, assertion, rules)
}

/** Frozen: it is remembered, and handed out again. */
function linkOf(token: string, assertion: Assertion, rules: ChainRules): VerifiedLink {
  const key = rules.keyring.publicKey(assertion.jwk)
  return Object.freeze({ assertion, key, hash: signingInputHash(token) })
}

function conclude(links: readonly VerifiedLink[]): VerifiedChain {
  const hops = links.map((link) => link.assertion)
  if (new Set(hops.map((hop) => hop.jti)).size !== hops.length) {
    throw new AgenticError('ERR_CHAIN_DUPLICATE', 'an assertion must occur once in a chain')
  }
  const root = hops[0] as Assertion
  const last = links.at(-1) as VerifiedLink
  return {
    hops,
    root,
    leaf: last.assertion,
    key: last.key,
    toolGrants: last.assertion.toolGrants,
    scope: last.assertion.scope,
    chainHash: last.hash,
    checked: ['I1', 'I2', 'I3', 'I4', 'I5', 'I7'],
    open: ['I6', 'I8', 'I9'],
  } as unknown as VerifiedChain
}
