import { afterEach, describe, expect, it } from 'vitest'
import { AgenticError, type ErrorCode, oauthAnswers } from '../../runtime/errors.js'
import type { GuardDeps } from '../../runtime/guard/deps.js'
import type { ResourceTool } from '../../runtime/guard/resource.js'
import { attack } from '../support/attack.js'
import { fixedKey } from '../support/fixed-keys.js'
import { claimsOf, forge } from '../support/forger.js'
import { type Answer, type Call, type Counter, openCounter } from './loopback.js'

const canary = 'canary-4f1c9a'
const open: Counter[] = []

afterEach(async () => {
  for (const counter of open.splice(0)) await counter.close()
})

async function counter(
  changes: { readonly guard?: Partial<GuardDeps>; readonly handler?: ResourceTool['handler'] } = {},
): Promise<Counter> {
  const opened = await openCounter(changes)
  open.push(opened)
  return opened
}

const challengeOf = ({ status, headers, body }: Answer) => ({
  status,
  challenge: headers['www-authenticate'],
  error: body === '' ? undefined : (JSON.parse(body) as { error: string }).error,
})

describe('a call over a real socket', () => {
  it('passes when it is right', async () => {
    const { send } = await counter()
    expect(await send()).toMatchObject({ status: 200, body: '{"done":true}' })
  })

  it('without credentials gets a challenge and no word', async () => {
    const { send } = await counter()
    const answer = await send({ headers: { authorization: undefined, dpop: undefined } })
    expect(answer).toMatchObject({ status: 401, body: '' })
    expect(answer.headers['www-authenticate']).toBe('DPoP algs="Ed25519"')
    expect(answer.headers['cache-control']).toBe('no-store')
  })
})

describe('a credential that the gate refuses', () => {
  /** Ways in which a compact JWS is none, each with the code that the gate has for it. */
  const broken: readonly [code: ErrorCode, fault: string, spoil: (right: string) => string][] = [
    ['ERR_TOKEN_MALFORMED', 'two segments', (right) => right.split('.').slice(0, 2).join('.')],
    ['ERR_TOKEN_MALFORMED', 'an empty segment', (right) => right.replace(/\.[^.]*\./, '..')],
    ['ERR_TOKEN_TOO_LARGE', '16 KiB and more', (right) => right + 'A'.repeat(16 * 1024)],
    ['ERR_BASE64URL_INVALID', 'stray bits', (right) => right.replace(/.\./, '+.')],
    ['ERR_TOKEN_JSON', 'claims that are no object', (right) => withPart(right, 1, '[]')],
    ['ERR_HEADER_REFUSED', 'a header with jku', (right) => withHeader(right, { jku: 'x' })],
    ['ERR_ALG_REFUSED', 'no algorithm', (right) => withHeader(right, { alg: 'none' })],
    ['ERR_TYP_MISMATCH', 'another type', (right) => withHeader(right, { typ: 'JWT' })],
    [
      'ERR_SIGNATURE_INVALID',
      'other claims',
      (right) => withPart(right, 1, `${claimsText(right).slice(0, -1)},"x":1}`),
    ],
  ]

  it.each(broken)('is a bad token where a token was read: %s, %s', async (code, _fault, spoil) => {
    const { send, token } = await counter()
    const answer = await send({ headers: { authorization: `DPoP ${spoil(token)}` } })
    expect(challengeOf(answer)).toEqual({
      status: 401,
      challenge: 'DPoP error="invalid_token", algs="Ed25519"',
      error: 'invalid_token',
    })
    expect([code, 'ERR_TOKEN_MALFORMED']).toContain(codeIn(answer))
    expect((await send()).status).toBe(200)
  })

  it.each(broken)('is a bad proof where a proof was read: %s, %s', async (code, _fault, spoil) => {
    const { send } = await counter()
    const answer = await send({ proof: spoil })
    expect(challengeOf(answer)).toEqual({
      status: 401,
      challenge: 'DPoP error="invalid_dpop_proof", algs="Ed25519"',
      error: 'invalid_dpop_proof',
    })
    expect(codeIn(answer)).toBe(code)
    expect((await send()).status).toBe(200)
  })

  it('is a bad token again in the chain, which is read after the proof', async () => {
    const { send, chain } = await counter()
    const [root = '', leaf = ''] = chain
    for (const spoil of [broken[6], broken[7], broken[8]]) {
      const answer = await send({ headers: { 'delegation-chain': `${root}, ${spoil?.[2](leaf)}` } })
      expect(challengeOf(answer)).toMatchObject({ status: 401, error: 'invalid_token' })
      expect(codeIn(answer)).toBe(spoil?.[0])
    }
  })

  it('is a bad proof when its key or a claim is none', async () => {
    const { send } = await counter()
    const key = fixedKey('reader')
    const { x } = key.publicKey.jwk
    const remade = (right: string, header: object, claims: object) =>
      forge({ typ: 'dpop+jwt', jwk: key.publicKey.jwk, ...header }, { ...claimsOf(right), ...claims }, key)
    const wrong: readonly [ErrorCode, NonNullable<Call['proof']>][] = [
      ['ERR_KEY_INVALID', (right) => remade(right, { jwk: { kty: 'OKP', crv: 'X25519', x } }, {})],
      ['ERR_CLAIM_INVALID', (right) => remade(right, {}, { jti: '' })],
      ['ERR_CLAIM_INVALID', (right) => remade(right, {}, { iat: 'now' })],
    ]
    for (const [code, proof] of wrong) {
      const answer = await send({ proof })
      expect(challengeOf(answer)).toMatchObject({ status: 401, error: 'invalid_dpop_proof' })
      expect(codeIn(answer)).toBe(code)
    }
    expect((await send({ proof: (right) => remade(right, {}, {}) })).status).toBe(200)
  })
})

describe('what breaks behind a guard', () => {
  const generic = 'the resource could not answer'
  const foreign: readonly unknown[] = [
    new TypeError(canary),
    new Error(canary, { cause: new Error(canary) }),
    new AggregateError([new Error(canary)], canary),
    Object.assign(new Error(canary), { name: 'AgenticError', code: 'ERR_SCOPE_MISSING', status: 200 }),
    { message: canary, code: 'ERR_SCOPE_MISSING' },
    canary,
    null,
  ]

  attack('X16', 'is an error of the server, and says nothing of what it was', async () => {
    const thrown: { error?: unknown } = {}
    const { send, log } = await counter({
      guard: {
        requireStanding: async () => {
          throw thrown.error
        },
      },
    })
    for (const error of foreign) {
      thrown.error = error
      const answer = await send()
      expect(answer.status).toBe(500)
      expect(JSON.parse(answer.body)).toEqual({ error: 'server_error', error_description: generic })
      expect(JSON.stringify(answer)).not.toContain(canary)
    }
    expect(log().split('"code":"server_error"')).toHaveLength(foreign.length + 1)
    expect(log()).not.toContain(canary)
  })

  const serverErrors = (Object.keys(oauthAnswers) as ErrorCode[]).filter(
    (code) => oauthAnswers[code].resource[0] === 'server_error',
  )

  attack('X16', 'says its code at most, when the code is one of ours', async () => {
    const thrown: { code?: ErrorCode } = {}
    const { send } = await counter({
      guard: {
        requireStanding: async () => {
          throw new AgenticError(thrown.code ?? 'ERR_STORE_FAILED', canary, { cause: new Error(canary) })
        },
      },
    })
    expect(serverErrors.length).toBeGreaterThan(15)
    for (const code of serverErrors) {
      thrown.code = code
      const answer = await send()
      expect(answer.status).toBe(500)
      expect(JSON.parse(answer.body)).toEqual({ error: 'server_error', error_description: generic, code })
      expect(JSON.stringify(answer)).not.toContain(canary)
    }
  })

  attack('X16', 'never shows the cause of a refusal', async () => {
    const thrown: { code?: ErrorCode } = {}
    const { send } = await counter({
      guard: {
        requireStanding: async () => {
          throw new AgenticError(thrown.code ?? 'ERR_STORE_FAILED', 'a reason', { cause: new Error(canary) })
        },
      },
    })
    for (const code of Object.keys(oauthAnswers) as ErrorCode[]) {
      thrown.code = code
      const answer = await send()
      expect(answer.status).toBe(oauthAnswers[code].resource[1])
      expect(JSON.stringify(answer)).not.toContain(canary)
    }
  })

  attack('X16', 'may be the log, the store or the tool: none of them speaks on the wire', async () => {
    const failing = async (): Promise<never> => {
      throw new Error(canary)
    }
    const cyclic: Record<string, unknown> = { canary }
    cyclic['self'] = cyclic
    const broken: readonly Parameters<typeof counter>[0][] = [
      { guard: { singleUse: { claim: failing } } },
      { guard: { fetchChain: failing } },
      { guard: { journal: { record: failing, digest: failing } } },
      { handler: failing },
      { handler: () => cyclic },
      { handler: () => BigInt(1) },
      {
        handler: () => {
          throw new AgenticError('ERR_STORE_FAILED', canary)
        },
      },
    ]
    for (const changes of broken) {
      const { send } = await counter(changes)
      const answer = await send({
        headers: { 'delegation-chain': changes?.guard?.fetchChain ? undefined : chainOf(open) },
      })
      expect([422, 500]).toContain(answer.status)
      expect(JSON.stringify(answer)).not.toContain(canary)
    }
  })
})

function chainOf(counters: readonly Counter[]): string {
  return counters.at(-1)?.chain.join(', ') ?? ''
}

function codeIn({ body }: Answer): string {
  return (JSON.parse(body) as { code: string }).code
}

function claimsText(token: string): string {
  return Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
}

function withPart(token: string, index: number, text: string): string {
  const parts = token.split('.')
  parts[index] = Buffer.from(text).toString('base64url')
  return parts.join('.')
}

function withHeader(token: string, members: object): string {
  const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as object
  return withPart(token, 0, JSON.stringify({ ...header, ...members }))
}
