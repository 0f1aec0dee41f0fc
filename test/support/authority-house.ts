/** An authority with its store, log and registered agents, and the engine's part of a run played by hand. */
import { createJournal, type Journal } from '../../runtime/audit/journal.js'
import { openAuditLog } from '../../runtime/audit/log.js'
import { type MemoryAuditStorage, memoryAuditStorage } from '../../runtime/audit/memory-storage.js'
import { type Authority, createAuthority } from '../../runtime/authority/authority.js'
import type { AuthorityDeps } from '../../runtime/authority/deps.js'
import type { TokenRequest } from '../../runtime/client/issuer.js'
import { decodeAssertion } from '../../runtime/delegation/assertion.js'
import { deriveAssertion } from '../../runtime/delegation/derive.js'
import { createLinkCache } from '../../runtime/delegation/verified-links.js'
import type { Lease } from '../../runtime/engine/authority-port.js'
import { signReceipt } from '../../runtime/execution/receipt.js'
import type { ActivationRow, ApprovalRow, ExecutionRow } from '../../runtime/execution/records.js'
import type { Registration } from '../../runtime/identity/registration.js'
import type { Store } from '../../runtime/store/open-store.js'
import { createDpopProof } from '../../runtime/tokens/dpop-proof.js'
import type { AgentStep } from '../../runtime/workflow/definition.js'
import { stepGrant } from '../../runtime/workflow/grant.js'
import { registrationRow } from './execution-rows.js'
import { type FakeClock, fakeClock } from './fake-clock.js'
import { fixedAuthorityKeys, fixedKey, keyring } from './fixed-keys.js'
import { audience, issuer } from './intent-claims.js'
import { approvedArgs, order, type ShippingAgent, shipping, shippingAgents } from './shipping.js'
import { temporaryStore } from './stores.js'

export interface House {
  readonly authority: Authority
  readonly deps: AuthorityDeps
  readonly store: Store
  readonly clock: FakeClock
  readonly log: MemoryAuditStorage
}

/** @param changes to what the authority is made of */
export async function openHouse(changes: Partial<AuthorityDeps> = {}): Promise<House> {
  const clock = fakeClock()
  const store = await temporaryStore('memory:', clock)
  const log = memoryAuditStorage()
  const audit = await openAuditLog({
    storage: log,
    origin: 'authority.example',
    key: fixedKey('audit'),
    clock,
  })
  const deps: AuthorityDeps = {
    issuer,
    keys: fixedAuthorityKeys,
    keyring,
    engineKey: fixedKey('engine').publicKey,
    signReceipt: (facts) => signReceipt(facts, fixedKey('engine')),
    executions: store.executions,
    registrations: store.registrations,
    singleUse: store.singleUse,
    journal: createJournal({ audit, salts: store.salts }),
    links: createLinkCache(),
    audiences: () => [audience],
    clock,
    clientId: 'runtime',
    random: (bytes) => new Uint8Array(bytes).fill(7),
    ...changes,
  }
  for (const agent of Object.keys(shippingAgents))
    await store.registrations.save(registrationOf(agent as ShippingAgent))
  return { authority: createAuthority(deps), deps, store, clock, log }
}

export function registrationOf(agent: ShippingAgent, changes: Partial<Registration> = {}): Registration {
  const { publicKey } = fixedKey(agent)
  return registrationRow({
    registrationId: `registration-${agent}`,
    agentId: agent,
    agentChecksum: checksumOf(agent),
    keys: [{ kid: publicKey.thumbprint, jwk: publicKey.jwk, epoch: 0, mode: 'derived' }],
    scopes: [...shippingAgents[agent].scopes],
    tools: [...shippingAgents[agent].tools],
    ...changes,
  })
}

export function checksumOf(agent: string): string {
  return `sha256:${Buffer.from(agent).toString('hex').padEnd(64, '0')}`
}

export interface HouseRun {
  readonly execution: ExecutionRow
  readonly lease: Lease
  /** Opens a step and gives it its assertion; a gate holds none. */
  open(step: string): Promise<ActivationRow>
  /** Commits the receipt of an open activation. */
  complete(activation: ActivationRow): Promise<void>
  /** Opens and completes everything before a step, its gate approved, and opens the step. */
  reach(step: string): Promise<ActivationRow>
  ask(gate: ActivationRow): Promise<ApprovalRow>
  decide(decision: 'approved' | 'denied'): Promise<ApprovalRow>
}

export async function startRun(house: House): Promise<HouseRun> {
  const { authority, store } = house
  const execution = await authority.startExecution({
    workflow: shipping,
    input: order,
    initiator: { initiatedBy: 'os:1000', auth: { method: 'local', time: 1_767_225_600 } },
    request: 'ship apples',
    driver: 'scripted',
  })
  const lease = { executionId: execution.executionId, epoch: execution.epoch }
  const open = async (step: string) => {
    const activation = await authority.activate(lease, { workflow: shipping, step, iteration: 0, item: 0 })
    const found = shipping.step(step)
    if (found.kind === 'gate') return activation
    const chain = await chainFor(house, execution, found, activation)
    return authority.delegate(lease, {
      workflow: shipping,
      activationId: activation.activationId,
      step,
      chain,
    })
  }
  const complete = async (activation: ActivationRow) => {
    const digests = { inputDigest: 'sha256:i', outputDigest: 'sha256:o', writesDigest: 'sha256:w' }
    const pending = authority.prepareReceipt(lease, activation, { ...digests, tokens: [], calls: [] })
    await store.executions.decide(execution.executionId, pending.steps, pending.decide)
    await pending.committed()
  }
  const ask = (gate: ActivationRow) =>
    authority.requestApproval(lease, { workflow: shipping, gate, args: approvedArgs })
  const decide = (decision: 'approved' | 'denied') =>
    authority.decideApproval({
      executionId: execution.executionId,
      gate: 'approve',
      answer: { decision, approver: 'os:1000', auth: { method: 'terminal', time: 1_767_225_600 } },
    })
  const reach = async (step: string) => {
    for (const { id, kind } of shipping.steps) {
      if (id === step) break
      const activation = await open(id)
      if (kind === 'gate') {
        await ask(activation)
        await decide('approved')
      }
      await complete(activation)
    }
    return open(step)
  }
  return { execution, lease, open, complete, reach, ask, decide }
}

/** What the delegator of a step signs for one of its activations. */
export async function chainFor(
  house: House,
  execution: ExecutionRow,
  step: AgentStep,
  activation: ActivationRow,
): Promise<readonly string[]> {
  if (step.delegatedBy === undefined) return [execution.root]
  const delegator = shipping.step(step.delegatedBy) as AgentStep
  const { activations } = await house.store.executions.snapshot(execution.executionId, [delegator.id])
  const held = activations.at(-1)?.chain ?? []
  const grant = stepGrant(shipping, step, decodeAssertion(held.at(-1) ?? '').toolGrants, order)
  const assertion = deriveAssertion(
    { chain: held },
    {
      delegatee: fixedKey(step.agent).publicKey,
      tools: grant.tools,
      scope: grant.scope,
      agentProof: { agentChecksum: checksumOf(step.agent), registrationId: `registration-${step.agent}` },
      intent: { workflowStep: step.id, activationId: activation.activationId },
    },
    fixedKey(delegator.agent),
    { clock: house.clock },
  )
  return [...held, assertion]
}

/** A request for a token that is right in everything but what is changed. */
export function tokenRequest(
  activation: ActivationRow,
  tool: string,
  changes: Partial<TokenRequest> = {},
): TokenRequest {
  const agentId = activation.agentId ?? ''
  return {
    agentId,
    computedChecksum: checksumOf(agentId),
    workflowId: 'shipping',
    workflowStep: activation.step,
    executionId: activation.executionId,
    activationId: activation.activationId,
    epoch: activation.epoch,
    scope: activation.scope,
    audience,
    tool,
    chain: activation.chain,
    proof: createDpopProof({ method: 'POST', url: `${issuer}/token` }, fixedKey(agentId), {
      clock: fakeClock(),
    }),
    ...changes,
  }
}

/** Records as they stand in the log, checkpoints left out. */
export function recordsOf(house: House): Record<string, unknown>[] {
  return Buffer.from(house.log.bytes())
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** A journal that writes until it is told to fail. */
export function failingJournal(journal: Journal): Journal & { fail(error: Error): void } {
  let failure: Error | undefined
  return {
    fail(error) {
      failure = error
    },
    async record(entry) {
      if (failure) throw failure
      await journal.record(entry)
    },
    digest: (executionId, payload) => journal.digest(executionId, payload),
  }
}
