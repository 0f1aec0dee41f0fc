/**
 * What registering an agent means: it is new, it is known, or it changed. A runtime never registers a *changed* agent by
 * itself; a person says so, by command or by `acceptChanges` in development (PROTOCOL 2.3).
 */
import { AgenticError } from '../errors.js'
import { explainMismatch } from './checksum.js'
import { requireOwner } from './owner.js'
import type { CodeMode, ComponentDigests, RegisteredKey, Registration } from './registration.js'
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
