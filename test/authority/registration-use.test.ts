/** What a registration says is what counts when a token is asked for: its clients, its keys, its time (PROTOCOL 2.3). */
import { describe, expect } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { decodeAssertion } from '../../runtime/delegation/assertion.js'
import type { RegisteredKey } from '../../runtime/identity/registration.js'
import { createDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { attack } from '../support/attack.js'
import { type House, openHouse, registrationOf, startRun, tokenRequest } from '../support/authority-house.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { issuer } from '../support/intent-claims.js'

const proofBy = (key: string, house: House) =>
  createDpopProof({ method: 'POST', url: `${issuer}/token` }, fixedKey(key), house)

const keyNamed = (name: string, epoch: number): RegisteredKey => {
  const { thumbprint, jwk } = fixedKey(name).publicKey
  return { kid: thumbprint, jwk, epoch, mode: 'derived' }
}

describe('the client that asks', () => {
  attack('X17', 'must be one that the agent’s tokens may be minted for', async () => {
    const mine = await openHouse()
    const theirs = await openHouse({ clientId: 'mallory' })
    for (const house of [mine, theirs]) {
      const activation = await (await startRun(house)).reach('look')
      const issued = house.authority.issue(tokenRequest(activation, 'stock/read'))
      if (house === mine) expect((await issued).tokenType).toBe('DPoP')
      else await expectCode(issued, 'ERR_CLIENT_UNAUTHORIZED')
    }
  })

  attack('X17', 'is refused before it learns whether the agent is revoked', async () => {
    const house = await openHouse({ clientId: 'mallory' })
    const activation = await (await startRun(house)).reach('look')
    await house.store.registrations.revoke('registration-reader')
    await expectCode(house.authority.issue(tokenRequest(activation, 'stock/read')), 'ERR_CLIENT_UNAUTHORIZED')
  })
})

describe('a key that was rotated out', () => {
  attack('X13', 'counts at the token endpoint until its overlap ends', async () => {
    const house = await openHouse()
    const activation = await (await startRun(house)).reach('look')
    await house.store.registrations.setKeys('registration-reader', ({ keys }) => [
      ...keys.map((key) => ({ ...key, notAfter: nowSeconds(house.clock) + 60 })),
      keyNamed('reader 1', 1),
    ])
    const ask = (key: string) =>
      house.authority.issue(tokenRequest(activation, 'stock/read', { proof: proofBy(key, house) }))
    house.clock.advanceSeconds(59)
    await ask('reader')
    house.clock.advanceSeconds(1)
    await expectCode(ask('reader'), 'ERR_PROOF_KEY')
    // The newer key is one of the registration's, but the leaf of this activation is not for it.
    await expectCode(ask('reader 1'), 'ERR_CHAIN_AGENT')
  })

  attack('X13', 'of a delegator on the way ends what it had delegated', async () => {
    const house = await openHouse()
    const activation = await (await startRun(house)).reach('write')
    await house.store.registrations.setKeys('registration-planner', ({ keys }) => [
      ...keys.map((key) => ({ ...key, notAfter: nowSeconds(house.clock) + 60 })),
      keyNamed('planner 1', 1),
    ])
    const ask = () =>
      house.authority.issue(tokenRequest(activation, 'stock/count', { proof: proofBy('writer', house) }))
    house.clock.advanceSeconds(59)
    await ask()
    house.clock.advanceSeconds(1)
    await expectCode(ask(), 'ERR_CHAIN_AGENT')
  })

  attack('X13', 'is not what a new run’s root names: the newest is', async () => {
    const house = await openHouse()
    await house.store.registrations.setKeys('registration-lead', ({ keys }) => [
      keyNamed('lead 1', 1),
      ...keys.map((key) => ({ ...key, notAfter: nowSeconds(house.clock) + 60 })),
    ])
    const { execution } = await startRun(house)
    expect(decodeAssertion(execution.root).jwk).toEqual(fixedKey('lead 1').publicKey.jwk)
  })
})

describe('a superseded registration', () => {
  attack('X13', 'gets tokens for a day, and only in the runs that pinned it', async () => {
    const house = await openHouse()
    const run = await startRun(house)
    const activation = await run.reach('look')
    const next = registrationOf('reader', {
      registrationId: 'registration-reader-2',
      registeredAt: nowSeconds(house.clock) - 86_400 + 60,
    })
    await house.store.registrations.save(next, 'registration-reader')
    const ask = () =>
      house.authority.issue(tokenRequest(activation, 'stock/read', { proof: proofBy('reader', house) }))
    house.clock.advanceSeconds(59)
    await ask()
    house.clock.advanceSeconds(1)
    await expectCode(ask(), 'ERR_AGENT_SUPERSEDED')
    await expectCode(run.open('look'), 'ERR_AGENT_SUPERSEDED')
    const { execution } = await startRun(house)
    expect(execution.pinned['reader']).toBe('registration-reader-2')
  })
})
