/**
 * PROTOCOL 7, claim by claim: each missing, of a wrong type and of a wrong value, in a token that the authority
 * signed. The refusal has one code per reason, and the whole token beside it passes.
 */
import { describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { codeOf, type ErrorCode } from '../../runtime/errors.js'
import {
  type IntentTokenRules,
  mintIntentToken,
  verifyIntentToken,
} from '../../runtime/tokens/intent-token.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring, smallOrderJwk } from '../support/fixed-keys.js'
import { changed, claimsOf, forge } from '../support/forger.js'
import { approvedIntentClaims, audience, issuer } from '../support/intent-claims.js'
import { signRaw } from '../support/raw-jws.js'

const clock = fakeClock()
const now = nowSeconds(clock)
const authority = fixedKey('authority')
const header = { typ: 'at+jwt', kid: authority.publicKey.thumbprint }
const whole = claimsOf(mintIntentToken(approvedIntentClaims(), authority, { clock }).token)

function verify(token: string, changes: Partial<IntentTokenRules> = {}) {
  const trustedKeys = [authority.publicKey]
  return verifyIntentToken(token, { issuer, audience, trustedKeys, now, keyring, ...changes })
}

function tokenWith(changes: Record<string, unknown>): string {
  return forge(header, changed(whole, changes), authority)
}

/** A token in which a number of the claims is spelled as given. */
function spelled(name: string, text: string): string {
  const claims = JSON.stringify(changed(whole, { [name]: '@' })).replace('"@"', text)
  return signRaw(JSON.stringify({ alg: 'Ed25519', ...header }), claims, authority)
}

const notText = [undefined, null, '', 0, 7, true, [], ['x'], {}]
const notIdentifier = [...notText, '-x', '.x', 'a b', 'a/b', 'a\n', 'é', '__proto__', 'x'.repeat(129)]
const notForeignId = [...notText, 'a b', 'a\u007f', 'é', 'x'.repeat(129)]
const notWhole = [undefined, null, '', '1767225600', true, [], [1], {}, -1, 0.5, -(2 ** 53 - 1), 1e21]
const notObject = [undefined, null, '', 'x', 7, true, [], [{}]]

const shapes: Record<string, readonly unknown[]> = {
  iss: notText,
  aud: [...notText, [audience], [audience, 'https://other.example'], { aud: audience }],
  sub: notIdentifier,
  client_id: notText,
  iat: notWhole,
  exp: notWhole,
  jti: notForeignId,
  scope: [undefined, null, 7, [], ['repo:read'], {}, ' a', 'a ', 'a  b', 'a\tb', 'a a', 'a"', 'a\\', 'é'],
  cnf: notObject,
  'cnf.jkt': notText,
  'cnf.jwk': notObject,
  authorization_details: [undefined, null, '', 7, {}, ['x'], [null], [[]]],
  intent: notObject,
  'intent.workflow_id': notIdentifier,
  'intent.workflow_step': notText,
  'intent.executed_by': notIdentifier,
  'intent.initiated_by': notText,
  'intent.delegation_chain': notText,
  'intent.step_sequence_hash': notText,
  'intent.workflow_digest': notText,
  'intent.execution_id': notForeignId,
  'intent.activation_id': notForeignId,
  'intent.epoch': notWhole,
  'intent.checkpoint': notText,
  'intent.intent_hash': notText,
  'intent.chain_hash': notText,
  'intent.approval': notObject,
  'intent.approval.id': notIdentifier,
  'intent.approval.tool': notText,
  'intent.approval.args_digest': notText,
  'intent.use': [undefined, null, '', 'Once', 'twice', true, 1, ['once'], {}],
  agent_proof: notObject,
  'agent_proof.agent_checksum': notText,
  'agent_proof.registration_id': notIdentifier,
}

describe('the claims of an intent token (PROTOCOL 7)', () => {
  it('are all in this table', () => {
    const named = (claims: Record<string, unknown>, prefix = ''): string[] =>
      Object.entries(claims).flatMap(([name, value]) => {
        const inner = typeof value === 'object' && value !== null && !Array.isArray(value) && name !== 'jwk'
        return [prefix + name, ...(inner ? named(value as typeof claims, `${prefix}${name}.`) : [])]
      })
    expect(Object.keys(shapes).sort()).toEqual(named(whole).sort())
  })

  for (const [name, bad] of Object.entries(shapes)) {
    it(`"${name}" missing or of a wrong shape is ERR_CLAIM_INVALID; the whole token passes`, async () => {
      for (const value of bad) {
        const error = await expectCode(() => verify(tokenWith({ [name]: value })), 'ERR_CLAIM_INVALID')
        expect(error.message).toContain(`"${name.split('.').at(-1)}"`)
      }
      expect(verify(tokenWith({})).intent.use).toBe('once')
    })
  }

  attack('X10', 'a claim that is missing stays missing when `Object.prototype` has it', () => {
    const prototype = Object.prototype as Record<string, unknown>
    for (const path of Object.keys(shapes)) {
      const name = path.split('.').at(-1) ?? ''
      const value = path.split('.').reduce<unknown>((at, step) => (at as typeof prototype)[step], whole)
      const token = tokenWith({ [path]: undefined })
      let outcome: unknown
      prototype[name] = value
      try {
        outcome = verify(token)
      } catch (error) {
        outcome = codeOf(error)
      } finally {
        delete prototype[name]
      }
      expect(outcome, path).toBe('ERR_CLAIM_INVALID')
    }
    verify(tokenWith({}))
  })

  const { jwk } = fixedKey('scanner').publicKey
  const other = fixedKey('other').publicKey
  const values: [what: string, changes: Record<string, unknown>, code: ErrorCode][] = [
    ['another issuer', { iss: 'https://other.example' }, 'ERR_TOKEN_ISSUER'],
    ['the issuer in another case', { iss: issuer.toUpperCase() }, 'ERR_TOKEN_ISSUER'],
    ['the issuer with a slash', { iss: `${issuer}/` }, 'ERR_TOKEN_ISSUER'],
    ['another audience', { aud: 'https://other.example' }, 'ERR_TOKEN_AUDIENCE'],
    ['an audience that contains this one', { aud: `${audience} https://b.example` }, 'ERR_TOKEN_AUDIENCE'],
    ['another thumbprint', { 'cnf.jkt': other.thumbprint }, 'ERR_CLAIM_INVALID'],
    ['another key', { 'cnf.jwk': other.jwk }, 'ERR_CLAIM_INVALID'],
    ['a private key', { 'cnf.jwk': { ...jwk, d: jwk.x } }, 'ERR_KEY_INVALID'],
    ['a symmetric key', { 'cnf.jwk': { kty: 'oct', k: jwk.x } }, 'ERR_KEY_INVALID'],
    ['a key for encryption', { 'cnf.jwk': { ...jwk, use: 'enc' } }, 'ERR_KEY_INVALID'],
    ['no key', { 'cnf.jwk': {} }, 'ERR_KEY_INVALID'],
    ['a key of small order', { 'cnf.jwk': smallOrderJwk }, 'ERR_KEY_SMALL_ORDER'],
    ['no approval but "once"', { 'intent.approval': undefined }, 'ERR_CLAIM_INVALID'],
  ]
  it.each(values)('with %s are refused', async (_what, changes, code) => {
    await expectCode(() => verify(tokenWith(changes)), code)
    verify(tokenWith({}))
  })

  it('may be more: what this version does not know is carried, not believed', () => {
    const verified = verify(tokenWith({ admin: true, 'intent.history': 'none', nbf: now - 1 }))
    expect(verified).not.toHaveProperty('admin')
    expect(verified.intent).not.toHaveProperty('history')
  })
})

describe('the times of an intent token, to the second', () => {
  const times: [iat: number, exp: number, code: ErrorCode | undefined][] = [
    [0, 1, undefined],
    [0, 0, 'ERR_TOKEN_EXPIRED'],
    [-1, -1, 'ERR_TOKEN_EXPIRED'],
    [-599, 1, undefined],
    [-600, 0, 'ERR_TOKEN_EXPIRED'],
    [-600, 1, 'ERR_TOKEN_LIFETIME'],
    [0, 600, undefined],
    [0, 601, 'ERR_TOKEN_LIFETIME'],
    [30, 31, undefined],
    [30, 630, undefined],
    [30, 631, 'ERR_TOKEN_LIFETIME'],
    [30, 30, 'ERR_TOKEN_LIFETIME'],
    [31, 32, 'ERR_TOKEN_FROM_FUTURE'],
    [29, 28, 'ERR_TOKEN_LIFETIME'],
    [-now, 1, 'ERR_TOKEN_LIFETIME'],
  ]
  it.each(times)('iat %i and exp %i from now: %s', async (iat, exp, code) => {
    const token = tokenWith({ iat: now + iat, exp: now + exp })
    if (code === undefined) expect(verify(token)).toMatchObject({ iat: now + iat, exp: now + exp })
    else await expectCode(() => verify(token), code)
  })

  const spellings: [text: string, code: ErrorCode | undefined][] = [
    [String(now + 300), undefined],
    // One number, and JSON has no other way to say which: these are the same claim.
    [`${now + 300}.0`, undefined],
    [`${now + 300}e0`, undefined],
    [`${(now + 300) / 100}E+2`, undefined],
    [`${now + 300}.5`, 'ERR_CLAIM_INVALID'],
    [`"${now + 300}"`, 'ERR_CLAIM_INVALID'],
    [`-${now + 300}`, 'ERR_CLAIM_INVALID'],
    ['-0', 'ERR_TOKEN_EXPIRED'],
    ['1e-400', 'ERR_TOKEN_EXPIRED'],
    ['9007199254740991', 'ERR_TOKEN_LIFETIME'],
    ['9007199254740993', 'ERR_TOKEN_JSON'],
    ['9007199254740993.0', 'ERR_TOKEN_JSON'],
    ['18446744073709551616', 'ERR_TOKEN_JSON'],
    ['1e21', 'ERR_CLAIM_INVALID'],
    ['1e308', 'ERR_CLAIM_INVALID'],
    ['1e309', 'ERR_TOKEN_JSON'],
    ['1e400', 'ERR_TOKEN_JSON'],
    ['-1e400', 'ERR_TOKEN_JSON'],
    [`1e${'9'.repeat(1000)}`, 'ERR_TOKEN_JSON'],
    [`1${'0'.repeat(400)}`, 'ERR_TOKEN_JSON'],
    [`0${now + 300}`, 'ERR_TOKEN_JSON'],
    [`+${now + 300}`, 'ERR_TOKEN_JSON'],
    [`0x${(now + 300).toString(16)}`, 'ERR_TOKEN_JSON'],
    ['Infinity', 'ERR_TOKEN_JSON'],
    ['NaN', 'ERR_TOKEN_JSON'],
  ]
  for (const [text, code] of spellings) {
    attack('X8', `exp spelled ${text.slice(0, 30)} is ${code ?? 'the number it is'}`, async () => {
      if (code === undefined) expect(verify(spelled('exp', text)).exp).toBe(now + 300)
      else await expectCode(() => verify(spelled('exp', text)), code)
    })
  }

  attack('X8', 'a verifier that does not know the time verifies nothing', () => {
    for (const unknown of [undefined, null, Number.NaN, Number.POSITIVE_INFINITY, 'now', String(now), {}]) {
      expect(() => verify(tokenWith({}), { now: unknown as number })).toThrow(TypeError)
    }
    verify(tokenWith({}), { now: now + 0.5 })
  })
})
