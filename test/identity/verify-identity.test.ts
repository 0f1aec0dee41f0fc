import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AgentDefinition } from '../../runtime/identity/agent.js'
import { freezeAgent } from '../../runtime/identity/live-agent.js'
import { registerAgent } from '../../runtime/identity/register.js'
import type { Registration } from '../../runtime/identity/registration.js'
import { verifyIdentity } from '../../runtime/identity/verify-identity.js'
import { attack } from '../support/attack.js'
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

const now = Date.UTC(2026, 0, 1) / 1000
const live = (changes: Partial<AgentDefinition> = {}) => freezeAgent(definition(changes))

async function registered(changes: Partial<Registration> = {}): Promise<Registration> {
  const { registration } = await registerAgent(await live(), {
    store: memoryRegistrations(),
    key: {
      mode: 'derived',
      keyFor: (id, checksum, epoch) => fixedKey(`${id} ${checksum} ${epoch}`),
    },
    clock: fakeClock(),
    owner: 'runtime',
    acceptChanges: false,
    administrator: true,
  })
  return { ...registration, ...changes }
}

/** What a registration says of an agent with these changes. */
async function fieldsOf(changes: Partial<AgentDefinition>): Promise<Partial<Registration>> {
  const agent = await live(changes)
  return { agentChecksum: agent.checksum(), components: agent.components() }
}

describe('verifyIdentity (PROTOCOL 2.1)', () => {
  it('passes the agent that was registered', async () => {
    verifyIdentity(await live(), await registered(), now)
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
    ['module', { module: new URL('../support/fake-clock.ts', import.meta.url).href }, 'code now deep, deps'],
  ]

  it.each(changes)('refuses a changed %s and names it, without content', async (_, changed, named) => {
    const agent = await live(changed)
    const error = await expectCode(
      async () => verifyIdentity(agent, await registered(), now),
      'ERR_AGENT_CHECKSUM_MISMATCH',
    )
    expect(error.message).toBe(`agent "scanner" is not what was registered: ${named}`)
  })

  it('refuses another agent, whatever its checksum', async () => {
    const other = await live({ id: 'patcher' })
    const forged = await registered({ agentChecksum: other.checksum() })
    await expectCode(() => verifyIdentity(other, forged, now), 'ERR_AGENT_CHECKSUM_MISMATCH')
  })

  it('refuses a stored checksum that its own components do not explain', async () => {
    const agent = await live()
    const forged = await registered({ agentChecksum: `sha256:${'0'.repeat(64)}` })
    await expectCode(() => verifyIdentity(agent, forged, now), 'ERR_AGENT_CHECKSUM_MISMATCH')
  })

  attack('X13', 'refuses a revoked registration, whatever else it says', async () => {
    const agent = await live()
    const revoked = await registered({ status: 'revoked', supersededAt: now })
    await expectCode(() => verifyIdentity(agent, revoked, now), 'ERR_AGENT_REVOKED')
  })

  attack('X13', 'lets a superseded registration serve who pinned it, for a day', async () => {
    const agent = await live()
    const updated = await registered({ status: 'updated', supersededAt: now })
    verifyIdentity(agent, updated, now + 86_399)
    await expectCode(() => verifyIdentity(agent, updated, now + 86_400), 'ERR_AGENT_SUPERSEDED')
    const undated = await registered({ status: 'updated' })
    await expectCode(() => verifyIdentity(agent, undated, now), 'ERR_AGENT_SUPERSEDED')
  })

  it('names a switch from deep to shallow: the check of the code would be off', async () => {
    const module = new URL('../support/fake-clock.ts', import.meta.url).href
    const deep = await registered({ ...(await fieldsOf({ module })) })
    verifyIdentity(await live({ module }), deep, now)
    const shallow = await live({ module, code: 'shallow' })
    const error = await expectCode(() => verifyIdentity(shallow, deep, now), 'ERR_AGENT_CHECKSUM_MISMATCH')
    expect(error.message).toContain(': code now shallow, deps')
  })

  it('does not need what the checksum does not cover: code that runs without a module is the same agent', async () => {
    verifyIdentity(await live({ run: () => 'other' }), await registered(), now)
  })
})
