import { describe, expect, it } from 'vitest'
import { planRegistration } from '../../runtime/identity/plan-registration.js'
import { registerAgent } from '../../runtime/identity/register.js'
import { memoryRegistrations } from '../support/memory-registrations.js'
import { liveScanner, registering } from '../support/registering.js'

describe('planRegistration', () => {
  it('is about one agent', async () => {
    const store = memoryRegistrations()
    const { registration } = await registerAgent(await liveScanner(), registering(store))
    const [key] = registration.keys
    if (key === undefined) throw new Error('the registration has a key')
    const request = { ...registration, key }
    const allowing = { acceptChanges: true, administrator: true }
    expect(planRegistration([registration], request, allowing).kind).toBe('existing')
    expect(() => planRegistration([registration], { ...request, agentId: 'other' }, allowing)).toThrow(
      TypeError,
    )
    expect(planRegistration([], request, allowing)).toEqual({
      kind: 'new',
      version: '1.0.0',
      scopes: ['repo:read'],
    })
  })
})
