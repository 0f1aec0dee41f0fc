/** Registering an agent: pinning what it is (the checksum) to who it is (the key) and to whose it is (the owner). */
import { type Clock, nowSeconds } from '../clock.js'
import { newUuid } from '../encoding/uuid.js'
import { codeOf } from '../errors.js'
import { verifyKeyProof } from '../keys/key-proof.js'
import type { PublicKey } from '../keys/public-key.js'
import type { SigningKey } from '../keys/signing-key.js'
import { agentChecksum, codeMode, componentDigests } from './checksum.js'
import type { LiveAgent } from './live-agent.js'
import { type PlanOptions, planRegistration, type RegistrationRequest } from './plan-registration.js'
import type { RegisteredKey, Registration, RegistrationStore } from './registration.js'
import { newestKey } from './registration-keys.js'

export interface RegisterOptions extends PlanOptions {
  readonly store: RegistrationStore
  /** The authenticated client that registers, which owns the agent from then on. */
  readonly owner: string
  /** The clients that tokens may be minted for; default: the owner. A new version keeps its predecessor's. */
  readonly clientIds?: readonly string[]
  readonly key: KeySource
  readonly clock: Clock
  /** Told before anything is stored, and waited for: what nobody could record is not registered. When somebody else
   * is faster, what was told is not stored after all. */
  readonly record?: (result: RegisterResult) => Promise<void>
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
  const isNew = plan.kind === 'new'
  const result: RegisterResult = { registration, outcome: isNew ? 'registered' : 'updated' }
  await options.record?.(result)
  await (isNew ? store.save(registration) : store.save(registration, plan.supersedes))
  return result
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
