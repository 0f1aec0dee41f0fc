/** `createRuntime`: puts the rooms together. The only place that picks adapters. */
import { userInfo } from 'node:os'
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { initiatorOf, localInitiator } from './authority/initiator.js'
import { createActivationClients } from './client/activation-client.js'
import { decodeJws } from './encoding/compact-jws.js'
import { createEngine, type EngineRun } from './engine/run.js'
import { AgenticError } from './errors.js'
import type { ApprovalRow } from './execution/records.js'
import { type ServedResource, serveResource } from './guard/serve.js'
import { createToolServer } from './guard/tool-server.js'
import { createCodeCache } from './identity/code-cache.js'
import type { LiveAgent } from './identity/live-agent.js'
import type { Registration } from './identity/registration.js'
import { newestKey, registeredKey } from './identity/registration-keys.js'
import { masterSecretFromText } from './keys/master-secret.js'
import type { PublicJwk } from './keys/public-jwk.js'
import { decideGate, registerAgents, revokeAgent, rotateAgentKey } from './operator.js'
import { assemble, type Parts, type RuntimeOptions } from './parts.js'
import { detailOf, resultOf } from './run-report.js'
import type { ChatModel, Run, RunOptions, Runtime, StartOptions } from './runtime.js'
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
    register: (request) => registerAgents(request, { live, codeCache, parts }),
    revoke: (agent) => revokeAgent(agent, parts),
    rotateKey: (agent, options) => rotateAgentKey(agent, options?.overlapSeconds, parts),
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
    decide: (run, gate, decision) => decideGate(run, gate, decision, parts),
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
        await decideGate(question.executionId, question.gate, decision, parts, question.approvalId)
        return true
      },
    }),
  }
}
