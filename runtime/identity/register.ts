/**
 * Registering an agent: pinning what it is (the checksum) to who it is (the key). A runtime never registers a
 * *changed* agent by itself; a person says so, by command or by `acceptChanges` in development (PROTOCOL 2.3).
 */
import { type Clock, nowSeconds } from '../clock.js'
import { newUuid } from '../encoding/uuid.js'
import { AgenticError, codeOf } from '../errors.js'
import type { SigningKey } from '../keys/signing-key.js'
import { agentChecksum, componentDigests, explainMismatch } from './checksum.js'
import type { LiveAgent } from './live-agent.js'
import type { ComponentDigests, RegisteredKey, Registration, RegistrationStore } from './registration.js'
import { firstVersion, nextVersion } from './version.js'

/** What is to be registered. */
export interface RegistrationRequest {
  readonly agentId: string
  readonly agentChecksum: string
  readonly components: ComponentDigests
  readonly key: RegisteredKey
  readonly scopes: readonly string[]
  readonly tools: readonly string[]
}

export type RegistrationPlan =
  | { readonly kind: 'existing'; readonly registration: Registration }
  | { readonly kind: 'new'; readonly version: string }
  | {
      readonly kind: 'changed'
      readonly version: string
      readonly supersedes: string
      readonly changed: readonly string[]
    }

/** Decides what registering means; pure.
 * Beside the components of the checksum, a changed set of declared scopes (`scopes`) and another key (`key`,
 * as after the loss of the master secret) are changes: neither may happen unseen.
 * @param existing the newest registration of that agent id, a revoked one too
 * @throws AgenticError ERR_AGENT_REVOKED: a revoked id is never registered again, whatever is accepted;
 *   ERR_AGENT_CHANGED, naming what changed, unless `acceptChanges`
 */
export function planRegistration(
  existing: Registration | undefined,
  incoming: RegistrationRequest,
  options: { readonly acceptChanges: boolean },
): RegistrationPlan {
  if (existing === undefined) return { kind: 'new', version: firstVersion }
  if (existing.agentId !== incoming.agentId)
    throw new TypeError('planRegistration: the registration is of another agent')
  const { agentId } = existing
  if (existing.status === 'revoked') {
    throw new AgenticError('ERR_AGENT_REVOKED', `agent "${agentId}" is revoked and is not registered again`)
  }
  const changed = changesOf(existing, incoming)
  if (changed.length === 0) return { kind: 'existing', registration: existing }
  if (!options.acceptChanges) {
    throw new AgenticError(
      'ERR_AGENT_CHANGED',
      `agent "${agentId}" changed since it was registered: ${changed.join(', ')}`,
    )
  }
  return {
    kind: 'changed',
    version: nextVersion(existing.version, existing.components, incoming.components),
    supersedes: existing.registrationId,
    changed,
  }
}

export interface RegisterOptions {
  readonly store: RegistrationStore
  /** The agent's key; for `derived` a function of exactly these three. */
  readonly keyFor: (agentId: string, agentChecksum: string, epoch: number) => SigningKey
  readonly clock: Clock
  /** True when the operator agrees that a changed agent becomes a new version. */
  readonly acceptChanges: boolean
  /** Where the key comes from; default `derived`. */
  readonly mode?: RegisteredKey['mode']
}

export interface RegisterResult {
  readonly registration: Registration
  readonly outcome: 'registered' | 'unchanged' | 'updated'
}

/** Registers an agent, or finds its registration.
 * A new version is granted the scopes that the agent declares: whoever accepts changes is the local operator,
 * who is also the administrator that PROTOCOL 2.3 wants for a grant wider than the predecessor's.
 * When somebody else registers the same agent meanwhile, the outcome is decided again on what they stored.
 * @throws AgenticError as `planRegistration`, and what the store throws
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
  const { store, clock, acceptChanges, mode = 'derived' } = options
  const { id: agentId, scopes, tools } = agent.definition
  const existing = await store.latest(agentId)
  const manifest = agent.manifest() // once, so that checksum and components are of one moment
  const checksum = agentChecksum(manifest)
  const epoch = existing === undefined ? 0 : Math.max(...existing.keys.map((key) => key.epoch))
  const { thumbprint, jwk } = options.keyFor(agentId, checksum, epoch).publicKey
  const request: RegistrationRequest = {
    agentId,
    agentChecksum: checksum,
    components: componentDigests(manifest),
    key: { kid: thumbprint, jwk, epoch, mode },
    scopes,
    tools: tools.map((tool) => tool.name),
  }
  const plan = planRegistration(existing, request, { acceptChanges })
  if (plan.kind === 'existing') return { registration: plan.registration, outcome: 'unchanged' }
  const { key, ...described } = request
  const registration: Registration = Object.freeze({
    registrationId: newUuid(clock),
    ...described,
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
