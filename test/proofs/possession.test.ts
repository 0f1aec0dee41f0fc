import { describe, expect, it } from 'vitest'
import {
  createDpopProof,
  createInvocationProof,
  createMemorySingleUse,
  verifyDpopProof,
  verifyInvocationProof,
} from '../../runtime/index.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey } from '../support/fixed-keys.js'

const agent = fixedKey('scanner')
const key = agent.publicKey
const longAgo = { clock: { nowMs: () => Date.now() - 3_600_000 } }

describe('a DPoP proof made by a program', () => {
  const call = { method: 'POST', url: 'https://orders.example/read', accessToken: 'token' }

  it('verifies now, by the system clock, and once', async () => {
    const singleUse = createMemorySingleUse()
    const proof = createDpopProof({ ...call, ordinal: 3 }, agent)
    const { ordinal, key: proven } = await verifyDpopProof(proof, { ...call, key, singleUse })
    expect([ordinal, proven.thumbprint]).toEqual([3, key.thumbprint])
    await expectCode(verifyDpopProof(proof, { ...call, key, singleUse }), 'ERR_PROOF_REPLAYED')
  })

  it('verifies at the time that is given', async () => {
    const clock = fakeClock()
    const now = Math.floor(clock.nowMs() / 1000)
    const proof = createDpopProof(call, agent, { clock })
    await expectCode(
      verifyDpopProof(proof, { ...call, now: now + 61, singleUse: createMemorySingleUse({ clock }) }),
      'ERR_PROOF_STALE',
    )
    await verifyDpopProof(proof, { ...call, now: now + 60, singleUse: createMemorySingleUse({ clock }) })
  })

  attack('T2', 'long ago is stale when nobody says what time it is', async () => {
    const proof = createDpopProof(call, agent, longAgo)
    await expectCode(
      verifyDpopProof(proof, { ...call, singleUse: createMemorySingleUse() }),
      'ERR_PROOF_STALE',
    )
  })
})

describe('an invocation proof made by a program', () => {
  const call = {
    leafId: 'leaf-1',
    tool: 'files/write',
    audience: 'urn:tools',
    args: { path: '/srv' },
    accessToken: 'token',
  }

  it('verifies now, by the system clock, and once', async () => {
    const singleUse = createMemorySingleUse()
    const proof = createInvocationProof(call, agent)
    expect((await verifyInvocationProof(proof, { ...call, key, singleUse })).ordinal).toBe(0)
    await expectCode(verifyInvocationProof(proof, { ...call, key, singleUse }), 'ERR_PROOF_REPLAYED')
  })

  it('verifies at the time that is given', async () => {
    const clock = fakeClock()
    const now = Math.floor(clock.nowMs() / 1000)
    const proof = createInvocationProof(call, agent, { clock })
    const singleUse = createMemorySingleUse({ clock })
    await expectCode(
      verifyInvocationProof(proof, { ...call, key, singleUse, now: now + 31 }),
      'ERR_PROOF_STALE',
    )
    await verifyInvocationProof(proof, { ...call, key, singleUse, now: now + 30 })
  })

  attack('T2', 'long ago is stale when nobody says what time it is', async () => {
    const proof = createInvocationProof(call, agent, longAgo)
    await expectCode(
      verifyInvocationProof(proof, { ...call, key, singleUse: createMemorySingleUse() }),
      'ERR_PROOF_STALE',
    )
  })
})
