import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { type IdTokenIssuer, verifyIdToken } from '../../runtime/tokens/id-token.js'
import { parseIdTokenIssuers } from '../../runtime/tokens/id-token-issuers.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { keyring } from '../support/fixed-keys.js'

const now = 1_800_000_000
const issuer = 'https://login.example'
const audience = 'baton-client'

let pair: GenerateKeyPairResult
let trusted: IdTokenIssuer
let other: { readonly pair: GenerateKeyPairResult; readonly trusted: IdTokenIssuer }
beforeAll(async () => {
  pair = await generateKeyPair('ES256', { extractable: true })
  trusted = { issuer, audience, algorithms: ['ES256'], keys: [await jwkOf(pair)] }
  const second = await generateKeyPair('ES256', { extractable: true })
  other = {
    pair: second,
    trusted: { ...trusted, issuer: 'https://other.example', keys: [await jwkOf(second)] },
  }
})

async function jwkOf({ publicKey }: GenerateKeyPairResult): Promise<JsonObject> {
  return (await exportJWK(publicKey)) as JsonObject
}

const claims = { iss: issuer, aud: audience, sub: 'alice', iat: now - 10, exp: now + 300 }
const sign = (changes: JWTPayload = {}, header: object = { typ: 'JWT' }, by = pair) =>
  new SignJWT({ ...claims, ...changes }).setProtectedHeader({ alg: 'ES256', ...header }).sign(by.privateKey)
const verify = (token: string) => verifyIdToken(token, [trusted, other.trusted], now, keyring)

describe('an ID token', () => {
  it('says who was authenticated, where and when', async () => {
    expect(await verify(await sign())).toEqual({ issuer, subject: 'alice', authenticatedAt: now - 10 })
    expect(await verify(await sign({ auth_time: now - 3600 }, {}))).toMatchObject({
      authenticatedAt: now - 3600,
    })
    await verify(await sign({ aud: [audience], azp: audience, nbf: now + 30 }))
  })

  const refused: readonly (readonly [what: string, changes: JWTPayload, code: ErrorCode])[] = [
    ['for another audience', { aud: 'other-client' }, 'ERR_TOKEN_AUDIENCE'],
    ['for others as well', { aud: [audience, 'other-client'] }, 'ERR_TOKEN_AUDIENCE'],
    ['for no audience', { aud: [] }, 'ERR_TOKEN_AUDIENCE'],
    ['made for another client', { azp: 'other-client' }, 'ERR_TOKEN_AUDIENCE'],
    ['of an issuer that nobody trusts', { iss: 'https://evil.example' }, 'ERR_TOKEN_ISSUER'],
    ['of a name like the issuer’s', { iss: `${issuer}/` }, 'ERR_TOKEN_ISSUER'],
    ['that has ended', { exp: now }, 'ERR_TOKEN_EXPIRED'],
    ['from the future', { iat: now + 31, exp: now + 60 }, 'ERR_TOKEN_FROM_FUTURE'],
    ['that does not hold yet', { nbf: now + 31 }, 'ERR_TOKEN_FROM_FUTURE'],
    ['that holds for days', { exp: now + 3 * 24 * 3600 }, 'ERR_TOKEN_LIFETIME'],
    ['of an authentication long ago', { auth_time: now - 24 * 3600 - 1 }, 'ERR_TOKEN_EXPIRED'],
    ['authenticated after it was made', { auth_time: now + 60 }, 'ERR_CLAIM_INVALID'],
    ['of somebody who acts for another', { act: { sub: 'bot' } }, 'ERR_CLAIM_INVALID'],
    ['without a subject', { sub: '' }, 'ERR_CLAIM_INVALID'],
    ['of a subject without end', { sub: 'a'.repeat(256) }, 'ERR_CLAIM_INVALID'],
    ['of a subject that would break a line', { sub: 'alice\nroot' }, 'ERR_CLAIM_INVALID'],
  ]
  for (const [what, changes, code] of refused) {
    attack('T10', `${what} proves nobody`, async () => {
      await expectCode(async () => verify(await sign(changes)), code)
      await verify(await sign())
    })
  }

  attack('T10', 'of one issuer cannot speak for another', async () => {
    await expectCode(async () => verify(await sign({}, { typ: 'JWT' }, other.pair)), 'ERR_SIGNATURE_INVALID')
    const subject = await verify(await sign({ iss: 'https://other.example' }, {}, other.pair))
    expect(subject.issuer).toBe('https://other.example')
  })

  attack('X8', 'is no access token, and no other token is one', async () => {
    for (const typ of ['at+jwt', 'delegation+jwt', 'jwt', 'dpop+jwt'])
      await expectCode(async () => verify(await sign({}, { typ })), 'ERR_TYP_MISMATCH')
    for (const text of ['', 'a.b.c', '..', 'null']) await expectCode(() => verify(text), 'ERR_TOKEN_ISSUER')
  })
})

describe('the configuration of issuers', () => {
  const entry = () => ({ issuer, audience, algorithms: ['ES256'], jwks: { keys: trusted.keys }, max_age: 60 })

  it('is read as it stands', async () => {
    const issuers = parseIdTokenIssuers([entry()])
    await verifyIdToken(await sign(), issuers, now, keyring)
    await expectCode(
      async () => verifyIdToken(await sign({ auth_time: now - 61 }), issuers, now, keyring),
      'ERR_TOKEN_EXPIRED',
    )
  })

  it.each([
    {},
    { issuer: 'http://login.example' },
    { audience: '' },
    { algorithms: [] },
    { algorithms: ['none'] },
    { algorithms: ['HS256'] },
    { jwks: {} },
    { jwks: { keys: ['x'] } },
    { max_age: 0 },
    { max_age: '60' },
    { maxage: 60 },
  ])('is refused with %j', async (changes) => {
    const wrong = Object.keys(changes).length === 0 ? [] : [{ ...entry(), ...changes }]
    await expectCode(() => parseIdTokenIssuers(wrong), 'ERR_INPUT_INVALID')
  })
})
