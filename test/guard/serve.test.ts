import { afterEach, describe, expect, it } from 'vitest'
import { maxHeaderSize, serveResource } from '../../runtime/guard/serve.js'
import { attack } from '../support/attack.js'
import { openHouse } from '../support/authority-house.js'
import { guardOf } from '../support/guard-house.js'
import { shippingTools } from '../support/shipping.js'

type Served = Awaited<ReturnType<typeof serveResource>>
const open: Served[] = []

afterEach(async () => {
  for (const served of open.splice(0)) await served.close()
})

async function serve(): Promise<Served> {
  const tools = Object.values(shippingTools).map((definition) => ({ definition, handler: () => null }))
  const served = await serveResource({ id: 'stock', tools }, guardOf(await openHouse()))
  open.push(served)
  return served
}

const post = (url: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/read`, { method: 'POST', body: '{}', headers })

describe('a resource on loopback', () => {
  it('listens until it is closed, under the URL that tokens must name', async () => {
    const served = await serve()
    expect(served).toMatchObject({ id: 'stock', url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) })
    const answer = await post(served.url)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('DPoP algs="Ed25519"')
    await answer.text()
    await served.close()
    await expect(post(served.url)).rejects.toThrow()
  })

  it('hears out a call whose token, proof and chain are as long as they may be', async () => {
    const { url } = await serve()
    const token = 'A'.repeat(16 * 1024)
    const chain = 'A'.repeat(8 * 1024)
    const headers = { dpop: token, 'delegation-chain': chain, 'content-type': 'application/json' }
    const answer = await post(url, { authorization: `DPoP ${token}`, ...headers })
    expect(answer.status).toBe(401)
    expect(await answer.json()).toMatchObject({ error: 'invalid_token', code: 'ERR_TOKEN_MALFORMED' })
  })

  attack(['X14', 'X16'], 'hears no more, and says nothing of what it heard', async () => {
    const { url } = await serve()
    const answer = await post(url, { authorization: `DPoP ${'A'.repeat(maxHeaderSize)}` })
    expect(answer.status).toBe(431)
    expect(await answer.text()).toBe('')
    expect([...answer.headers.keys()]).toEqual(['connection'])
  })
})
