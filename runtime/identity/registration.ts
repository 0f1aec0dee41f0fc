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
  readonly epoch: number
  readonly mode: 'derived' | 'attested'
}

export interface Registration {
  readonly registrationId: string
  readonly agentId: string
  readonly agentChecksum: string
  readonly components: ComponentDigests
  readonly keys: readonly RegisteredKey[]
  /** semver: prompt or tool removed or changed = major, tool added = minor, configuration = patch. */
  readonly version: string
  readonly status: 'verified' | 'updated' | 'revoked'
  /** The scopes tokens for it may carry. */
  readonly scopes: readonly string[]
  /** The tools it declares. */
  readonly tools: readonly string[]
  /** NumericDate, seconds. */
  readonly registeredAt: number
}

/** Where registrations are kept. Each method is atomic and durable when it returns. */
export interface RegistrationStore {
  /** The newest registration of an agent that is not superseded; also a revoked one. */
  latest(agentId: string): Promise<Registration | undefined>
  byId(registrationId: string): Promise<Registration | undefined>
  /** Saves a new one and, in the same transaction, marks its predecessor `updated`. */
  save(registration: Registration, supersedes?: string): Promise<void>
  revoke(registrationId: string): Promise<void>
  list(): Promise<readonly Registration[]>
}
