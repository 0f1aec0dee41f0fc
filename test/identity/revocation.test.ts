/** A revoked registration is final, whatever is accepted and whoever was faster (X13). */
import { describe, expect, it } from 'vitest'
import { registerAgent } from '../../runtime/identity/register.js'
import type { RegistrationStore } from '../../runtime/identity/registration.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { memoryRegistrations } from '../support/memory-registrations.js'
import { liveScanner, registering } from '../support/registering.js'

const accepting = { acceptChanges: true }

describe('a revoked agent', () => {
  attack('X13', 'is never registered again, changed or not, accepted or not', async () => {
    const store = memoryRegistrations()
    const { registration } = await registerAgent(await liveScanner(), registering(store))
    await store.revoke(registration.registrationId)
    for (const agent of [await liveScanner(), await liveScanner({ prompt: 'Else.' })]) {
      await expectCode(registerAgent(agent, registering(store)), 'ERR_AGENT_REVOKED')
      await expectCode(registerAgent(agent, registering(store, accepting)), 'ERR_AGENT_REVOKED')
    }
    const other = await registerAgent(await liveScanner({ id: 'scanner-2' }), registering(store))
    expect(other.outcome).toBe('registered')
  })

  attack(
    'X13',
    'does not come back through a registration that was decided before it was revoked',
    async () => {
      const store = memoryRegistrations()
      const { registration } = await registerAgent(await liveScanner(), registering(store))
      const overtaken: RegistrationStore = {
        ...store,
        async versions(agentId) {
          const seen = await store.versions(agentId)
          await store.revoke(registration.registrationId) // between the look and the save
          return seen
        },
      }
      const changed = await liveScanner({ prompt: 'Else.' })
      await expectCode(registerAgent(changed, registering(overtaken, accepting)), 'ERR_AGENT_REVOKED')
      expect((await store.list()).map(({ status }) => status)).toEqual(['revoked'])
    },
  )
})

describe('a revoked version', () => {
  attack('X13', 'does not come back as a newer one, while others are registered as before', async () => {
    const store = memoryRegistrations()
    const first = await registerAgent(await liveScanner(), registering(store))
    const better = await liveScanner({ prompt: 'Scan well.' })
    await registerAgent(better, registering(store, accepting))
    await store.revoke(first.registration.registrationId)
    // Said before it is asked whether the change is accepted.
    await expectCode(registerAgent(await liveScanner(), registering(store)), 'ERR_AGENT_REVOKED')
    await expectCode(registerAgent(await liveScanner(), registering(store, accepting)), 'ERR_AGENT_REVOKED')
    expect((await registerAgent(better, registering(store))).outcome).toBe('unchanged')
    const third = await registerAgent(
      await liveScanner({ prompt: 'Scan better.' }),
      registering(store, accepting),
    )
    expect(third.registration.version).toBe('3.0.0')
  })

  it('is not lifted by being superseded', async () => {
    const store = memoryRegistrations()
    const first = await registerAgent(await liveScanner(), registering(store))
    await registerAgent(await liveScanner({ prompt: 'Else.' }), registering(store, accepting))
    await store.revoke(first.registration.registrationId)
    await registerAgent(await liveScanner({ prompt: 'More.' }), registering(store, accepting))
    expect((await store.list()).map(({ status }) => status)).toEqual(['revoked', 'updated', 'verified'])
  })
})
