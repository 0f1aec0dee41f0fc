import { describe, expect, it } from 'vitest'
import { serveResource } from '../../runtime/guard/serve.js'
import { openHouse } from '../support/authority-house.js'
import { guardOf } from '../support/guard-house.js'
import { shippingTools } from '../support/shipping.js'

describe('a resource on loopback', () => {
  it('listens until it is closed, under the URL that tokens must name', async () => {
    const tools = Object.values(shippingTools).map((definition) => ({ definition, handler: () => null }))
    const served = await serveResource({ id: 'stock', tools }, guardOf(await openHouse()))
    expect(served).toMatchObject({ id: 'stock', url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) })
    const post = () => fetch(`${served.url}/read`, { method: 'POST', body: '{}' })
    const answer = await post()
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('DPoP algs="Ed25519"')
    await answer.text()
    await served.close()
    await expect(post()).rejects.toThrow()
  })
})
