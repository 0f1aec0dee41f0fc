import { describe, expect, it } from 'vitest'
import { callHttpTool, type HttpToolCall } from '../../runtime/client/http-call.js'
import { nowSeconds } from '../../runtime/clock.js'
import { maxChainHeaderBytes } from '../../runtime/delegation/carrying.js'
import { verifyDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { claimsOf, forge } from '../support/forger.js'
import { rememberingSingleUse } from '../support/single-uses.js'

const clock = fakeClock()
const key = fixedKey('reader')
const call: HttpToolCall = {
  route: { resource: 'stock', method: 'PUT', path: '/read' },
  baseUrl: 'https://repo.example',
  args: { item: 'äpfel' },
  accessToken: 'header.claims.signature',
  chain: ['a.b.c', 'd.e.f'],
  ordinal: 2,
  signal: new AbortController().signal,
}

interface Sent {
  readonly url: string
  readonly init: RequestInit & { headers: Record<string, string>; body: Uint8Array<ArrayBuffer> }
}

/** Calls against an answer, and tells what was sent. */
async function answered(respond: () => Response | Promise<Response>, changes: Partial<HttpToolCall> = {}) {
  const sent: Sent[] = []
  const fetch = (async (url: string, init: Sent['init']) => {
    sent.push({ url, init })
    return respond()
  }) as unknown as typeof globalThis.fetch
  const result = callHttpTool({ ...call, ...changes }, key, { clock, fetch, nonces: new Map() })
  result.catch(() => undefined)
  return { result, sent }
}

const json =
  (body: unknown, status = 200) =>
  () =>
    Response.json(body, { status })

describe('a tool call over HTTP', () => {
  it('carries token, chain, and a proof over exactly what is sent', async () => {
    const { result, sent } = await answered(json({ count: 3 }))
    expect(await result).toEqual({ count: 3 })
    const [{ url, init }] = sent as [Sent]
    expect(url).toBe('https://repo.example/read')
    expect(init.method).toBe('PUT')
    expect(new TextDecoder().decode(init.body)).toBe('{"item":"äpfel"}')
    expect(init.headers).toMatchObject({
      authorization: 'DPoP header.claims.signature',
      'content-type': 'application/json',
      'delegation-chain': 'a.b.c, d.e.f',
    })
    const verified = await verifyDpopProof(init.headers.dpop ?? '', {
      method: 'PUT',
      url,
      accessToken: call.accessToken,
      request: { query: '', contentType: 'application/json', body: init.body },
      key: key.publicKey,
      now: nowSeconds(clock),
      keyring,
      singleUse: rememberingSingleUse(),
    })
    expect(verified.ordinal).toBe(2)
  })

  attack(['T2', 'X18'], 'follows no redirect: a token goes nowhere it was not meant for', async () => {
    const { sent } = await answered(json({}))
    expect(sent[0]?.init.redirect).toBe('error')
    expect(sent[0]?.init.signal).toBe(call.signal)
  })

  it('leaves a chain out that is too long for a header', async () => {
    const fits = 'x'.repeat(maxChainHeaderBytes)
    expect((await answered(json({}), { chain: [fits] })).sent[0]?.init.headers['delegation-chain']).toBe(fits)
    const { sent } = await answered(json({}), { chain: [`${fits}x`] })
    expect(sent[0]?.init.headers).not.toHaveProperty('delegation-chain')
  })
})

describe('what a resource answers', () => {
  it('is its reason, when it is one of ours', async () => {
    const body = { error: 'insufficient_scope', error_description: 'needs more', code: 'ERR_SCOPE_MISSING' }
    const error = await expectCode((await answered(json(body, 403))).result, 'ERR_SCOPE_MISSING')
    expect(error.message).toBe('needs more')
    const { error_description: _, ...bare } = body
    expect(
      (await expectCode((await answered(json(bare, 403))).result, 'ERR_SCOPE_MISSING')).message,
    ).not.toBe('')
  })

  attack('X16', 'is repeated only as one short sentence that holds no token', async () => {
    const token = forge({ typ: 'at+jwt' }, { sub: 'reader' }, fixedKey('authority'))
    for (const code of ['ERR_SCOPE_MISSING', 'ERR_TOOL_FAILED'] as const) {
      const said = async (error_description: string) =>
        (await expectCode((await answered(json({ error_description, code }, 403))).result, code)).message
      expect(await said('the disk is full: “a/b”')).toBe('the disk is full: “a/b”')
      const unsaid: readonly string[] = [
        `no ${token}`,
        `no ${token.split('.').slice(0, 2).join('.')}.`,
        `no ${token.split('.')[2]}`,
        'two\nlines',
        'x '.repeat(501),
        '',
      ]
      for (const text of unsaid) expect(await said(text)).toBe('refused by the resource')
    }
  })

  it('is a failed tool, when it is anything else', async () => {
    const strange: [unknown, number][] = [
      [{ code: 'ERR_INVENTED' }, 400],
      [{ code: 'constructor' }, 400],
      [{ code: ['ERR_SCOPE_MISSING'] }, 403],
      [['ERR_SCOPE_MISSING'], 403],
      [null, 500],
    ]
    for (const [body, status] of strange) {
      const error = await expectCode((await answered(json(body, status))).result, 'ERR_TOOL_FAILED')
      expect(error.message).toContain(String(status))
    }
  })

  attack('X10', 'is one strict JSON value, or a failed tool', async () => {
    for (const text of ['', 'apples', '{"a":1,"a":2}', '{"__proto__":{}}']) {
      await expectCode((await answered(() => new Response(text))).result, 'ERR_TOOL_FAILED')
    }
    expect(await (await answered(() => new Response('3'))).result).toBe(3)
  })

  attack('X14', 'is read no further than 64 MiB', async () => {
    let pulled = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++
        controller.enqueue(new Uint8Array(1024 * 1024))
      },
    })
    const error = await expectCode((await answered(() => new Response(endless))).result, 'ERR_TOOL_FAILED')
    expect(error.message).toContain('bytes')
    expect(pulled).toBeLessThan(70)
  })

  attack('X16', 'is a failed tool without words when it cannot be reached', async () => {
    const refused = () => Promise.reject(new Error('connect ECONNREFUSED secret.example'))
    const error = await expectCode((await answered(refused)).result, 'ERR_TOOL_FAILED')
    expect(error.message).toBe('resource "stock" could not be reached')
  })
})

describe('a resource that asks for a nonce', () => {
  const asking = (nonce: string) =>
    new Response('{"error":"use_dpop_nonce","code":"ERR_PROOF_NONCE"}', {
      status: 401,
      headers: { 'dpop-nonce': nonce, 'www-authenticate': 'DPoP error="use_dpop_nonce", algs="Ed25519"' },
    })
  const nonceOf = ({ init }: Sent) => claimsOf(init.headers['dpop'] ?? '')['nonce']

  it('is asked again once, with the nonce and a new proof, and then remembered', async () => {
    const nonces = new Map<string, string>()
    const answers = [asking('n-1'), Response.json({ ok: 1 }), Response.json({ ok: 2 })]
    const sent: Sent[] = []
    const fetch = (async (url: string, init: Sent['init']) => {
      sent.push({ url, init })
      return answers[sent.length - 1]
    }) as unknown as typeof globalThis.fetch
    expect(await callHttpTool(call, key, { clock, fetch, nonces })).toEqual({ ok: 1 })
    expect(await callHttpTool(call, key, { clock, fetch, nonces })).toEqual({ ok: 2 })
    expect(sent.map(nonceOf)).toEqual([undefined, 'n-1', 'n-1'])
    expect(new Set(sent.map(({ init }) => claimsOf(init.headers['dpop'] ?? '')['jti'])).size).toBe(3)
  })

  attack('X14', 'is not asked for ever when it never is content', async () => {
    let count = 0
    const { result, sent } = await answered(() => asking(`n-${count++}`))
    await expectCode(result, 'ERR_PROOF_NONCE')
    expect(sent.map(nonceOf)).toEqual([undefined, 'n-0'])
  })

  attack(
    'T2',
    'makes nobody repeat a call that was refused for another reason, or that was made',
    async () => {
      for (const [status, challenge] of [
        [401, 'DPoP error="invalid_token"'],
        [403, 'DPoP error="use_dpop_nonce"'],
        [500, 'DPoP error="use_dpop_nonce"'],
        [200, 'DPoP error="use_dpop_nonce"'],
      ] as const) {
        const headers = { 'dpop-nonce': 'n-1', 'www-authenticate': challenge }
        const { result, sent } = await answered(() => new Response('{}', { status, headers }))
        await result.catch(() => undefined)
        expect(sent).toHaveLength(1)
      }
    },
  )
})
