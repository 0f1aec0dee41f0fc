/**
 * T3, the shim tampered with: code in the same process patches what the verifiers are built from. What the runtime took
 * once, when it was loaded, is out of reach. What it looks up at each call (methods of arrays, maps and texts, regular
 * expressions) is not: that is hostile code in the same process, which nothing here claims to withstand.
 */
import { describe, expect } from 'vitest'
import { attack } from '../support/attack.js'
import { keyrings } from '../support/keyrings.js'
import { honestVerdicts, patchedRun, type Realm, verdictsIn } from '../support/patched-realm.js'

const backends = keyrings.map(({ backend }) => backend)
const times = ['late', 'early'] as const
const when = { late: 'after the first keyring', early: 'before the first keyring' }

/** The same in a realm that is patched as in one that is not, for the good and for the forged. */
async function expectHonest(realm: Realm): Promise<void> {
  const { patched, backend, cases } = await verdictsIn(realm)
  expect(patched).toBe(true)
  if (realm.backend !== undefined) expect(backend).toBe(realm.backend)
  expect(cases).toEqual(honestVerdicts)
}

describe('tokens, chains, proofs and checksums are judged alike', () => {
  attack('T3', 'in a realm that nobody patched: the good pass and the forged are refused', async () => {
    await expectHonest({ patch: 'nothing', time: 'late' })
    const verdicts = Object.values(honestVerdicts)
    expect(verdicts.filter((verdict) => verdict.startsWith('ERR_')).length).toBeGreaterThan(12)
    expect(verdicts.filter((verdict) => !verdict.startsWith('ERR_')).length).toBeGreaterThan(6)
  })

  for (const time of times) {
    for (const backend of backends) {
      attack('T3', `with node:crypto patched ${when[time]}, on ${backend}`, () =>
        expectHonest({ patch: 'node:crypto', time, backend }),
      )
    }
    if (backends.includes('sodium')) {
      attack('T3', `with the exports of sodium-native patched ${when[time]}`, () =>
        expectHonest({ patch: 'sodium-native', time, backend: 'sodium' }),
      )
    }
  }
  for (const patch of ['JSON', 'TextDecoder', 'Buffer.compare']) {
    attack('T3', `with ${patch} patched`, () => expectHonest({ patch, time: 'early' }))
  }
})

describe('an agent that patches JSON.parse while it runs', () => {
  attack('T3', 'pays neither more than it was granted, nor something else than it proved', async () => {
    // 1000 is refused though it is read as 1 from then on; 1 is paid though it is read as 1000. Who asks JSON.parse
    // itself is lied to: once, by the agent's own call.
    expect(await patchedRun()).toEqual({ output: ['ERR_ARGUMENT_REFUSED', 1], given: [1], lied: 1 })
  })
})
