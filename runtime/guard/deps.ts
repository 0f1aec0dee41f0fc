/** What a guard is made of, and the ports it asks while it checks. */
import type { Journal } from '../audit/journal.js'
import type { Clock } from '../clock.js'
import type { LinkCache } from '../delegation/verified-links.js'
import type { VerifiedChain } from '../delegation/verify-chain.js'
import type { ToolDefinition } from '../identity/agent.js'
import type { Keyring } from '../keys/keyring.js'
import type { PublicKey } from '../keys/public-key.js'
import type { KeyUse } from '../keys/rotation.js'
import type { VerifiedIntentToken } from '../tokens/intent-token.js'
import type { SingleUse } from '../tokens/single-use.js'

/**
 * Whether a token still stands: its activation is live under the newest epoch, its registration is not
 * revoked. Asked on every call.
 * @throws AgenticError ERR_ACTIVATION_NOT_LIVE, ERR_ACTIVATION_UNKNOWN, ERR_EPOCH_STALE, ERR_EXECUTION_*, ERR_AGENT_REVOKED
 */
export type RequireStanding = (token: VerifiedIntentToken) => Promise<void>

export interface GuardDeps {
  /** The authority whose tokens and roots are believed. */
  readonly issuer: string
  /** The keys of the authority, per kind of what they signed: a root outlives a token, and so does its key. */
  readonly trustedKeys: (use: KeyUse) => readonly PublicKey[]
  readonly keyring: Keyring
  readonly singleUse: SingleUse
  readonly requireStanding: RequireStanding
  /** The same for each hop of the token's chain. @throws AgenticError ERR_AGENT_UNKNOWN, ERR_AGENT_REVOKED, ERR_AGENT_SUPERSEDED */
  readonly requireStandingHops: (chain: VerifiedChain) => Promise<void>
  /** A chain by its hash, where the request did not carry it; undefined when unknown. */
  readonly fetchChain: (chainHash: string) => Promise<readonly string[] | undefined>
  readonly journal: Journal
  readonly links: LinkCache
  readonly clock: Clock
}

/** A tool as a resource offers it. */
export interface GuardedTool {
  readonly definition: ToolDefinition
  /** Present: only these steps of that workflow may call it, whatever a token says. */
  readonly only?: { readonly workflow: string; readonly steps: readonly string[] }
}
