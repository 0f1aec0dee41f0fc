/** An agent that can be registered, and how it is registered unless a test says otherwise. */
import { z } from 'zod'
import type { AgentDefinition } from '../../runtime/identity/agent.js'
import { freezeAgent } from '../../runtime/identity/live-agent.js'
import type { KeySource, RegisterOptions } from '../../runtime/identity/register.js'
import type { RegistrationStore } from '../../runtime/identity/registration.js'
import { fakeClock } from './fake-clock.js'
import { fixedKey } from './fixed-keys.js'

export const readTool = (name: string, description = 'reads') => ({
  name,
  description,
  parameters: z.object({ path: z.string() }),
  scope: 'repo:read',
  run: () => 'ok',
})

export function liveScanner(changes: Partial<AgentDefinition> = {}) {
  return freezeAgent({
    id: 'scanner',
    prompt: 'Scan.',
    tools: [readTool('read')],
    scopes: ['repo:read'],
    run: () => 'ok',
    ...changes,
  })
}

/** Stands for the derivation from a master secret: one key for one agent, checksum and epoch. */
export const keyFor = (agentId: string, checksum: string, epoch: number) =>
  fixedKey(`${agentId} ${checksum} ${epoch}`)

export const derived: KeySource = { mode: 'derived', keyFor }

/** By the local operator, `runtime`, who accepts nothing that changed. */
export function registering(
  store: RegistrationStore,
  changes: Partial<RegisterOptions> = {},
): RegisterOptions {
  return {
    store,
    key: derived,
    clock: fakeClock(),
    owner: 'runtime',
    acceptChanges: false,
    administrator: true,
    ...changes,
  }
}
