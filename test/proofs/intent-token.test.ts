import { jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { createKeyring, exportJwkSet, mintIntentToken, verifyIntentToken } from '../../runtime/index.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, smallOrderJwk } from '../support/fixed-keys.js'
import { audience, type ClaimsToMint, intentClaims, issuer } from '../support/intent-claims.js'
import { withPolluted } from '../support/polluted.js'

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
    const now = Math.floor(clock.nowMs() / 1000)
    await withPolluted('now', now, () =>
      expectCode(() => verifyIntentToken(token, rules), 'ERR_TOKEN_EXPIRED'),
    )
    expect(verifyIntentToken(token, { ...rules, now }).iat).toBe(now)
  })

  attack('X10', 'lives as long as it was told, and has no approval that every object has', () => {
    const { token, exp } = withPolluted('ttlSeconds', 600, () => mint())
    const approval = { id: 'approval-1', tool: 'pay', argsDigest: `sha256:${'a'.repeat(64)}` }
    const verified = verifyIntentToken(token, rules)
    expect(exp - verified.iat).toBe(300)
    withPolluted('approval', approval, () => expect(verified.intent.approval).toBeUndefined())
  })

  it('says what was verified to whoever holds it, unchanged', () => {
    const verified = verifyIntentToken(mint().token, rules)
    const { scope, intent, cnf, agentProof, authorizationDetails } = verified
    for (const part of [
      verified,
      scope,
      intent,
      cnf,
      cnf.jwk,
      agentProof,
      authorizationDetails,
      verified.key,
    ])
      expect(Object.isFrozen(part)).toBe(true)
  })

  it('is verified under rules that say who and for whom', () => {
    const { token } = mint()
    for (const name of ['issuer', 'audience'])
      for (const nothing of [undefined, null, '', [issuer], true])
        expect(() => verifyIntentToken(token, { ...rules, [name]: nothing } as never)).toThrow(TypeError)
    for (const odd of [undefined, null, Object.create(rules), [rules]])
      expect(() => verifyIntentToken(token, odd as never)).toThrow(TypeError)
    expect(verifyIntentToken(token, rules).aud).toBe(audience)
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
    for (const scope of [['repo:read repo:write'], [['repo:read']], [7], 'repo:read'])
      expect(() => mint({ scope: scope as string[] })).toThrow(TypeError)
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
    const inherited = Object.create({ keys: [jwk] })
    expect(() => verifyIntentToken(token, { ...rules, trustedKeys: inherited })).toThrow(TypeError)
    for (const trustedKeys of [[null], ['key'], [{}], Array(2), [authority], [{ ...jwk, d: jwk.x }]])
      await expectCode(
        () => verifyIntentToken(token, { ...rules, trustedKeys: trustedKeys as never }),
        'ERR_KEY_INVALID',
      )
  })

  attack('X8', 'is not said by a key that answers later, or in other words than true', async () => {
    const { token } = mintIntentToken(intentClaims(), stranger)
    for (const answer of [Promise.resolve(false), 1, 'no', {}]) {
      const late = { ...stranger.publicKey, verify: () => answer } as never
      await expectCode(
        () => verifyIntentToken(token, { ...rules, trustedKeys: [late] }),
        'ERR_SIGNATURE_INVALID',
      )
    }
    for (const missing of ['alg', 'thumbprint']) {
      const half = { ...stranger.publicKey, verify: () => true, [missing]: undefined } as never
      await expectCode(() => verifyIntentToken(token, { ...rules, trustedKeys: [half] }), 'ERR_KEY_INVALID')
    }
  })

  attack('X14', 'is not looked for among thousands', async () => {
    const trusted = (count: number) => () =>
      verifyIntentToken(token, { ...rules, trustedKeys: { keys: Array(count).fill(jwk) } })
    expect(trusted(64)().iss).toBe(issuer)
    await expectCode(trusted(65), 'ERR_KEY_SET_SIZE')
    const sparse = () => verifyIntentToken(token, { ...rules, trustedKeys: Array(2 ** 31) })
    await expectCode(sparse, 'ERR_KEY_SET_SIZE')
  })

  it('is said by an ES256 key as well', () => {
    const es256 = createKeyring().es256FromSeed(new Uint8Array(48).fill(7))
    const { token } = mintIntentToken(intentClaims(), es256)
    for (const trustedKeys of [[es256.publicKey], exportJwkSet([es256.publicKey, authority.publicKey])])
      expect(verifyIntentToken(token, { ...rules, trustedKeys }).iss).toBe(issuer)
  })
})
