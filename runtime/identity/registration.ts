/**
 * A registration: one version of an agent, pinned by its checksum and bound to its key (PROTOCOL 2.3).
 */
import type { PublicJwk } from '../keys/public-key.js'

/** Digests of an agent's parts, so that a mismatch can name what changed without showing it. */
export interface ComponentDigests {
  readonly prompt: string
  readonly tools: Readonly<Record<string, string>>
  readonly configuration: string
  /** Digest of the module graph the agent is loaded from, where it has one. */
  readonly code?: string
  /** Digest of the packages that graph uses. */
  readonly deps?: string
}

export interface RegisteredKey {
  /** RFC 7638 thumbprint. */
  readonly kid: string
  readonly jwk: PublicJwk
  /** Counts up with each key that is added, from 0: the newest signs. */
  readonly epoch: number
  readonly mode: 'derived' | 'attested'
  /** NumericDate, seconds: it counts before this, not at it. Absent: as long as the registration counts. */
  readonly notAfter?: number
}

/** `shallow`: the checksum covers the agent's description alone. `deep`: its modules and packages, too. */
export type CodeMode = 'shallow' | 'deep'

export interface Registration {
  readonly registrationId: string
  readonly agentId: string
  /** The client that registered this agent id first: it alone registers versions and adds keys. */
  readonly owner: string
  /** The clients that tokens of this agent may be minted for. */
  readonly clientIds: readonly string[]
  readonly agentChecksum: string
  readonly components: ComponentDigests
  readonly code: CodeMode
  readonly keys: readonly RegisteredKey[]
  /** semver: prompt or tool removed or changed = major, tool added = minor, configuration = patch. */
  readonly version: string
  /** Its key has proven itself before it is stored, so none is ever kept that is merely `registered`. `updated`: a
   * newer version exists, and it serves the executions that pinned it, for a day. `revoked` is final. */
  readonly status: 'verified' | 'updated' | 'revoked'
  /** NumericDate, seconds: when a newer version took its place. */
  readonly supersededAt?: number
  /** The scopes tokens for it may carry. */
  readonly scopes: readonly string[]
  /** The tools it declares. */
  readonly tools: readonly string[]
  /** NumericDate, seconds. */
  readonly registeredAt: number
}

/** Where registrations are kept. Each method is atomic and durable when it returns. */
export interface RegistrationStore {
  /** The newest registration of an agent; also a revoked one. */
  latest(agentId: string): Promise<Registration | undefined>
  /** All of an agent's, oldest first. */
  versions(agentId: string): Promise<readonly Registration[]>
  byId(registrationId: string): Promise<Registration | undefined>
  /** Saves a new one and, in the same transaction, marks its predecessor `updated` since the new one's time.
   * @param supersedes the newest registration of that agent as the caller knows it; absent: there is none
   * @throws AgenticError ERR_STORE_CONFLICT when it is another by now; ERR_AGENT_UNKNOWN when `supersedes` is none
   *   of the agent's; ERR_AGENT_REVOKED when it is revoked, or any of that agent with the new one's checksum is */
  save(registration: Registration, supersedes?: string): Promise<void>
  /** Replaces the keys by what `decide` makes of the registration as it stands in that transaction.
   * @param decide pure and synchronous; what it throws is thrown on, and nothing is changed
   * @returns the registration as it is now
   * @throws AgenticError ERR_AGENT_UNKNOWN */
  setKeys(
    registrationId: string,
    decide: (current: Registration) => readonly RegisteredKey[],
  ): Promise<Registration>
  /** Ends one registration for good; again is fine. @throws AgenticError ERR_AGENT_UNKNOWN */
  revoke(registrationId: string): Promise<void>
  /** Ends every registration of an agent for good, superseded ones too. @throws AgenticError ERR_AGENT_UNKNOWN */
  revokeAgent(agentId: string): Promise<void>
  list(): Promise<readonly Registration[]>
}
