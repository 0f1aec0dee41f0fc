import { describe, expect, it } from 'vitest'
import { callHttpTool } from '../../runtime/client/http-call.js'
import { createDpopNonces } from '../../runtime/tokens/dpop-nonce.js'
import { attack } from '../support/attack.js'
import { openHouse, recordsOf } from '../support/authority-house.js'
import { fixedKey } from '../support/fixed-keys.js'
import { counter } from '../support/guard-house.js'
import { audience } from '../support/intent-claims.js'

const apples = { item: 'apples' }

async function asking() {
  const house = await openHouse()
  const nonces = createDpopNonces({ secret: Buffer.alloc(32, 9), clock: house.clock })
  return { nonces, ...(await counter('look', 'stock/read', apples, { house, nonces })) }
}

describe('a resource that asks for nonces', () => {
  attack('T2', 'calls no handler for a proof without its nonce, and says which it wants', async () => {
    const { nonces, send, handled, house } = await asking()
    for (const nonce of [undefined, 'made-up']) {
      const refused = await send({ proof: nonce === undefined ? {} : { nonce } })
      expect(refused.status).toBe(401)
      expect(refused.headers.get('www-authenticate')).toBe('DPoP error="use_dpop_nonce", algs="Ed25519"')
      expect(refused.headers.get('dpop-nonce')).toBe(nonces.issue())
      expect(await refused.json()).toMatchObject({ error: 'use_dpop_nonce', code: 'ERR_PROOF_NONCE' })
    }
    expect(handled).toEqual([])
    expect(JSON.stringify(recordsOf(house)).split('ERR_PROOF_NONCE')).toHaveLength(3)
    const answer = await send({ proof: { nonce: nonces.issue() } })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('dpop-nonce')).toBe(nonces.issue())
    expect(handled).toHaveLength(1)
  })

  it('is satisfied by our client, which asks twice the first time and once from then on', async () => {
    const { send, activation, token, handled, house } = await asking()
    const nonces = new Map<string, string>()
    let requests = 0
    const fetch = (async (url: string, init: RequestInit) => {
      requests += 1
      const headers = Object.fromEntries(new Headers(init.headers))
      const body = new TextDecoder().decode(init.body as Uint8Array)
      return send({ body, headers, path: new URL(url).pathname })
    }) as unknown as typeof globalThis.fetch
    const call = (ordinal: number) =>
      callHttpTool(
        {
          route: { resource: 'stock', method: 'POST', path: '/read' },
          baseUrl: audience,
          args: apples,
          accessToken: token,
          chain: activation.chain,
          ordinal,
          signal: new AbortController().signal,
        },
        fixedKey('reader'),
        { clock: house.clock, fetch, nonces },
      )
    expect(await call(0)).toEqual({ done: true })
    expect(await call(1)).toEqual({ done: true })
    expect([requests, handled.length]).toEqual([3, 2])
  })
})
