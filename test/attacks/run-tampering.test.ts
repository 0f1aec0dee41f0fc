/** Attacks on the wire of a whole run: between the agent's side and a guarded resource on loopback. */
import { afterEach, describe, expect } from 'vitest'
import type { RunResult } from '../../runtime/runtime.js'
import { createDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { attack } from '../support/attack.js'
import { changed, claimsOf, forge } from '../support/forger.js'
import { type House, openHouse } from '../support/ledger.js'

/** A request on its way, as an attacker on the wire may change it. */
interface Wire {
  url: string
  body: string
  headers: Record<string, string>
}

/** A fetch through which everything passes an attacker first. */
function through(meddle: (wire: Wire) => void): typeof fetch {
  return (url, init) => {
    const body = new TextDecoder().decode(init?.body as Uint8Array)
    const wire = { url: String(url), body, headers: { ...(init?.headers as Record<string, string>) } }
    meddle(wire)
    return fetch(wire.url, { ...init, headers: wire.headers, body: wire.body })
  }
}

const isPayment = (wire: Wire) => wire.url.endsWith('/pay')
const tokenOf = (wire: Wire) => (wire.headers['authorization'] ?? '').slice('DPoP '.length)
const chainOf = (wire: Wire) => (wire.headers['delegation-chain'] ?? '').split(', ')

let house: House

/** The run stops, by its name; the log says so; nothing happened. */
async function expectRefused(result: RunResult, code: string): Promise<void> {
  expect(result.failure?.code).toBe(code)
  expect(result.status).toBe('refused')
  expect(house.effects.payments).toEqual([])
  expect(await house.records()).toContain(`call.refused ${code}`)
}

describe('a run whose wire is tampered with', () => {
  afterEach(async () => {
    expect(await house.logHolds()).toBe(true)
  })

  attack('T2', 'passes when nothing is changed on the way', async () => {
    house = openHouse()
    const result = await house.run({ fetch: through(() => {}) })
    expect(result.status).toBe('completed')
    expect(result.steps.map(({ step, hops }) => [step, hops])).toEqual([
      ['lead', 1],
      ['read', 2],
      ['plan', 2],
      ['approve', 0],
      ['pay', 3],
    ])
    expect(house.effects.payments).toEqual([{ account: 'acme', amount: 40 }])
  })

  attack('T2', 'a body swapped under a valid proof has no effect', async () => {
    house = openHouse()
    const swap = through((wire) => {
      if (isPayment(wire)) wire.body = '{"account":"acme","amount":99}'
    })
    await expectRefused(await house.run({ fetch: swap }), 'ERR_PROOF_REQUEST')
  })

  attack('T2', 'a query added under a valid proof has no effect', async () => {
    house = openHouse()
    const add = through((wire) => {
      if (isPayment(wire)) wire.url += '?twice=1'
    })
    await expectRefused(await house.run({ fetch: add }), 'ERR_PROOF_REQUEST')
  })

  attack('T2', 'the same request sent twice has one effect', async () => {
    house = openHouse()
    const answers: number[] = []
    const twice: typeof fetch = async (url, init) => {
      const first = await fetch(url, init)
      if (String(url).endsWith('/pay')) answers.push((await fetch(url, init)).status)
      return first
    }
    const result = await house.run({ fetch: twice })
    expect(result.status).toBe('completed')
    expect(answers).toEqual([401])
    expect(house.effects.payments).toHaveLength(1)
    expect(await house.records()).toContain('call.refused ERR_PROOF_REPLAYED')
  })

  attack('T7', 'the token of another agent is worth nothing', async () => {
    house = openHouse()
    let readers = ''
    const steal = through((wire) => {
      if (isPayment(wire)) wire.headers['authorization'] = `DPoP ${readers}`
      else readers = tokenOf(wire)
    })
    await expectRefused(await house.run({ fetch: steal }), 'ERR_PROOF_KEY')
  })

  attack(
    'X1',
    'the token of an earlier run’s activation is refused, even with its own key and chain',
    async () => {
      house = openHouse()
      const first: Wire[] = []
      await house.run({ fetch: through((wire) => void (isPayment(wire) && first.push({ ...wire }))) })
      house.effects.payments.length = 0
      const [captured] = first
      const old = tokenOf(captured as Wire)
      const claims = claimsOf(old)
      const checksum = (claims['agent_proof'] as { agent_checksum: string }).agent_checksum
      const key = house.keyOf('payer', checksum)
      const replay = through((wire) => {
        if (!isPayment(wire)) return
        // Each run serves its resources anew, so the audience is what gives the old token away first; that its
        // activation has ended refuses it, too (test/authority/standing.test.ts).
        wire.headers['authorization'] = `DPoP ${old}`
        wire.headers['delegation-chain'] = (captured as Wire).headers['delegation-chain'] ?? ''
        const body = new TextEncoder().encode(wire.body)
        wire.headers['dpop'] = createDpopProof(
          {
            method: 'POST',
            url: wire.url,
            accessToken: old,
            request: { query: '', contentType: 'application/json', body },
          },
          key,
          { clock: { nowMs: () => Date.now() } },
        )
      })
      await expectRefused(await house.run({ fetch: replay }), 'ERR_TOKEN_AUDIENCE')
    },
  )

  attack('T11', 'a chain with a hop dropped is refused', async () => {
    house = openHouse()
    const drop = through((wire) => {
      if (!isPayment(wire)) return
      const [root, , leaf] = chainOf(wire)
      wire.headers['delegation-chain'] = [root, leaf].join(', ')
    })
    await expectRefused(await house.run({ fetch: drop }), 'ERR_SIGNATURE_INVALID')
  })

  attack('T11', 'a chain cut short is refused, though it is valid by itself', async () => {
    house = openHouse()
    const cut = through((wire) => {
      if (isPayment(wire)) wire.headers['delegation-chain'] = chainOf(wire).slice(0, 2).join(', ')
    })
    await expectRefused(await house.run({ fetch: cut }), 'ERR_CHAIN_HASH')
  })

  attack('T9', 'a hop widened with the delegator’s real key is refused', async () => {
    house = openHouse()
    const widen = through((wire) => {
      if (!isPayment(wire)) return
      const [root, middle, leaf] = chainOf(wire) as [string, string, string]
      const planner = (claimsOf(middle)['agent_proof'] as { agent_checksum: string }).agent_checksum
      const wider = changed(claimsOf(leaf), { scope: 'ledger:pay ledger:read' })
      const forged = forge({ typ: 'delegation+jwt' }, wider, house.keyOf('planner', planner))
      wire.headers['delegation-chain'] = [root, middle, forged].join(', ')
    })
    await expectRefused(await house.run({ fetch: widen }), 'ERR_CHAIN_SCOPE_WIDENED')
  })

  attack('T9', 'a constraint widened with the delegator’s real key is refused', async () => {
    house = openHouse()
    const widen = through((wire) => {
      if (!isPayment(wire)) return
      const [root, middle, leaf] = chainOf(wire) as [string, string, string]
      const planner = (claimsOf(middle)['agent_proof'] as { agent_checksum: string }).agent_checksum
      const details = [
        {
          type: 'attenuating_agent_token',
          tools: {
            'ledger/pay': {
              account: { constraint_type: 'exact', value: 'acme' },
              amount: { constraint_type: 'range', min: 0, max: 1000 },
            },
          },
        },
      ]
      const wider = changed(claimsOf(leaf), { authorization_details: details })
      const forged = forge({ typ: 'delegation+jwt' }, wider, house.keyOf('planner', planner))
      wire.headers['delegation-chain'] = [root, middle, forged].join(', ')
    })
    await expectRefused(await house.run({ fetch: widen }), 'ERR_CHAIN_CONSTRAINT_WIDENED')
  })
})
