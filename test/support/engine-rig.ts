import { afterEach } from 'vitest'
import { createActivationClients } from '../../runtime/client/activation-client.js'
import type { EngineDeps } from '../../runtime/engine/ports.js'
import { createEngine, type RunOptions } from '../../runtime/engine/run.js'
import { createToolServer } from '../../runtime/guard/tool-server.js'
import type { AgentDefinition } from '../../runtime/identity/agent.js'
import { freezeAgent, type LiveAgent } from '../../runtime/identity/live-agent.js'
import { registerAgent } from '../../runtime/identity/register.js'
import { newestKey, registeredKey } from '../../runtime/identity/registration-keys.js'
import { assemble, type Parts, runtimeClientId } from '../../runtime/parts.js'
import type { Workflow } from '../../runtime/workflow/definition.js'
import { type FakeClock, fakeClock } from './fake-clock.js'

const open = new Set<Parts>()

afterEach(async () => {
  for (const parts of open) await parts.close()
  open.clear()
})

export interface EngineRig {
  readonly parts: Parts
  readonly clock: FakeClock
  /** By agent id: what the engine finds. A test may put something else in its place. */
  readonly live: Map<string, LiveAgent>
  /** An engine of its own on the same store, as in another process. */
  engine(overrides?: Partial<EngineDeps>): ReturnType<typeof createEngine>
  deps(overrides?: Partial<EngineDeps>): EngineDeps
  start(
    workflow: Workflow,
    overrides?: Partial<EngineDeps>,
    options?: RunOptions & { input?: object },
  ): Promise<Awaited<ReturnType<ReturnType<typeof createEngine>['start']>>>
  decide(executionId: string, gate: string, decision: 'approved' | 'denied'): Promise<void>
}

/** An engine with the real authority, guard and store, all in memory. */
export async function engineRig(agents: readonly AgentDefinition[]): Promise<EngineRig> {
  const clock = fakeClock()
  const parts = await assemble({ store: 'memory:', clock, masterSecret: new Uint8Array(32).fill(7) })
  open.add(parts)
  const live = new Map<string, LiveAgent>()
  for (const definition of agents) {
    const agent = await freezeAgent(definition)
    live.set(definition.id, agent)
    await registerAgent(agent, {
      store: parts.store.registrations,
      key: { mode: 'derived', keyFor: parts.agentKey },
      clock,
      owner: runtimeClientId,
      acceptChanges: false,
      administrator: true,
    })
  }
  const registered = new Map(live)
  const toolServer = createToolServer(
    `${parts.issuer}/tools`,
    (name) =>
      [...registered.values()].flatMap((agent) => agent.definition.tools).find((tool) => tool.name === name),
    parts.guard,
  )
  parts.audiences.add(toolServer.audience)

  const deps = (overrides: Partial<EngineDeps> = {}): EngineDeps => ({
    authority: parts.authority,
    agents: {
      agent(agentId) {
        const agent = live.get(agentId)
        if (!agent) throw new Error(`the test has no agent "${agentId}"`)
        return agent
      },
      async registration(registrationId) {
        const found = await parts.store.registrations.byId(registrationId)
        if (!found) throw new Error('no such registration')
        return found
      },
      keyOf: (registration, jwk = newestKey(registration).jwk) =>
        parts.agentKey(
          registration.agentId,
          registration.agentChecksum,
          registeredKey(registration, jwk).epoch,
        ),
    },
    clients: createActivationClients({
      issuer: parts.authority,
      toolServer,
      resourceUrl: () => undefined,
      clock,
      fetch,
    }),
    checkpoints: parts.store.checkpoints,
    events: parts.store.events,
    executions: parts.store.executions,
    clock,
    ...overrides,
  })

  return {
    parts,
    clock,
    live,
    deps,
    engine: (overrides) => createEngine(deps(overrides)),
    start: (workflow, overrides, { input = {}, ...options } = {}) =>
      createEngine(deps(overrides)).start({
        workflow,
        input: input as Record<string, string>,
        initiator: { initiatedBy: 'os:1000', auth: { method: 'local', time: 1767225600 } },
        request: 'test',
        driver: 'scripted',
        ...options,
      }),
    async decide(executionId, gate, decision) {
      await parts.authority.decideApproval({
        executionId,
        gate,
        answer: { decision, approver: 'os:1000', auth: { method: 'local', time: 1767225600 } },
      })
    },
  }
}
