import { describe, expect, it } from 'vitest'
import { AgenticError } from '../../runtime/errors.js'
import type { AgentDefinition } from '../../runtime/identity/agent.js'
import { type RegisterOptions, registerAgent } from '../../runtime/identity/register.js'
import type { RegistrationStore } from '../../runtime/identity/registration.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { memoryRegistrations } from '../support/memory-registrations.js'
import { liveScanner, readTool, registering } from '../support/registering.js'

const accepting = { acceptChanges: true }

describe('registerAgent (PROTOCOL 2.3)', () => {
  it('pins checksum, components, key, scopes and tools of a new agent', async () => {
    const store = memoryRegistrations()
    const agent = await liveScanner()
    const { registration, outcome } = await registerAgent(agent, registering(store))
    const key = fixedKey(`scanner ${agent.checksum()} 0`).publicKey
    expect(outcome).toBe('registered')
    expect(registration).toEqual({
      registrationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      agentId: 'scanner',
      owner: 'runtime',
      clientIds: ['runtime'],
      agentChecksum: agent.checksum(),
      components: agent.components(),
      code: 'shallow',
      keys: [{ kid: key.thumbprint, jwk: key.jwk, epoch: 0, mode: 'derived' }],
      version: '1.0.0',
      status: 'verified',
      scopes: ['repo:read'],
      tools: ['read'],
      registeredAt: Date.UTC(2026, 0, 1) / 1000,
    })
    expect(await store.latest('scanner')).toEqual(registration)
  })

  it('records what it will store, and stores nothing that cannot be recorded', async () => {
    const store = memoryRegistrations()
    const failing = async () => {
      throw new AgenticError('ERR_AUDIT_WRITE', 'the disk is full')
    }
    const agent = await liveScanner()
    await expectCode(registerAgent(agent, { ...registering(store), record: failing }), 'ERR_AUDIT_WRITE')
    expect(await store.latest('scanner')).toBeUndefined()

    const told: unknown[] = []
    const record: RegisterOptions['record'] = async (result) => {
      told.push(result, await store.latest('scanner'))
    }
    const result = await registerAgent(agent, { ...registering(store), record })
    expect(told).toEqual([result, undefined])
    // What is known already is no news.
    await registerAgent(agent, { ...registering(store), record })
    expect(told).toHaveLength(2)
  })

  it('finds the registration of an agent that did not change', async () => {
    const store = memoryRegistrations()
    const first = await registerAgent(await liveScanner(), registering(store))
    const again = await registerAgent(await liveScanner(), registering(store))
    expect(again).toEqual({ registration: first.registration, outcome: 'unchanged' })
    expect(await store.list()).toHaveLength(1)
  })

  const changes: [what: string, change: Partial<AgentDefinition>, named: string, version: string][] = [
    ['prompt', { prompt: 'Delete.' }, 'prompt', '2.0.0'],
    ['tool removed', { tools: [] }, 'tool "read" removed', '2.0.0'],
    ['tool changed', { tools: [readTool('read', 'writes')] }, 'tool "read" changed', '2.0.0'],
    ['tool added', { tools: [readTool('read'), readTool('send')] }, 'tool "send" added', '1.1.0'],
    ['configuration', { configuration: { temperature: 1 } }, 'configuration', '1.0.1'],
    ['code read', { module: import.meta.url }, 'code now deep, deps', '1.0.1'],
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
    const first = (await registerAgent(await liveScanner(), registering(store))).registration
    const changed = await liveScanner(change)
    const error = await expectCode(registerAgent(changed, registering(store)), 'ERR_AGENT_CHANGED')
    expect(error.message).toBe(`agent "scanner" changed since it was registered: ${named}`)
    expect(await store.latest('scanner')).toEqual(first)

    const { registration, outcome } = await registerAgent(changed, registering(store, accepting))
    expect([outcome, registration.version, registration.status]).toEqual(['updated', version, 'verified'])
    expect(registration.scopes).toEqual(changed.definition.scopes)
    expect((await store.byId(first.registrationId))?.status).toBe('updated')
    expect(registration.keys[0]?.kid === first.keys[0]?.kid).toBe(changed.checksum() === first.agentChecksum)
  })

  it('counts on from the newest version, also back to what once was', async () => {
    const store = memoryRegistrations()
    await registerAgent(await liveScanner(), registering(store))
    await registerAgent(await liveScanner({ prompt: 'Delete.' }), registering(store, accepting))
    await expectCode(registerAgent(await liveScanner(), registering(store)), 'ERR_AGENT_CHANGED')
    const back = await registerAgent(await liveScanner(), registering(store, accepting))
    expect(back.registration.version).toBe('3.0.0')
    expect((await store.list()).map(({ status }) => status)).toEqual(['updated', 'updated', 'verified'])
  })

  it('stops when the same agent has another key, as after the loss of the master secret', async () => {
    const store = memoryRegistrations()
    await registerAgent(await liveScanner(), registering(store))
    const other: Partial<RegisterOptions> = {
      key: { mode: 'derived', keyFor: () => fixedKey('another master') },
    }
    const error = await expectCode(
      registerAgent(await liveScanner(), registering(store, other)),
      'ERR_AGENT_CHANGED',
    )
    expect(error.message).toMatch(/: key$/)
    const replaced = await registerAgent(await liveScanner(), registering(store, { ...other, ...accepting }))
    expect([replaced.outcome, replaced.registration.version]).toEqual(['updated', '1.0.1'])
  })

  it('derives the key for the epoch that the registration is at', async () => {
    const store = memoryRegistrations()
    const { registration } = await registerAgent(await liveScanner(), registering(store))
    const rotated = fixedKey(`scanner ${registration.agentChecksum} 4`).publicKey
    const key = { kid: rotated.thumbprint, jwk: rotated.jwk, epoch: 4, mode: 'derived' } as const
    // The newest is the one of the highest epoch, wherever it stands.
    await store.setKeys(registration.registrationId, (current) => [key, ...current.keys])
    expect((await registerAgent(await liveScanner(), registering(store))).outcome).toBe('unchanged')
    const changed = await registerAgent(await liveScanner({ prompt: 'Else.' }), registering(store, accepting))
    expect(changed.registration.keys.map(({ epoch }) => epoch)).toEqual([4])
  })

  it('decides again when somebody else was faster', async () => {
    const store = memoryRegistrations()
    const agents = [await liveScanner(), await liveScanner()] // both made first, so that both look before either saves
    const both = await Promise.all(agents.map((agent) => registerAgent(agent, registering(store))))
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['registered', 'unchanged'])
    expect(await store.list()).toHaveLength(1)
  })

  it('does not let a faster one’s changed agent pass as its own', async () => {
    const store = memoryRegistrations()
    const agents = [await liveScanner(), await liveScanner({ prompt: 'Delete.' })]
    const outcomes = await Promise.allSettled(agents.map((agent) => registerAgent(agent, registering(store))))
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
    await expectCode(registerAgent(await liveScanner(), registering(failing)), 'ERR_STORE_FAILED')
    expect(saves).toBe(1)
  })
})
