import { describe, expect, it } from 'vitest'
import { AgenticError } from '../../runtime/errors.js'
import { createResourceHandler, maxBodyBytes } from '../../runtime/guard/resource.js'
import { attack } from '../support/attack.js'
import { openHouse, recordsOf } from '../support/authority-house.js'
import { counter, guardOf } from '../support/guard-house.js'
import { audience } from '../support/intent-claims.js'

const apples = { item: 'apples' }
const looking = () => counter('look', 'stock/read', apples)

describe('a guarded resource', () => {
  it('answers a proven call with what the handler returns, and lets nobody keep it', async () => {
    const { send, handled, activation } = await looking()
    const answer = await send()
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(await answer.json()).toEqual({ done: true })
    expect(handled).toMatchObject([
      { args: apples, info: { agentId: 'reader', activationId: activation.activationId, input: undefined } },
    ])
    expect(handled[0]?.info.idempotencyKey).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  it('answers who sends no credentials with a challenge, and no reason (RFC 6750 §3.1)', async () => {
    const { send, handled } = await looking()
    const answer = await send({ without: 'authorization' })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('DPoP algs="Ed25519"')
    expect(await answer.text()).toBe('')
    expect(handled).toEqual([])
  })

  it('has the routes of its tools, each with its method, and no others', async () => {
    const { send, handled } = await looking()
    for (const changes of [
      { path: '/' },
      { path: '/READ' },
      { path: '/read/' },
      { method: 'GET' },
      { method: 'DELETE' },
    ]) {
      const answer = await send(changes)
      expect(answer.status).toBe(404)
      expect(await answer.json()).toMatchObject({ code: 'ERR_ROUTE_UNKNOWN' })
    }
    expect(handled).toEqual([])
  })

  attack('T2', 'goes by its public URL: where a request says it was sent does not count', async () => {
    const { send, handled } = await looking()
    expect((await send({ origin: 'http://127.0.0.1:8080', headers: { host: 'evil.example' } })).status).toBe(
      200,
    )
    const proof = { url: 'http://evil.example/read' }
    expect((await send({ origin: 'http://evil.example', proof })).status).toBe(401)
    expect(handled).toHaveLength(1)
  })
})

describe('credentials that are not one DPoP token and one proof', () => {
  it('are refused as invalid_token, whatever scheme they come in', async () => {
    const { send, token, handled } = await looking()
    const headers = [
      `Bearer ${token}`,
      `Basic ${token}`,
      token,
      'DPoP',
      `DPoP ${token} x`,
      `DPoP ${token}, DPoP ${token}`,
    ]
    for (const authorization of headers) {
      const answer = await send({ headers: { authorization } })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toBe('DPoP error="invalid_token", algs="Ed25519"')
      expect(await answer.json()).toMatchObject({ error: 'invalid_token', code: 'ERR_TOKEN_MALFORMED' })
    }
    expect(handled).toEqual([])
    expect((await send({ headers: { authorization: `dpop ${token}` } })).status).toBe(200)
  })

  attack('T2', 'are refused without a proof, or with two', async () => {
    const { send, request, handled } = await looking()
    const answer = await send({ without: 'dpop' })
    expect(answer.headers.get('www-authenticate')).toBe('DPoP error="invalid_dpop_proof", algs="Ed25519"')
    expect(await answer.json()).toMatchObject({ code: 'ERR_PROOF_MISSING' })
    const [one, other] = [request(), request()].map(({ headers }) => headers.get('dpop'))
    expect((await send({ headers: { dpop: `${one}, ${other}` } })).status).toBe(401)
    expect(handled).toEqual([])
  })
})

describe('the body of a call', () => {
  attack('X14', 'is read no further than its limit', async () => {
    const { send, handled } = await looking()
    const answer = await send({ body: JSON.stringify({ item: 'x'.repeat(maxBodyBytes) }) })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code: 'ERR_REQUEST_INVALID' })
    const largest = JSON.stringify({ item: 'x'.repeat(maxBodyBytes - '{"item":""}'.length) })
    expect(await (await send({ body: largest })).json()).toMatchObject({ code: 'ERR_ARGUMENT_REFUSED' })
    expect(handled).toEqual([])
  })

  attack(['X8', 'X10'], 'is one strict JSON object', async () => {
    const { send, handled } = await looking()
    const bodies = [
      '',
      'null',
      '[]',
      '"x"',
      '{"item":"apples","item":"pears"}',
      '{"__proto__":{}}',
      '{"item":1e999}',
    ]
    for (const body of bodies) {
      const bytes = new TextEncoder().encode(body)
      const proof = { request: { query: '', contentType: 'application/json', body: bytes } }
      expect(await (await send({ body, proof })).json()).toMatchObject({ code: 'ERR_JSON_INVALID' })
    }
    expect(handled).toEqual([])
  })

  it('is declared as JSON', async () => {
    const { send, handled } = await looking()
    for (const contentType of ['', 'text/plain', 'application/jsonp', 'application/x-www-form-urlencoded']) {
      const answer = await send({ headers: { 'content-type': contentType } })
      expect(await answer.json()).toMatchObject({ code: 'ERR_REQUEST_INVALID' })
    }
    expect(handled).toEqual([])
  })

  it('may say its character set, when the proof says so too', async () => {
    const { send } = await looking()
    const contentType = 'Application/JSON; charset=utf-8'
    const body = new TextEncoder().encode('{"item":"apples"}')
    const proof = { request: { query: '', contentType, body } }
    expect((await send({ proof, headers: { 'content-type': contentType } })).status).toBe(200)
  })
})

describe('what a refusal tells', () => {
  it('of a proven caller is 403 insufficient_scope, with a challenge', async () => {
    const { send, reminted } = await looking()
    const answer = await send({ token: reminted({ scope: '' }) })
    expect(answer.status).toBe(403)
    expect(answer.headers.get('www-authenticate')).toBe('DPoP error="insufficient_scope", algs="Ed25519"')
    expect(await answer.json()).toMatchObject({ error: 'insufficient_scope', code: 'ERR_SCOPE_MISSING' })
  })

  attack('X16', 'is never a token, a key, a proof or an argument', async () => {
    const { send, token, activation, request, house, reminted } = await looking()
    const dpop = request().headers.get('dpop') ?? ''
    const answers = [
      await send({ args: { item: 'secret-fruit' } }),
      await send({ body: '{"item":"secret-fruit"' }),
      await send({ token: reminted({ aud: 'secret-fruit' }) }),
      await send({ token: `${token}secret-fruit` }),
      await send({ chain: [...activation.chain, 'secret-fruit'] }),
      await send({ headers: { dpop: `${dpop}secret-fruit` } }),
    ]
    const told =
      (await Promise.all(answers.map((answer) => answer.text()))).join() + JSON.stringify(recordsOf(house))
    expect(answers.every(({ status }) => status >= 400)).toBe(true)
    for (const secret of ['secret-fruit', token, dpop, activation.chain[1] ?? '', 'apples']) {
      expect(told).not.toContain(secret)
    }
  })

  attack('X16', 'of something unforeseen is nothing', async () => {
    const house = await openHouse()
    const guard = guardOf(house, { requireStanding: () => Promise.reject(new Error('secret words')) })
    const { send, handled } = await counter('look', 'stock/read', apples, { house, guard })
    const answer = await send()
    expect(answer.status).toBe(500)
    const told = await answer.text()
    expect(JSON.parse(told)).toEqual({
      error: 'server_error',
      error_description: 'the resource could not answer',
    })
    expect(handled).toEqual([])
    expect(recordsOf(house).at(-1)).toMatchObject({ type: 'call.refused', data: { code: 'server_error' } })
  })

  it('of a failing store hides its words too', async () => {
    const singleUse = { claim: () => Promise.reject(new AgenticError('ERR_REPLAY_STORE', 'disk /dev/sda1')) }
    const { send, handled } = await counter('look', 'stock/read', apples, { guard: { singleUse } })
    const answer = await send()
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('sda1')
    expect(handled).toEqual([])
  })
})

describe('a resource with a tool that has no route', () => {
  it('does not serve it', async () => {
    const house = await openHouse()
    const handler = createResourceHandler({ id: 'stock', tools: [] }, audience, guardOf(house))
    expect((await handler(new Request(`${audience}/read`, { method: 'POST', body: '{}' }))).status).toBe(404)
  })
})
