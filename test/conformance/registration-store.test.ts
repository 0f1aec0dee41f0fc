import { describe, expect, it } from 'vitest'
import { registrationRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { adapters, temporaryStore } from '../support/stores.js'

describe.each(adapters)('RegistrationStore on $name', ({ url }) => {
  const first = registrationRow()
  const second = registrationRow({ registrationId: 'registration-2', version: '2.0.0' })

  it('finds a registration by its id, and by its agent', async () => {
    const { registrations } = await temporaryStore(url())
    await registrations.save(first)
    await registrations.save(registrationRow({ registrationId: 'other', agentId: 'planner' }))
    expect(await registrations.byId('registration-1')).toEqual(first)
    expect(await registrations.latest('scanner')).toEqual(first)
    expect(await registrations.byId('registration-2')).toBeUndefined()
    expect(await registrations.latest('patcher')).toBeUndefined()
    expect((await registrations.list()).map((row) => row.agentId)).toEqual(['scanner', 'planner'])
  })

  it('supersedes: the predecessor is `updated`, the new one is the latest', async () => {
    const { registrations } = await temporaryStore(url())
    await registrations.save(first)
    await registrations.save(second, 'registration-1')
    expect(await registrations.byId('registration-1')).toEqual({ ...first, status: 'updated' })
    expect(await registrations.latest('scanner')).toEqual(second)
  })

  it('supersedes one registration once: of two at once the second is refused whole', async () => {
    const { registrations } = await temporaryStore(url())
    await registrations.save(first)
    const third = registrationRow({ registrationId: 'registration-3' })
    const results = await Promise.allSettled([
      registrations.save(second, 'registration-1'),
      registrations.save(third, 'registration-1'),
    ])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected'])
    await expectCode(registrations.save(third, 'registration-1'), 'ERR_STORE_CONFLICT')
    expect(await registrations.byId('registration-3')).toBeUndefined()
    await registrations.revoke('registration-2')
    await expectCode(registrations.save(third, 'registration-1'), 'ERR_STORE_CONFLICT')
    await registrations.save(third, 'registration-2')
    expect(await registrations.latest('scanner')).toEqual(third)
  })

  it('refuses a second living registration beside the first', async () => {
    const { registrations } = await temporaryStore(url())
    await registrations.save(first)
    await expectCode(registrations.save(second), 'ERR_STORE_CONFLICT')
    await expectCode(registrations.save(first, 'registration-1'), 'ERR_STORE_CONFLICT')
    expect(await registrations.list()).toEqual([first])
  })

  it("refuses to supersede another agent's registration", async () => {
    const { registrations } = await temporaryStore(url())
    await registrations.save(first)
    const foreign = registrationRow({ registrationId: 'registration-2', agentId: 'planner' })
    await expectCode(registrations.save(foreign, 'registration-1'), 'ERR_AGENT_UNKNOWN')
    await expectCode(registrations.save(foreign, 'nobody'), 'ERR_AGENT_UNKNOWN')
    await registrations.save(foreign)
    expect(await registrations.byId('registration-1')).toEqual(first)
  })

  it('revokes for good: a revoked one is still the latest, and superseding it does not lift it', async () => {
    const { registrations } = await temporaryStore(url())
    await registrations.save(first)
    await registrations.revoke('registration-1')
    await registrations.revoke('registration-1')
    expect(await registrations.latest('scanner')).toEqual({ ...first, status: 'revoked' })
    await registrations.save(second, 'registration-1')
    expect((await registrations.byId('registration-1'))?.status).toBe('revoked')
    expect(await registrations.latest('scanner')).toEqual(second)
    await expectCode(registrations.revoke('nobody'), 'ERR_AGENT_UNKNOWN')
  })
})
