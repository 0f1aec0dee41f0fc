/** `createRuntime`: puts the rooms together. The only place that picks adapters. */
import { userInfo } from 'node:os'
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { initiatorOf, localInitiator } from './authority/initiator.js'
import { createActivationClients } from './client/activation-client.js'
import { nowSeconds } from './clock.js'
import { decodeJws } from './encoding/compact-jws.js'
import { createEngine, type RunResult as EngineResult, type EngineRun } from './engine/run.js'
import { AgenticError } from './errors.js'
import type { ActivationRow, ApprovalRow } from './execution/records.js'
import { type ServedResource, serveResource } from './guard/serve.js'
import { createToolServer } from './guard/tool-server.js'
import { rotateKey } from './identity/add-key.js'
import { createCodeCache } from './identity/code-cache.js'
import { freezeAgent, type LiveAgent } from './identity/live-agent.js'
import { registerAgent } from './identity/register.js'
import type { Registration } from './identity/registration.js'
import { newestKey, registeredKey } from './identity/registration-keys.js'
import { masterSecretFromText } from './keys/master-secret.js'
import type { PublicJwk } from './keys/public-jwk.js'
import { assemble, type Parts, type RuntimeOptions, runtimeClientId } from './parts.js'
import type {
  ApprovalDecision,
  ChatModel,
  RegistrationReport,
  Run,
  RunDetail,
  RunOptions,
  RunResult,
  Runtime,
  StartOptions,
  StepReport,
} from './runtime.js'
import { resolveParameters } from './workflow/parameters.js'

export type { RuntimeOptions } from './parts.js'

/**
 * Opens a runtime on a store.
 * @throws AgenticError ERR_STORE_*, ERR_MASTER_SECRET_*, ERR_AUDIT_CORRUPT: it refuses to start rather than to forget
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const parts = await assemble({ ...environment(), ...options })
  const live = new Map<string, LiveAgent>()
  const codeCache = createCodeCache()
  const directory = agentDirectory(live, parts)
  const toolServer = createToolServer(
    `${parts.issuer}/tools`,
    (name, token) => localTool(live, name, token),
    parts.guard,
  )
  parts.audiences.add(toolServer.audience)

  /** An engine for one run: its clients reach only the resources served for it. */
  function engineFor(served: readonly ServedResource[], model: ChatModel | undefined) {
    return createEngine({
      authority: parts.authority,
      agents: directory,
      clients: createActivationClients({
        issuer: parts.authority,
        toolServer,
        resourceUrl: (id) => served.find((resource) => resource.id === id)?.url,
        clock: parts.clock,
        fetch: parts.fetch,
      }),
      checkpoints: parts.store.checkpoints,
      events: parts.events,
      executions: parts.store.executions,
      clock: parts.clock,
      ...(model && {
        model: { chat: model.chat as BaseChatModel, ...(model.limits && { limits: model.limits }) },
      }),
    })
  }

  /** Serves the run's resources for as long as it lasts. */
  async function launch(
    options: RunOptions,
    begin: (engine: ReturnType<typeof engineFor>, asked: EngineOptions) => Promise<EngineRun>,
  ): Promise<Run> {
    const served: ServedResource[] = []
    const release = async () => {
      for (const resource of served) parts.audiences.delete(resource.url)
      await Promise.all(served.map((resource) => resource.close()))
    }
    try {
      for (const resource of options.resources ?? []) {
        const opened = await serveResource(resource, parts.guard)
        served.push(opened)
        parts.audiences.add(opened.url)
      }
      const run = await begin(engineFor(served, options.model), engineOptions(options, parts))
      const ended = run.result.finally(release)
      ended.catch(() => undefined)
      return {
        id: run.executionId,
        events: () => parts.events.follow(run.executionId, ended),
        result: async () => resultOf(await ended, parts),
      }
    } catch (error) {
      await release()
      throw error
    }
  }

  return {
    issuer: parts.issuer,
    jwkSet: parts.authorityKeys.jwkSet,
    async register({ agents, acceptChanges = false }) {
      const reports: RegistrationReport[] = []
      for (const definition of agents) {
        const agent = await freezeAgent(definition, { cache: codeCache })
        const { registration, outcome } = await registerAgent(agent, {
          store: parts.store.registrations,
          key: { mode: 'derived', keyFor: parts.agentKey },
          clock: parts.clock,
          owner: runtimeClientId,
          acceptChanges,
          administrator: true, // whoever runs this program is the operator of its authority, too
        })
        live.set(definition.id, agent)
        if (outcome !== 'unchanged') await recordRegistration(registration, outcome, parts)
        reports.push({ agent: definition.id, outcome, registration })
      }
      return reports
    },
    revoke: (agent) => revoke(agent, parts),
    rotateKey: (agent, { overlapSeconds = defaultOverlapSeconds } = {}) =>
      rotate(agent, overlapSeconds, parts),
    async start(workflow, request) {
      const initiator = await initiatorFor(request, options, parts)
      return launch(request, (engine, asked) =>
        engine.start({
          ...asked,
          workflow,
          input: resolveParameters(workflow, request.input),
          initiator,
          request: request.request ?? workflow.description,
          driver: request.model?.name ?? 'scripted',
        }),
      )
    },
    resume: (executionId, workflow, options = {}) =>
      launch(options, (engine, asked) => engine.resume({ ...asked, executionId, workflow })),
    decide: (run, gate, decision) => decide(run, gate, decision, parts),
    runs: (limit) => parts.store.executions.list(limit),
    run: (run) => detailOf(run, parts),
    events: (run, after) => parts.events.events(run, after),
    agents: () => parts.store.registrations.list(),
    audit() {
      const { size, root } = parts.audit.head()
      return {
        records: size,
        root,
        checkpoint: parts.audit.checkpoint(),
        verifierKey: parts.audit.verifierKey,
      }
    },
    close: () => parts.close(),
  }
}

/** Taken once, and out of the environment, so that no process started later inherits it. */
const masterSecretText = process.env['BATON_MASTER_SECRET']
delete process.env['BATON_MASTER_SECRET']

/** What the environment says of a runtime; its options have the last word. */
function environment(): RuntimeOptions {
  return {
    masterSecretRequired: process.env['NODE_ENV'] === 'production',
    ...(masterSecretText !== undefined && {
      masterSecret: { load: async () => masterSecretFromText(masterSecretText) },
    }),
  }
}

/** The agents registered in this process, and the keys they act with. */
function agentDirectory(live: ReadonlyMap<string, LiveAgent>, parts: Parts) {
  return {
    agent(agentId: string) {
      const agent = live.get(agentId)
      if (!agent)
        throw new AgenticError('ERR_AGENT_UNKNOWN', `agent "${agentId}" is not registered in this process`)
      return agent
    },
    async registration(registrationId: string) {
      const registration = await parts.store.registrations.byId(registrationId)
      if (!registration) throw new AgenticError('ERR_AGENT_UNKNOWN', 'there is no such registration')
      return registration
    },
    keyOf(registration: Registration, jwk: PublicJwk = newestKey(registration).jwk) {
      const registered = registeredKey(registration, jwk)
      const key = parts.agentKey(registration.agentId, registration.agentChecksum, registered.epoch)
      if (key.publicKey.thumbprint !== registered.kid) {
        throw new AgenticError(
          'ERR_KEY_INVALID',
          `this runtime does not hold the key of agent "${registration.agentId}"`,
        )
      }
      return key
    },
  }
}

/** The tool of the agent that the token names. The guard verifies that very token before the tool runs. */
function localTool(live: ReadonlyMap<string, LiveAgent>, name: string, token: string) {
  const agentId = decodeJws(token, { typ: 'at+jwt' }).claims['sub']
  const agent = typeof agentId === 'string' ? live.get(agentId) : undefined
  return agent?.definition.tools.find((tool) => tool.name === name)
}

async function initiatorFor({ initiator, idToken }: StartOptions, options: RuntimeOptions, parts: Parts) {
  if (initiator && idToken !== undefined)
    throw new TypeError('start: expected an "initiator" or an "idToken", found both')
  if (initiator) return initiator
  if (idToken === undefined) return localInitiator(userInfo(), parts.clock)
  return initiatorOf(idToken, { issuers: options.idTokenIssuers ?? [], ...parts })
}

type EngineOptions = Pick<Parameters<ReturnType<typeof createEngine>['resume']>[0], 'onApproval' | 'signal'>

function engineOptions({ onApproval, signal }: RunOptions, parts: Parts): EngineOptions {
  return {
    ...(signal && { signal }),
    ...(onApproval && {
      async onApproval(question: ApprovalRow) {
        const decision = await onApproval(question)
        if (!decision) return false
        await decide(question.executionId, question.gate, decision, parts, question.approvalId)
        return true
      },
    }),
  }
}

async function decide(
  run: string,
  gate: string,
  decision: ApprovalDecision,
  parts: Parts,
  approvalId?: string,
): Promise<ApprovalRow> {
  const row = await parts.authority.decideApproval({
    executionId: run,
    gate,
    ...(approvalId !== undefined && { approvalId }),
    answer: {
      decision: decision.decision,
      approver: decision.approver,
      auth: { method: decision.method, time: nowSeconds(parts.clock) },
      ...(decision.reason !== undefined && { reason: decision.reason }),
    },
  })
  await parts.events.append({
    executionId: run,
    at: parts.clock.nowMs(),
    type: 'approval.decided',
    step: gate,
    data: { decision: decision.decision, approver: decision.approver, method: decision.method },
  })
  return row
}

async function recordRegistration(registration: Registration, outcome: string, parts: Parts): Promise<void> {
  await parts.audit.append({
    type: `agent.${outcome}`,
    actor: 'operator',
    subjects: { registration_id: registration.registrationId },
    data: {
      agent: registration.agentId,
      version: registration.version,
      agent_checksum: registration.agentChecksum,
      scopes: registration.scopes.join(' '),
    },
  })
}

const defaultOverlapSeconds = 24 * 3600

async function rotate(agent: string, overlapSeconds: number, parts: Parts): Promise<Registration> {
  const current = await parts.store.registrations.latest(agent)
  if (!current) throw new AgenticError('ERR_AGENT_UNKNOWN', `agent "${agent}" is not registered`)
  const { issuer, clock, keyring } = parts
  const rotated = await rotateKey(
    { registrationId: current.registrationId, clientId: runtimeClientId, overlapSeconds },
    { issuer, clock, keyring, store: parts.store.registrations, keyFor: parts.agentKey },
  )
  const { kid, epoch } = newestKey(rotated)
  await parts.audit.append({
    type: 'agent.key_rotated',
    actor: 'operator',
    subjects: { registration_id: rotated.registrationId },
    data: { agent, kid, epoch, overlap_seconds: overlapSeconds },
  })
  return rotated
}

/** Recorded first: a revocation that the log does not know of would be somebody's secret. */
async function revoke(agent: string, parts: Parts): Promise<void> {
  const registration = await parts.store.registrations.latest(agent)
  if (!registration) throw new AgenticError('ERR_AGENT_UNKNOWN', `agent "${agent}" is not registered`)
  await parts.audit.append({
    type: 'agent.revoked',
    actor: 'operator',
    subjects: { registration_id: registration.registrationId },
    data: { agent },
  })
  await parts.store.registrations.revokeAgent(agent)
}

/** How the run ended is the engine's word: a store that failed may still say that it is running. */
async function resultOf(ended: EngineResult, parts: Parts): Promise<RunResult> {
  const { steps } = await detailOf(ended.executionId, parts)
  return {
    run: ended.executionId,
    workflow: ended.workflow,
    status: ended.status,
    steps,
    output: ended.result ?? null,
    ...(ended.failure && { failure: ended.failure }),
    pending: ended.approvals,
  }
}

async function detailOf(run: string, parts: Parts): Promise<RunDetail> {
  const { execution, activations, receipts, approvals } = await parts.store.executions.snapshot(run)
  return {
    execution,
    steps: [...activations].sort((a, b) => a.startedAt - b.startedAt).map((row) => stepReport(row, parts)),
    approvals,
    receipts: [...receipts].sort((a, b) => a.at - b.at).map((receipt) => receipt.jws),
  }
}

function stepReport(row: ActivationRow, parts: Parts): StepReport {
  return {
    step: row.step,
    ...(row.agentId !== undefined && { agent: row.agentId }),
    ...(row.agentChecksum !== undefined && { agentChecksum: row.agentChecksum }),
    state: row.state,
    scope: row.scope,
    hops: row.chain.length,
    attempt: row.attempt,
    ms: (row.endedAt ?? parts.clock.nowMs()) - row.startedAt,
    chain: row.chain,
  }
}
