import { jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { exportJwkSet, mintIntentToken, verifyIntentToken } from '../../runtime/index.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, smallOrderJwk } from '../support/fixed-keys.js'
import { audience, type ClaimsToMint, intentClaims, issuer } from '../support/intent-claims.js'

const authority = fixedKey('authority')
const stranger = fixedKey('stranger')
const rules = { issuer, audience, trustedKeys: [authority.publicKey] }
const mint = (changes: Partial<ClaimsToMint> = {}) => mintIntentToken(intentClaims(changes), authority)

describe('a token minted by a program', () => {
  it('verifies at the time it was minted, by the system clock, and says what it was given', () => {
    const { token, jti, exp } = mint()
    const verified = verifyIntentToken(token, rules)
    expect([verified.jti, verified.exp, verified.exp - verified.iat]).toEqual([jti, exp, 300])
    expect(verified).toMatchObject(intentClaims())
    expect(verified.key.thumbprint).toBe(fixedKey('scanner').publicKey.thumbprint)
  })

  it('verifies with jose', async () => {
    const { payload } = await jwtVerify(
      mint().token,
      await import('jose').then(({ importJWK }) => importJWK({ ...authority.publicKey.jwk }, 'Ed25519')),
      { issuer, audience },
    )
    expect(payload.sub).toBe('scanner')
  })

  it('ends by the clock it was given', async () => {
    const clock = fakeClock()
    const { token, exp } = mintIntentToken(intentClaims(), authority, { clock, ttlSeconds: 60 })
    expect(exp).toBe(Math.floor(clock.nowMs() / 1000) + 60)
    expect(verifyIntentToken(token, { ...rules, now: exp - 1 }).exp).toBe(exp)
    await expectCode(() => verifyIntentToken(token, { ...rules, now: exp }), 'ERR_TOKEN_EXPIRED')
  })

  attack('T2', 'long ago is over when nobody says what time it is', async () => {
    const clock = { nowMs: () => Date.now() - 3_600_000 }
    const { token } = mintIntentToken(intentClaims(), authority, { clock })
    await expectCode(() => verifyIntentToken(token, rules), 'ERR_TOKEN_EXPIRED')
    for (const now of [Number.NaN, '1' as unknown as number])
      expect(() => verifyIntentToken(token, { ...rules, now })).toThrow(TypeError)
  })
})

describe('a token that nobody could read is not minted', () => {
  it.each([
    ['an agent id that is none', { sub: 'the scanner' }],
    ['a key that is none', { cnf: { jkt: 'x', jwk: undefined } }],
    ['no audience', { aud: '' }],
  ])('with %s', (_, changes) => {
    expect(() => mint(changes as unknown as Partial<ClaimsToMint>)).toThrow()
    expect(mint().token).toBeTypeOf('string')
  })

  attack('T9', 'with a scope that would be read as two', () => {
    expect(() => mint({ scope: ['repo:read repo:write'] })).toThrow(TypeError)
    expect(mint({ scope: ['repo:read', 'repo:write'] }).token).toBeTypeOf('string')
  })

  attack('X9', 'for a key of small order, or for another one than its thumbprint says', async () => {
    const { publicKey } = fixedKey('scanner')
    await expectCode(() => mint({ cnf: { jkt: 'x', jwk: smallOrderJwk } }), 'ERR_KEY_SMALL_ORDER')
    expect(() => mint({ cnf: { jkt: stranger.publicKey.thumbprint, jwk: publicKey.jwk } })).toThrow(TypeError)
  })

  it('for longer than ten minutes', () => {
    for (const ttlSeconds of [0, 601, 1.5])
      expect(() => mintIntentToken(intentClaims(), authority, { ttlSeconds })).toThrow(TypeError)
    expect(mintIntentToken(intentClaims(), authority, { ttlSeconds: 600 }).token).toBeTypeOf('string')
  })
})

describe('whose signature counts', () => {
  const { token } = mint()
  const { jwk } = authority.publicKey

  it.each([
    ['keys that were read', [stranger.publicKey, authority.publicKey]],
    ['JWKs', [jwk]],
    ['a JWK Set', { keys: [jwk] }],
    ['a JWK Set as it is published', exportJwkSet([stranger.publicKey, authority.publicKey])],
  ])('is said by %s', (_, trustedKeys) => {
    expect(verifyIntentToken(token, { ...rules, trustedKeys }).iss).toBe(issuer)
  })

  it.each([
    ['another key', [stranger.publicKey]],
    ['no key', []],
    ['an empty set', { keys: [] }],
  ])('is not this one with %s', async (_, trustedKeys) => {
    await expectCode(() => verifyIntentToken(token, { ...rules, trustedKeys }), 'ERR_SIGNATURE_INVALID')
  })

  attack('X9', 'is not said by keys that cannot be read', async () => {
    const withBad = { keys: [jwk, smallOrderJwk] }
    await expectCode(
      () => verifyIntentToken(token, { ...rules, trustedKeys: withBad }),
      'ERR_KEY_SMALL_ORDER',
    )
    for (const trustedKeys of [undefined, null, 'keys', {}, { keys: {} }, jwk])
      expect(() => verifyIntentToken(token, { ...rules, trustedKeys: trustedKeys as never })).toThrow(
        TypeError,
      )
    for (const trustedKeys of [[null], ['key'], [{}]])
      await expectCode(
        () => verifyIntentToken(token, { ...rules, trustedKeys: trustedKeys as never }),
        'ERR_KEY_INVALID',
      )
  })
})
