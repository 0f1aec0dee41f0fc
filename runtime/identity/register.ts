/**
 * Registering an agent: pinning what it is (the checksum) to who it is (the key) and to whose it is (the owner). A
 * runtime never registers a *changed* agent by itself; a person says so, by command or by `acceptChanges` in
 * development (PROTOCOL 2.3).
 */
import { type Clock, nowSeconds } from '../clock.js'
import { newUuid } from '../encoding/uuid.js'
import { AgenticError, codeOf } from '../errors.js'
import { verifyKeyProof } from '../keys/key-proof.js'
import type { PublicKey } from '../keys/public-key.js'
import type { SigningKey } from '../keys/signing-key.js'
import { agentChecksum, codeMode, componentDigests, explainMismatch } from './checksum.js'
import type { LiveAgent } from './live-agent.js'
import { requireOwner } from './owner.js'
import type {
  CodeMode,
  ComponentDigests,
  RegisteredKey,
  Registration,
  RegistrationStore,
} from './registration.js'
import { newestKey } from './registration-keys.js'
import { firstVersion, nextVersion } from './version.js'

/** What is to be registered. */
export interface RegistrationRequest {
  readonly agentId: string
  /** The authenticated client that asks. */
  readonly owner: string
  readonly agentChecksum: string
  readonly components: ComponentDigests
  readonly code: CodeMode
  readonly key: RegisteredKey
  /** The scopes that the agent declares; what it is granted may be less. */
  readonly scopes: readonly string[]
  readonly tools: readonly string[]
}

export type RegistrationPlan =
  | { readonly kind: 'existing'; readonly registration: Registration }
  | { readonly kind: 'new'; readonly version: string; readonly scopes: readonly string[] }
  | {
      readonly kind: 'changed'
      readonly version: string
      /** The grant. */
      readonly scopes: readonly string[]
      readonly supersedes: string
      readonly changed: readonly string[]
    }

export interface PlanOptions {
  readonly acceptChanges: boolean
  /** The client may set grants (`admin:grants`): what the agent declares is then what it gets. Else a new version
   * gets at most its predecessor's grant, and a new agent none: nobody grants himself anything (X17). */
  readonly administrator: boolean
}

/** Decides what registering means; pure.
 * Beside the components of the checksum, a changed grant (`scopes`) and another key (`key`, as after the loss of
 * the master secret) are changes: neither may happen unseen.
 * @param versions all registrations of that agent id, oldest first, revoked ones too
 * @throws AgenticError ERR_AGENT_OWNER, before all else: a stranger learns nothing of the agent; ERR_AGENT_REVOKED:
 *   neither a revoked id nor what was once revoked is ever registered again, whatever is accepted;
 *   ERR_AGENT_CHANGED, naming what changed, unless `acceptChanges`
 */
export function planRegistration(
  versions: readonly Registration[],
  incoming: RegistrationRequest,
  { acceptChanges, administrator }: PlanOptions,
): RegistrationPlan {
  const existing = versions.at(-1)
  if (existing === undefined) {
    return { kind: 'new', version: firstVersion, scopes: administrator ? incoming.scopes : [] }
  }
  if (existing.agentId !== incoming.agentId)
    throw new TypeError('planRegistration: the registration is of another agent')
  requireOwner(existing, incoming.owner)
  requireNotRevoked(versions, existing, incoming)
  const scopes = administrator
    ? incoming.scopes
    : incoming.scopes.filter((scope) => existing.scopes.includes(scope))
  const changed = changesOf(existing, { ...incoming, scopes })
  if (changed.length === 0) return { kind: 'existing', registration: existing }
  if (!acceptChanges) {
    throw new AgenticError(
      'ERR_AGENT_CHANGED',
      `agent "${existing.agentId}" changed since it was registered: ${changed.join(', ')}`,
    )
  }
  return {
    kind: 'changed',
    version: nextVersion(existing.version, existing.components, incoming.components),
    scopes,
    supersedes: existing.registrationId,
    changed,
  }
}

export interface RegisterOptions extends PlanOptions {
  readonly store: RegistrationStore
  /** The authenticated client that registers, which owns the agent from then on. */
  readonly owner: string
  /** The clients that tokens may be minted for; default: the owner. A new version keeps its predecessor's. */
  readonly clientIds?: readonly string[]
  readonly key: KeySource
  readonly clock: Clock
}

/** `derived`: the runtime has the key, as a function of exactly these three. `attested`: its holder proved that he
 * has it (`signKeyProof`) to this issuer, for this agent and the epoch that the registration is at, from 0. */
export type KeySource =
  | {
      readonly mode: 'derived'
      readonly keyFor: (agentId: string, agentChecksum: string, epoch: number) => SigningKey
    }
  | {
      readonly mode: 'attested'
      readonly key: PublicKey
      readonly proof: string
      readonly issuer: string
    }

export interface RegisterResult {
  readonly registration: Registration
  readonly outcome: 'registered' | 'unchanged' | 'updated'
}

/** Registers an agent, or finds its registration.
 * When somebody else registers the same agent meanwhile, the outcome is decided again on what they stored.
 * @throws AgenticError as `planRegistration`; for an attested key as `verifyKeyProof`; and what the store throws
 */
export async function registerAgent(agent: LiveAgent, options: RegisterOptions): Promise<RegisterResult> {
  try {
    return await attempt(agent, options)
  } catch (error) {
    if (codeOf(error) !== 'ERR_STORE_CONFLICT') throw error
    return attempt(agent, options)
  }
}

async function attempt(agent: LiveAgent, options: RegisterOptions): Promise<RegisterResult> {
  const { store, clock, owner } = options
  const { id: agentId, scopes, tools } = agent.definition
  const versions = await store.versions(agentId)
  const existing = versions.at(-1)
  const manifest = agent.manifest() // once, so that checksum and components are of one moment
  const checksum = agentChecksum(manifest)
  const epoch = existing === undefined ? 0 : newestKey(existing).epoch
  const request: RegistrationRequest = {
    agentId,
    owner,
    agentChecksum: checksum,
    components: componentDigests(manifest),
    code: codeMode(manifest),
    key: provenKey(options, agentId, checksum, epoch),
    scopes,
    tools: tools.map((tool) => tool.name),
  }
  const plan = planRegistration(versions, request, options)
  if (plan.kind === 'existing') return { registration: plan.registration, outcome: 'unchanged' }
  const { key, ...described } = request
  const registration: Registration = Object.freeze({
    registrationId: newUuid(clock),
    ...described,
    scopes: plan.scopes,
    clientIds: Object.freeze([...(existing?.clientIds ?? options.clientIds ?? [owner])]),
    keys: Object.freeze([Object.freeze(key)]),
    version: plan.version,
    status: 'verified',
    registeredAt: nowSeconds(clock),
  })
  if (plan.kind === 'new') {
    await store.save(registration)
    return { registration, outcome: 'registered' }
  }
  await store.save(registration, plan.supersedes)
  return { registration, outcome: 'updated' }
}

function provenKey(
  { key: source, clock }: RegisterOptions,
  agentId: string,
  agentChecksum: string,
  epoch: number,
): RegisteredKey {
  if (source.mode === 'derived') {
    const { thumbprint, jwk } = source.keyFor(agentId, agentChecksum, epoch).publicKey
    return { kid: thumbprint, jwk, epoch, mode: 'derived' }
  }
  const { key, proof, issuer } = source
  verifyKeyProof(proof, { issuer, agentId, agentChecksum, epoch, key, now: nowSeconds(clock) })
  return { kid: key.thumbprint, jwk: key.jwk, epoch, mode: 'attested' }
}

function requireNotRevoked(
  versions: readonly Registration[],
  newest: Registration,
  { agentId, agentChecksum: checksum }: RegistrationRequest,
): void {
  if (newest.status === 'revoked') {
    throw new AgenticError('ERR_AGENT_REVOKED', `agent "${agentId}" is revoked and is not registered again`)
  }
  if (versions.some((version) => version.status === 'revoked' && version.agentChecksum === checksum)) {
    throw new AgenticError('ERR_AGENT_REVOKED', `this version of agent "${agentId}" was revoked`)
  }
}

/** @param incoming with the scopes it would be granted */
function changesOf(existing: Registration, incoming: RegistrationRequest): string[] {
  const components = explainMismatch(existing.components, incoming.components)
  if (components.length === 0 && existing.agentChecksum !== incoming.agentChecksum)
    components.push('checksum')
  const keyKept = existing.keys.some((key) => key.kid === incoming.key.kid)
  return [
    ...components,
    ...(sameSet(existing.scopes, incoming.scopes) ? [] : ['scopes']),
    // A changed agent has another derived key anyhow; only a new key for the same agent is news.
    ...(components.length > 0 || keyKept ? [] : ['key']),
  ]
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((member) => b.includes(member))
}
