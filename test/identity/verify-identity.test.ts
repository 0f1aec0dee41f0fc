import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AgentDefinition } from '../../runtime/identity/agent.js'
import { freezeAgent } from '../../runtime/identity/live-agent.js'
import { registerAgent } from '../../runtime/identity/register.js'
import type { Registration } from '../../runtime/identity/registration.js'
import { verifyIdentity } from '../../runtime/identity/verify-identity.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey } from '../support/fixed-keys.js'
import { memoryRegistrations } from '../support/memory-registrations.js'

const tool = (name: string, description = 'reads') => ({
  name,
  description,
  parameters: z.object({ path: z.string() }),
  scope: 'repo:read',
  run: () => 'ok',
})

function definition(changes: Partial<AgentDefinition> = {}): AgentDefinition {
  return {
    id: 'scanner',
    prompt: 'You know the password: hunter2.',
    tools: [tool('read')],
    configuration: { temperature: 0 },
    scopes: ['repo:read'],
    run: () => 'ok',
    ...changes,
  }
}

const live = (changes: Partial<AgentDefinition> = {}) => freezeAgent(definition(changes))

async function registered(changes: Partial<Registration> = {}): Promise<Registration> {
  const { registration } = await registerAgent(await live(), {
    store: memoryRegistrations(),
    keyFor: (id, checksum, epoch) => fixedKey(`${id} ${checksum} ${epoch}`),
    clock: fakeClock(),
    acceptChanges: false,
  })
  return { ...registration, ...changes }
}

describe('verifyIdentity (PROTOCOL 2.1)', () => {
  it('passes the agent that was registered', async () => {
    verifyIdentity(await live(), await registered())
  })

  const changes: [what: string, changed: Partial<AgentDefinition>, named: string][] = [
    ['prompt', { prompt: 'You know the password: swordfish.' }, 'prompt'],
    ['prompt’s indentation', { prompt: ' You know the password: hunter2.' }, 'prompt'],
    ['tool added', { tools: [tool('read'), tool('send')] }, 'tool "send" added'],
    ['tool removed', { tools: [] }, 'tool "read" removed'],
    ['tool description', { tools: [tool('read', 'reads hunter2')] }, 'tool "read" changed'],
    [
      'tool parameter',
      { tools: [{ ...tool('read'), parameters: z.object({ path: z.url() }) }] },
      'tool "read" changed',
    ],
    ['configuration', { configuration: { temperature: 1 } }, 'configuration'],
    ['module', { module: new URL('../support/fake-clock.ts', import.meta.url).href }, 'code, deps'],
  ]

  it.each(changes)('refuses a changed %s and names it, without content', async (_, changed, named) => {
    const agent = await live(changed)
    const error = await expectCode(
      async () => verifyIdentity(agent, await registered()),
      'ERR_AGENT_CHECKSUM_MISMATCH',
    )
    expect(error.message).toBe(`agent "scanner" is not what was registered: ${named}`)
  })

  it('refuses another agent, whatever its checksum', async () => {
    const other = await live({ id: 'patcher' })
    const forged = await registered({ agentChecksum: other.checksum() })
    await expectCode(() => verifyIdentity(other, forged), 'ERR_AGENT_CHECKSUM_MISMATCH')
  })

  it('refuses a stored checksum that its own components do not explain', async () => {
    const agent = await live()
    const forged = await registered({ agentChecksum: `sha256:${'0'.repeat(64)}` })
    await expectCode(() => verifyIdentity(agent, forged), 'ERR_AGENT_CHECKSUM_MISMATCH')
  })

  it('refuses a revoked registration; a superseded one still serves who pinned it', async () => {
    const agent = await live()
    const revoked = await registered({ status: 'revoked' })
    await expectCode(() => verifyIdentity(agent, revoked), 'ERR_AGENT_REVOKED')
    verifyIdentity(agent, await registered({ status: 'updated' }))
  })

  it('does not need what the checksum does not cover: code that runs without a module is the same agent', async () => {
    verifyIdentity(await live({ run: () => 'other' }), await registered())
  })
})
