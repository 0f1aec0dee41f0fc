import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AgenticError } from '../../runtime/errors.js'
import type { AgentDefinition } from '../../runtime/identity/agent.js'
import { freezeAgent } from '../../runtime/identity/live-agent.js'
import { planRegistration, type RegisterOptions, registerAgent } from '../../runtime/identity/register.js'
import type { Registration, RegistrationStore } from '../../runtime/identity/registration.js'
import { nextVersion } from '../../runtime/identity/version.js'
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

function live(changes: Partial<AgentDefinition> = {}) {
  return freezeAgent({
    id: 'scanner',
    prompt: 'Scan.',
    tools: [tool('read')],
    scopes: ['repo:read'],
    run: () => 'ok',
    ...changes,
  })
}

function options(store: RegistrationStore, changes: Partial<RegisterOptions> = {}): RegisterOptions {
  return {
    store,
    keyFor: (id, checksum, epoch) => fixedKey(`${id} ${checksum} ${epoch}`),
    clock: fakeClock(),
    acceptChanges: false,
    ...changes,
  }
}

const accepting = { acceptChanges: true }

describe('registerAgent (PROTOCOL 2.3)', () => {
  it('pins checksum, components, key, scopes and tools of a new agent', async () => {
    const store = memoryRegistrations()
    const agent = await live()
    const { registration, outcome } = await registerAgent(agent, options(store))
    const key = fixedKey(`scanner ${agent.checksum()} 0`).publicKey
    expect(outcome).toBe('registered')
    expect(registration).toEqual({
      registrationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      agentId: 'scanner',
      agentChecksum: agent.checksum(),
      components: agent.components(),
      keys: [{ kid: key.thumbprint, jwk: key.jwk, epoch: 0, mode: 'derived' }],
      version: '1.0.0',
      status: 'verified',
      scopes: ['repo:read'],
      tools: ['read'],
      registeredAt: Date.UTC(2026, 0, 1) / 1000,
    })
    expect(await store.latest('scanner')).toEqual(registration)
  })

  it('finds the registration of an agent that did not change', async () => {
    const store = memoryRegistrations()
    const first = await registerAgent(await live(), options(store))
    const again = await registerAgent(await live(), options(store))
    expect(again).toEqual({ registration: first.registration, outcome: 'unchanged' })
    expect(await store.list()).toHaveLength(1)
  })

  const changes: [what: string, change: Partial<AgentDefinition>, named: string, version: string][] = [
    ['prompt', { prompt: 'Delete.' }, 'prompt', '2.0.0'],
    ['tool removed', { tools: [] }, 'tool "read" removed', '2.0.0'],
    ['tool changed', { tools: [tool('read', 'writes')] }, 'tool "read" changed', '2.0.0'],
    ['tool added', { tools: [tool('read'), tool('send')] }, 'tool "send" added', '1.1.0'],
    ['configuration', { configuration: { temperature: 1 } }, 'configuration', '1.0.1'],
    ['scopes widened', { scopes: ['repo:read', 'repo:write'] }, 'scopes', '1.0.1'],
    [
      'prompt and scopes',
      { prompt: 'Delete.', scopes: ['repo:read', 'repo:write'] },
      'prompt, scopes',
      '2.0.0',
    ],
  ]

  it.each(changes)('stops at a changed %s until it is accepted', async (_, change, named, version) => {
    const store = memoryRegistrations()
    const first = (await registerAgent(await live(), options(store))).registration
    const changed = await live(change)
    const error = await expectCode(registerAgent(changed, options(store)), 'ERR_AGENT_CHANGED')
    expect(error.message).toBe(`agent "scanner" changed since it was registered: ${named}`)
    expect(await store.latest('scanner')).toEqual(first)

    const { registration, outcome } = await registerAgent(changed, options(store, accepting))
    expect([outcome, registration.version, registration.status]).toEqual(['updated', version, 'verified'])
    expect(registration.scopes).toEqual(changed.definition.scopes)
    expect((await store.byId(first.registrationId))?.status).toBe('updated')
    expect(registration.keys[0]?.kid === first.keys[0]?.kid).toBe(changed.checksum() === first.agentChecksum)
  })

  it('counts on from the newest version, also back to what once was', async () => {
    const store = memoryRegistrations()
    await registerAgent(await live(), options(store))
    await registerAgent(await live({ prompt: 'Delete.' }), options(store, accepting))
    await expectCode(registerAgent(await live(), options(store)), 'ERR_AGENT_CHANGED')
    const back = await registerAgent(await live(), options(store, accepting))
    expect(back.registration.version).toBe('3.0.0')
    expect((await store.list()).map(({ status }) => status)).toEqual(['updated', 'updated', 'verified'])
  })

  it('stops when the same agent has another key, as after the loss of the master secret', async () => {
    const store = memoryRegistrations()
    await registerAgent(await live(), options(store))
    const other = { keyFor: () => fixedKey('another master') }
    const error = await expectCode(registerAgent(await live(), options(store, other)), 'ERR_AGENT_CHANGED')
    expect(error.message).toMatch(/: key$/)
    const replaced = await registerAgent(await live(), options(store, { ...other, ...accepting }))
    expect([replaced.outcome, replaced.registration.version]).toEqual(['updated', '1.0.1'])
  })

  it('derives the key for the epoch that the registration is at', async () => {
    const store = memoryRegistrations()
    const { registration } = await registerAgent(await live(), options(store))
    const rotated = fixedKey(`scanner ${registration.agentChecksum} 4`).publicKey
    const key = { kid: rotated.thumbprint, jwk: rotated.jwk, epoch: 4, mode: 'derived' } as const
    const next: Registration = { ...registration, registrationId: 'r2', keys: [...registration.keys, key] }
    await store.save(next, registration.registrationId)
    expect((await registerAgent(await live(), options(store))).outcome).toBe('unchanged')
    const changed = await registerAgent(await live({ prompt: 'Else.' }), options(store, accepting))
    expect(changed.registration.keys.map(({ epoch }) => epoch)).toEqual([4])
  })

  it('never registers a revoked agent again, changed or not, accepted or not', async () => {
    const store = memoryRegistrations()
    const { registration } = await registerAgent(await live(), options(store))
    await store.revoke(registration.registrationId)
    for (const agent of [await live(), await live({ prompt: 'Else.' })]) {
      await expectCode(registerAgent(agent, options(store)), 'ERR_AGENT_REVOKED')
      await expectCode(registerAgent(agent, options(store, accepting)), 'ERR_AGENT_REVOKED')
    }
    expect((await registerAgent(await live({ id: 'scanner-2' }), options(store))).outcome).toBe('registered')
  })

  it('decides again when somebody else was faster', async () => {
    const store = memoryRegistrations()
    const agents = [await live(), await live()] // both made first, so that both look before either saves
    const both = await Promise.all(agents.map((agent) => registerAgent(agent, options(store))))
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['registered', 'unchanged'])
    expect(await store.list()).toHaveLength(1)
  })

  it('does not let a faster one’s changed agent pass as its own', async () => {
    const store = memoryRegistrations()
    const agents = [await live(), await live({ prompt: 'Delete.' })]
    const outcomes = await Promise.allSettled(agents.map((agent) => registerAgent(agent, options(store))))
    const refused = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as AgenticError] : [],
    )
    expect(refused.map(({ code }) => code)).toEqual(['ERR_AGENT_CHANGED'])
  })

  it('passes on what else the store says, without trying again', async () => {
    let saves = 0
    const failing: RegistrationStore = {
      ...memoryRegistrations(),
      save: async () => {
        saves += 1
        throw new AgenticError('ERR_STORE_FAILED', 'the disk is full')
      },
    }
    await expectCode(registerAgent(await live(), options(failing)), 'ERR_STORE_FAILED')
    expect(saves).toBe(1)
  })
})

describe('planRegistration', () => {
  it('is about one agent', async () => {
    const store = memoryRegistrations()
    const { registration } = await registerAgent(await live(), options(store))
    const [key] = registration.keys
    if (key === undefined) throw new Error('the registration has a key')
    const request = { ...registration, key }
    expect(planRegistration(registration, request, accepting).kind).toBe('existing')
    expect(() => planRegistration(registration, { ...request, agentId: 'other' }, accepting)).toThrow(
      TypeError,
    )
    expect(planRegistration(undefined, request, accepting)).toEqual({ kind: 'new', version: '1.0.0' })
  })
})

describe('nextVersion', () => {
  const components = (tools: Record<string, string>, prompt = 'p') => ({ prompt, tools, configuration: 'c' })

  it('counts the gravest change', () => {
    const before = components({ read: 'a' })
    expect(nextVersion('1.4.2', before, components({ read: 'b', send: 'c' }))).toBe('2.0.0')
    expect(nextVersion('1.4.2', before, components({ send: 'c' }))).toBe('2.0.0')
    expect(nextVersion('1.4.2', before, components({ read: 'a', send: 'c' }, 'q'))).toBe('2.0.0')
    expect(nextVersion('1.4.2', before, components({ read: 'a', send: 'c' }))).toBe('1.5.0')
    expect(nextVersion('1.4.2', before, { ...before, code: 'x' })).toBe('1.4.3')
  })
})
