import { describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import {
  type IntentTokenRules,
  mintIntentToken,
  trustedKey,
  verifyIntentToken,
} from '../../runtime/tokens/intent-token.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring, smallOrderJwk } from '../support/fixed-keys.js'
import { changed, claimsOf, forge } from '../support/forger.js'
import { approvedIntentClaims, audience, intentClaims, issuer } from '../support/intent-claims.js'

const clock = fakeClock()
const now = nowSeconds(clock)
const authority = fixedKey('authority')
const kid = authority.publicKey.thumbprint
const { token, jti, exp } = mintIntentToken(intentClaims(), authority, { clock })

function rules(changes: Partial<IntentTokenRules> = {}): IntentTokenRules {
  return { issuer, trustedKeys: [authority.publicKey], audience, now, keyring, ...changes }
}

/** The minted token with some claims changed, under the authority's own key. */
function reminted(changes: Record<string, unknown>): string {
  return forge({ typ: 'at+jwt', kid }, changed(claimsOf(token), changes), authority)
}

describe('a minted intent token', () => {
  it('verifies, and says what it was minted with', () => {
    const verified = verifyIntentToken(token, rules())
    expect(verified).toMatchObject(intentClaims())
    expect(verified).toMatchObject({ jti, exp, iat: now })
    expect(verified.key).toBe(keyring.publicKey(fixedKey('scanner').publicKey.jwk))
  })

  it('lives for 300 seconds, or as long as is asked up to 600', () => {
    expect(exp).toBe(now + 300)
    expect(mintIntentToken(intentClaims(), authority, { clock, ttlSeconds: 600 }).exp).toBe(now + 600)
    expect(mintIntentToken(intentClaims(), authority, { clock, ttlSeconds: 1 }).exp).toBe(now + 1)
    for (const ttlSeconds of [0, -1, 601, 1.5, Number.NaN]) {
      expect(() => mintIntentToken(intentClaims(), authority, { clock, ttlSeconds })).toThrow(TypeError)
    }
  })

  it('carries its approval, and then is good once', () => {
    const approved = mintIntentToken(approvedIntentClaims(), authority, { clock })
    const { intent } = verifyIntentToken(approved.token, rules())
    expect(intent.use).toBe('once')
    expect(intent.approval).toEqual(approvedIntentClaims().intent.approval)
    expect(verifyIntentToken(token, rules()).intent).not.toHaveProperty('use')
  })

  it('has another `jti` each time', () => {
    expect(mintIntentToken(intentClaims(), authority, { clock }).jti).not.toBe(jti)
  })
})

describe('the signer of an intent token', () => {
  attack('T1', 'a token signed by a key nobody trusts is refused, whatever `kid` says', async () => {
    const claims = claimsOf(token)
    const stranger = fixedKey('stranger')
    for (const named of [kid, stranger.publicKey.thumbprint]) {
      const forged = forge({ typ: 'at+jwt', kid: named }, claims, stranger)
      await expectCode(() => verifyIntentToken(forged, rules()), 'ERR_SIGNATURE_INVALID')
    }
    verifyIntentToken(forge({ typ: 'at+jwt', kid }, claims, authority), rules())
  })

  it('is found by `kid`: without one, or with another, no key is tried', async () => {
    const claims = claimsOf(token)
    for (const named of [undefined, 'authority', `${kid}x`]) {
      const forged = forge({ typ: 'at+jwt', kid: named }, claims, authority)
      await expectCode(() => verifyIntentToken(forged, rules()), 'ERR_SIGNATURE_INVALID')
    }
  })

  it('may be any of the keys that are trusted during a rotation, and none when none is', async () => {
    const next = fixedKey('next authority').publicKey
    verifyIntentToken(token, rules({ trustedKeys: [next, authority.publicKey] }))
    await expectCode(() => verifyIntentToken(token, rules({ trustedKeys: [next] })), 'ERR_SIGNATURE_INVALID')
    await expectCode(() => trustedKey(undefined, []), 'ERR_SIGNATURE_INVALID')
  })

  attack('X8', 'a changed claim breaks the signature', async () => {
    const [header, , signature] = token.split('.')
    const claims = changed(claimsOf(token), { scope: 'repo:read repo:write' })
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
    const forged = `${header}.${payload}.${signature}`
    await expectCode(() => verifyIntentToken(forged, rules()), 'ERR_SIGNATURE_INVALID')
  })
})

describe('issuer, audience and times of an intent token', () => {
  it('refuses another issuer, though the key is trusted', async () => {
    await expectCode(() => verifyIntentToken(reminted({ iss: `${issuer}/` }), rules()), 'ERR_TOKEN_ISSUER')
    verifyIntentToken(reminted({ iss: issuer }), rules())
  })

  attack('T2', 'a token for another resource is refused, also one whose name only begins alike', async () => {
    for (const aud of ['https://other.example', `${audience}/`, `${audience}.evil.example`]) {
      await expectCode(() => verifyIntentToken(reminted({ aud }), rules()), 'ERR_TOKEN_AUDIENCE')
    }
    await expectCode(() => verifyIntentToken(reminted({ aud: [audience] }), rules()), 'ERR_CLAIM_INVALID')
    verifyIntentToken(reminted({ aud: audience }), rules())
  })

  it('has ended in the very second of its `exp`', async () => {
    verifyIntentToken(token, rules({ now: exp - 1 }))
    await expectCode(() => verifyIntentToken(token, rules({ now: exp })), 'ERR_TOKEN_EXPIRED')
  })

  it('may come from a clock 30 seconds ahead, and no more', async () => {
    verifyIntentToken(reminted({ iat: now + 30, exp: now + 300 }), rules())
    await expectCode(
      () => verifyIntentToken(reminted({ iat: now + 31, exp: now + 300 }), rules()),
      'ERR_TOKEN_FROM_FUTURE',
    )
  })

  it('may live for 600 seconds, and no longer even if the authority says so', async () => {
    verifyIntentToken(reminted({ exp: now + 600 }), rules())
    await expectCode(() => verifyIntentToken(reminted({ exp: now + 601 }), rules()), 'ERR_TOKEN_LIFETIME')
  })

  it('must end after it begins', async () => {
    const late = { iat: now + 20, exp: now + 20 }
    await expectCode(() => verifyIntentToken(reminted(late), rules()), 'ERR_TOKEN_LIFETIME')
    verifyIntentToken(reminted({ iat: now + 20, exp: now + 21 }), rules())
  })
})

describe('the key in `cnf`', () => {
  attack('T1', 'a token whose `jkt` is not the thumbprint of its `jwk` is refused', async () => {
    const other = fixedKey('other').publicKey
    for (const changes of [{ 'cnf.jkt': other.thumbprint }, { 'cnf.jwk': other.jwk }]) {
      await expectCode(() => verifyIntentToken(reminted(changes), rules()), 'ERR_CLAIM_INVALID')
    }
    const both = { 'cnf.jkt': other.thumbprint, 'cnf.jwk': other.jwk }
    expect(verifyIntentToken(reminted(both), rules()).key.thumbprint).toBe(other.thumbprint)
  })

  attack('X9', 'a key of small order is refused: anyone could prove it', async () => {
    const forged = reminted({ 'cnf.jwk': smallOrderJwk })
    await expectCode(() => verifyIntentToken(forged, rules()), 'ERR_KEY_SMALL_ORDER')
  })

  it('must be a public Ed25519 key and nothing more', async () => {
    const { jwk } = fixedKey('scanner').publicKey
    for (const bad of [{ ...jwk, d: jwk.x }, { ...jwk, crv: 'X25519' }, { kty: 'oct', k: 'AAAA' }, {}]) {
      await expectCode(() => verifyIntentToken(reminted({ 'cnf.jwk': bad }), rules()), 'ERR_KEY_INVALID')
    }
    verifyIntentToken(reminted({ 'cnf.jwk': { ...jwk, use: 'sig' } }), rules())
  })
})
