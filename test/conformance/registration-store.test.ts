import { describe, expect, it } from 'vitest'
import { AgenticError } from '../../runtime/errors.js'
import type { RegisteredKey, RegistrationStore } from '../../runtime/identity/registration.js'
import { registrationRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { memoryRegistrations } from '../support/memory-registrations.js'
import { adapters, temporaryStore } from '../support/stores.js'

const stores: { name: string; open(): Promise<RegistrationStore> }[] = [
  ...adapters.map(({ name, url }) => ({
    name,
    open: async () => (await temporaryStore(url())).registrations,
  })),
  { name: 'what tests use in its place', open: async () => memoryRegistrations() },
]

describe.each(stores)('RegistrationStore on $name', ({ open }) => {
  const checksum = (digit: string) => `sha256:${digit.repeat(64)}`
  const first = registrationRow()
  const second = registrationRow({
    registrationId: 'registration-2',
    version: '2.0.0',
    agentChecksum: checksum('2'),
    registeredAt: first.registeredAt + 100,
  })
  const third = registrationRow({ registrationId: 'registration-3', agentChecksum: checksum('3') })

  it('finds a registration by its id, and by its agent', async () => {
    const registrations = await open()
    await registrations.save(first)
    await registrations.save(registrationRow({ registrationId: 'other', agentId: 'planner' }))
    expect(await registrations.byId('registration-1')).toEqual(first)
    expect(await registrations.latest('scanner')).toEqual(first)
    expect(await registrations.byId('registration-2')).toBeUndefined()
    expect(await registrations.latest('patcher')).toBeUndefined()
    expect((await registrations.list()).map((row) => row.agentId)).toEqual(['scanner', 'planner'])
  })

  it('supersedes: the predecessor is `updated` since then, the new one is the latest', async () => {
    const registrations = await open()
    await registrations.save(first)
    await registrations.save(second, 'registration-1')
    const superseded = { ...first, status: 'updated', supersededAt: second.registeredAt }
    expect(await registrations.byId('registration-1')).toEqual(superseded)
    expect(await registrations.latest('scanner')).toEqual(second)
    await registrations.save(registrationRow({ registrationId: 'other', agentId: 'planner' }))
    expect(await registrations.versions('scanner')).toEqual([superseded, second])
    expect(await registrations.versions('patcher')).toEqual([])
  })

  it('supersedes one registration once: of two at once the second is refused whole', async () => {
    const registrations = await open()
    await registrations.save(first)
    const results = await Promise.allSettled([
      registrations.save(second, 'registration-1'),
      registrations.save(third, 'registration-1'),
    ])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected'])
    await expectCode(registrations.save(third, 'registration-1'), 'ERR_STORE_CONFLICT')
    expect(await registrations.byId('registration-3')).toBeUndefined()
    await registrations.save(third, 'registration-2')
    expect(await registrations.latest('scanner')).toEqual(third)
  })

  it('refuses a second living registration beside the first', async () => {
    const registrations = await open()
    await registrations.save(first)
    await expectCode(registrations.save(second), 'ERR_STORE_CONFLICT')
    await expectCode(registrations.save(first, 'registration-1'), 'ERR_STORE_CONFLICT')
    expect(await registrations.list()).toEqual([first])
  })

  it("refuses to supersede another agent's registration", async () => {
    const registrations = await open()
    await registrations.save(first)
    const foreign = registrationRow({ registrationId: 'registration-2', agentId: 'planner' })
    await expectCode(registrations.save(foreign, 'registration-1'), 'ERR_AGENT_UNKNOWN')
    await expectCode(registrations.save(foreign, 'nobody'), 'ERR_AGENT_UNKNOWN')
    await registrations.save(foreign)
    expect(await registrations.byId('registration-1')).toEqual(first)
  })

  it('revokes for good: who looked before it was revoked cannot save what comes after', async () => {
    const registrations = await open()
    await registrations.save(first)
    await registrations.revoke('registration-1')
    await registrations.revoke('registration-1')
    const revoked = { ...first, status: 'revoked' }
    expect(await registrations.latest('scanner')).toEqual(revoked)
    await expectCode(registrations.save(second, 'registration-1'), 'ERR_AGENT_REVOKED')
    await expectCode(registrations.save(second), 'ERR_STORE_CONFLICT')
    expect(await registrations.list()).toEqual([revoked])
    await registrations.save(registrationRow({ registrationId: 'other', agentId: 'planner' }))
    await expectCode(registrations.revoke('nobody'), 'ERR_AGENT_UNKNOWN')
  })

  it('lets no revoked checksum come back, though a newer version lives', async () => {
    const registrations = await open()
    await registrations.save(first)
    await registrations.save(second, 'registration-1')
    await registrations.revoke('registration-1')
    expect((await registrations.byId('registration-1'))?.status).toBe('revoked')
    const again = { ...third, agentChecksum: first.agentChecksum }
    await expectCode(registrations.save(again, 'registration-2'), 'ERR_AGENT_REVOKED')
    expect((await registrations.latest('scanner'))?.status).toBe('verified')
    await registrations.save(third, 'registration-2')
    expect((await registrations.byId('registration-1'))?.status).toBe('revoked')
  })

  it('revokes an agent with all its versions, and no other', async () => {
    const registrations = await open()
    await registrations.save(first)
    await registrations.save(second, 'registration-1')
    const other = registrationRow({ registrationId: 'other', agentId: 'planner' })
    await registrations.save(other)
    await registrations.revokeAgent('scanner')
    const found = await registrations.versions('scanner')
    expect(found.map(({ status }) => status)).toEqual(['revoked', 'revoked'])
    expect(await registrations.latest('planner')).toEqual(other)
    await expectCode(registrations.revokeAgent('nobody'), 'ERR_AGENT_UNKNOWN')
  })

  const key = (kid: string, epoch: number): RegisteredKey => ({
    kid,
    jwk: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
    epoch,
    mode: 'attested',
  })

  it('sets keys by a decision over what is stored at that moment', async () => {
    const registrations = await open()
    await registrations.save(first)
    const add = (kid: string) =>
      registrations.setKeys('registration-1', ({ keys }) => [
        ...keys.map((older) => ({ ...older, notAfter: 2_000_000_000 })),
        key(kid, keys.length + 1),
      ])
    const [one, two] = await Promise.all([add('one'), add('two')])
    expect(one.keys.map(({ kid }) => kid)).toEqual(['thumbprint', 'one'])
    expect(two).toEqual(await registrations.byId('registration-1'))
    expect(two.keys.map(({ kid, epoch, notAfter }) => [kid, epoch, notAfter])).toEqual([
      ['thumbprint', 1, 2_000_000_000],
      ['one', 2, 2_000_000_000],
      ['two', 3, undefined],
    ])
    expect({ ...two, keys: first.keys }).toEqual(first)
  })

  it('changes nothing when the decision throws, and passes on what it throws', async () => {
    const registrations = await open()
    await registrations.save(first)
    const refusal = new AgenticError('ERR_KEY_LIMIT', 'one too many')
    const refused = registrations.setKeys('registration-1', () => {
      throw refusal
    })
    await expect(refused).rejects.toBe(refusal)
    expect(await registrations.byId('registration-1')).toEqual(first)
    await expectCode(
      registrations.setKeys('nobody', ({ keys }) => keys),
      'ERR_AGENT_UNKNOWN',
    )
  })
})
