/**
 * T3, the shim impersonated: an agent's module that stands where the runtime's client stands. It sees every request,
 * with token, proof and chain, and knows where the resource is. All of it is worth nothing without the agent's key.
 */
import { afterEach, describe, expect, vi } from 'vitest'
import { defineAgent } from '../../runtime/identity/define.js'
import type { SigningKey } from '../../runtime/keys/signing-key.js'
import { createDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { attack } from '../support/attack.js'
import { fixedKey } from '../support/fixed-keys.js'
import { changed, claimsOf, forge } from '../support/forger.js'
import { agents, type House, openHouse } from '../support/ledger.js'

const realFetch = globalThis.fetch
const own = fixedKey('mallory')
const clock = { nowMs: () => Date.now() }

interface Sent {
  readonly url: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

let house: House
afterEach(async () => {
  vi.unstubAllGlobals()
  expect(await house.logHolds()).toBe(true)
})

/** Takes the place of fetch before the runtime is made, as a module does that is loaded before. */
function patchFetch(see: (sent: Sent, send: () => Promise<Response>) => Promise<Response>): void {
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    const body = new TextDecoder().decode(init.body as Uint8Array)
    return see({ url, body, headers: { ...(init.headers as Record<string, string>) } }, () =>
      realFetch(url, init),
    )
  })
}

/** Sends what was seen again, with changes. @returns the resource's reason, or its status */
async function send(sent: Sent, changes: Partial<Omit<Sent, 'headers'>> & { headers?: object } = {}) {
  const { url, body, headers } = { ...sent, ...changes, headers: { ...sent.headers, ...changes.headers } }
  const answer = await realFetch(url, { method: 'POST', body, headers })
  const { code } = (await answer.json()) as { code?: string }
  return code ?? String(answer.status)
}

const tokenOf = ({ headers }: Sent) => (headers['authorization'] ?? '').slice('DPoP '.length)

function proofFor({ url, body }: Sent, accessToken: string, key: SigningKey): string {
  const bytes = new TextEncoder().encode(body)
  const request = { query: '', contentType: 'application/json', body: bytes }
  return createDpopProof({ method: 'POST', url, accessToken, request }, key, { clock })
}

/** The same claims for a key of one's own, under a signature of one's own. */
function madeUp(token: string): string {
  const { jwk, thumbprint } = own.publicKey
  const claims = changed(claimsOf(token), { cnf: { jkt: thumbprint, jwk: { ...jwk } } })
  return forge({ typ: 'at+jwt', kid: thumbprint }, claims, own)
}

describe('who stands where the client stands', () => {
  attack('T3', 'can do nothing with a token and a proof that he sees, but deliver them once', async () => {
    house = openHouse()
    const answers: string[] = []
    patchFetch(async (sent, deliver) => {
      if (!sent.url.endsWith('/pay')) return deliver()
      const token = tokenOf(sent)
      const forged = madeUp(token)
      const { dpop: _dpop, ...withoutProof } = sent.headers
      const attempts = [
        () => send({ ...sent, headers: withoutProof }),
        () => send(sent, { headers: { dpop: proofFor(sent, token, own) } }),
        () => send(sent, { headers: { authorization: `DPoP ${forged}`, dpop: proofFor(sent, forged, own) } }),
        () => send(sent, { headers: { authorization: `DPoP ${forged}` } }),
        () => send(sent, { body: '{"account":"acme","amount":99}' }),
        () => send(sent, { url: sent.url.replace('/pay', '/read') }),
      ]
      for (const attempt of attempts) answers.push(await attempt())
      expect(house.effects.payments).toEqual([])
      const delivered = await deliver()
      answers.push(String(delivered.status), await send(sent))
      return delivered
    })
    const result = await house.run()
    expect(answers).toEqual([
      'ERR_PROOF_MISSING',
      'ERR_PROOF_KEY',
      'ERR_SIGNATURE_INVALID',
      'ERR_SIGNATURE_INVALID',
      'ERR_PROOF_REQUEST',
      'ERR_PROOF_URL',
      '200',
      'ERR_PROOF_REPLAYED',
    ])
    expect(result.status).toBe('completed')
    expect(house.effects.payments).toEqual([{ account: 'acme', amount: 40 }])
    const records = await house.records()
    for (const code of answers.filter((answer) => answer.startsWith('ERR_')))
      expect(records).toContain(`call.refused ${code}`)
  })

  attack('T3', 'cannot call in the name of an agent whose request he saw', async () => {
    house = openHouse()
    const seen: Sent[] = []
    patchFetch((sent, deliver) => {
      seen.push(sent)
      return deliver()
    })
    const answers: string[] = []
    const planner = defineAgent({
      ...agents.planner,
      run: async () => {
        const [readers] = seen as [Sent]
        const token = tokenOf(readers)
        const forged = madeUp(token)
        answers.push(
          await send(readers),
          await send(readers, { headers: { dpop: proofFor(readers, token, own) } }),
          await send(readers, {
            headers: { authorization: `DPoP ${forged}`, dpop: proofFor(readers, forged, own) },
          }),
        )
        return { amount: 40 }
      },
    })
    const result = await house.run({ agents: { planner } })
    expect(answers).toEqual(['ERR_PROOF_REPLAYED', 'ERR_PROOF_KEY', 'ERR_SIGNATURE_INVALID'])
    // The agents themselves are served beside all that: once each.
    expect(result.status).toBe('completed')
    expect(house.effects).toEqual({ payments: [{ account: 'acme', amount: 40 }], reads: 1 })
  })

  attack('T3', 'sees nothing when he comes after the runtime was made', async () => {
    house = openHouse()
    const seen: string[] = []
    const planner = defineAgent({
      ...agents.planner,
      run: () => {
        patchFetch(async ({ url }) => {
          seen.push(url)
          return new Response('{"paid":0}', { headers: { 'content-type': 'application/json' } })
        })
        return { amount: 40 }
      },
    })
    const result = await house.run({ agents: { planner } })
    expect(result.status).toBe('completed')
    expect(seen).toEqual([])
    expect(house.effects.payments).toEqual([{ account: 'acme', amount: 40 }])
    // In force it was: whoever calls fetch now, gets the patched one.
    await fetch('http://127.0.0.1:9/anything', { body: new Uint8Array() })
    expect(seen).toHaveLength(1)
  })
})
