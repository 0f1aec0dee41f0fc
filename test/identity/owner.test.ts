/** Whose an agent is, and who grants it what (PROTOCOL 2.3, X17). */
import { describe, expect, it } from 'vitest'
import { requireMintingClient } from '../../runtime/identity/owner.js'
import { registerAgent } from '../../runtime/identity/register.js'
import { attack } from '../support/attack.js'
import { registrationRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { memoryRegistrations } from '../support/memory-registrations.js'
import { liveScanner, registering } from '../support/registering.js'

const accepting = { acceptChanges: true }
const stranger = { owner: 'mallory' }

describe('an agent id', () => {
  attack('X17', 'belongs to the client that registered it first', async () => {
    const store = memoryRegistrations()
    const mine = await registerAgent(await liveScanner(), registering(store))
    for (const agent of [await liveScanner(), await liveScanner({ prompt: 'Steal.' })]) {
      for (const options of [stranger, { ...stranger, ...accepting }]) {
        const error = await expectCode(registerAgent(agent, registering(store, options)), 'ERR_AGENT_OWNER')
        expect(error.message).toBe('agent "scanner" was registered by another client')
      }
    }
    expect(await store.list()).toEqual([mine.registration])
    const again = await registerAgent(await liveScanner({ prompt: 'Else.' }), registering(store, accepting))
    expect(again.registration.owner).toBe('runtime')
    const theirs = await registerAgent(await liveScanner({ id: 'other' }), registering(store, stranger))
    expect(theirs.registration).toMatchObject({ owner: 'mallory', clientIds: ['mallory'] })
  })

  attack('X17', 'tells a stranger nothing, not even that it is revoked', async () => {
    const store = memoryRegistrations()
    const { registration } = await registerAgent(await liveScanner(), registering(store))
    await store.revoke(registration.registrationId)
    await expectCode(registerAgent(await liveScanner(), registering(store, stranger)), 'ERR_AGENT_OWNER')
    await expectCode(registerAgent(await liveScanner(), registering(store)), 'ERR_AGENT_REVOKED')
  })

  attack('X17', 'goes to one of two clients that register it at once', async () => {
    const store = memoryRegistrations()
    const agents = [await liveScanner(), await liveScanner()]
    const outcomes = await Promise.allSettled(
      agents.map((agent, index) => registerAgent(agent, registering(store, index === 0 ? {} : stranger))),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(outcomes[1]).toMatchObject({ reason: { code: 'ERR_AGENT_OWNER' } })
    expect(await store.list()).toHaveLength(1)
  })
})

describe('the clients that tokens may be minted for', () => {
  it('are the owner unless it names others, and a new version keeps them', async () => {
    const store = memoryRegistrations()
    const clientIds = ['runtime', 'worker-1']
    const first = await registerAgent(await liveScanner(), registering(store, { clientIds }))
    expect(first.registration.clientIds).toEqual(clientIds)
    const changed = await liveScanner({ prompt: 'Else.' })
    const next = await registerAgent(changed, registering(store, { ...accepting, clientIds: ['mallory'] }))
    expect(next.registration.clientIds).toEqual(clientIds)
  })

  attack('X17', 'are these and no others', async () => {
    const registration = registrationRow({ owner: 'runtime', clientIds: ['worker-1'] })
    requireMintingClient(registration, 'worker-1')
    // Owning an agent is the right to register it; whether its owner may mint for it is said, too.
    for (const other of ['runtime', 'worker-2', '']) {
      await expectCode(() => requireMintingClient(registration, other), 'ERR_CLIENT_UNAUTHORIZED')
    }
  })
})

describe('a grant', () => {
  const wider = { scopes: ['repo:read', 'repo:write'] }
  const notAdministrator = { ...accepting, administrator: false }

  attack(
    'X17',
    'of a new version is at most its predecessor’s, unless an administrator widens it',
    async () => {
      const store = memoryRegistrations()
      await registerAgent(await liveScanner(), registering(store))
      const changed = await liveScanner({ ...wider, prompt: 'Else.' })
      const trimmed = await registerAgent(changed, registering(store, notAdministrator))
      expect([trimmed.outcome, trimmed.registration.scopes]).toEqual(['updated', ['repo:read']])
      // Asking again changes nothing: what it declares is no news, what it is granted would be.
      expect((await registerAgent(changed, registering(store, notAdministrator))).outcome).toBe('unchanged')
      const error = await expectCode(registerAgent(changed, registering(store)), 'ERR_AGENT_CHANGED')
      expect(error.message).toMatch(/: scopes$/)
      const widened = await registerAgent(changed, registering(store, accepting))
      expect(widened.registration.scopes).toEqual(wider.scopes)
    },
  )

  attack('X17', 'is none for a new agent, until an administrator gives one', async () => {
    const store = memoryRegistrations()
    const first = await registerAgent(await liveScanner(), registering(store, notAdministrator))
    expect([first.outcome, first.registration.scopes]).toEqual(['registered', []])
    const granted = await registerAgent(await liveScanner(), registering(store, accepting))
    expect([granted.outcome, granted.registration.scopes]).toEqual(['updated', ['repo:read']])
  })

  it('may be given up by anybody who owns the agent, and does not come back by itself', async () => {
    const store = memoryRegistrations()
    await registerAgent(await liveScanner(wider), registering(store))
    const narrow = await registerAgent(await liveScanner(), registering(store, notAdministrator))
    expect(narrow.registration.scopes).toEqual(['repo:read'])
    const back = await registerAgent(await liveScanner(wider), registering(store, notAdministrator))
    expect([back.outcome, back.registration.scopes]).toEqual(['unchanged', ['repo:read']])
  })
})
