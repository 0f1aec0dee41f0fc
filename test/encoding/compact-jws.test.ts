import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeBase64url } from '../../runtime/encoding/base64url.js'
import { decodeJws, type JwsRules } from '../../runtime/encoding/compact-jws.js'
import { codeOf, type ErrorCode } from '../../runtime/errors.js'
import { expectCode } from '../support/expect-code.js'

const rules: JwsRules = { typ: 'at+jwt' }
const header = '{"alg":"Ed25519","typ":"at+jwt"}'
const claims = '{"sub":"scanner"}'
const signature = encodeBase64url(new Uint8Array(64))

/** A token of exactly these texts; nothing is signed, the gate does not look. */
function token(protectedHeader: string | Uint8Array = header, payload: string | Uint8Array = claims): string {
  return `${encodeBase64url(protectedHeader)}.${encodeBase64url(payload)}.${signature}`
}

function withMember(member: string): string {
  return token(`{"alg":"Ed25519","typ":"at+jwt",${member}}`)
}

describe('the gate of compact JWS', () => {
  it('takes a token apart', () => {
    const decoded = decodeJws(token('{"alg":"Ed25519","kid":"k1","typ":"at+jwt"}'), rules)
    expect(decoded.header).toEqual({ alg: 'Ed25519', kid: 'k1', typ: 'at+jwt' })
    expect(decoded.claims).toEqual({ sub: 'scanner' })
    expect(decoded.signature).toEqual(new Uint8Array(64))
    expect(`${decoded.signingInput}.${signature}`).toBe(token('{"alg":"Ed25519","kid":"k1","typ":"at+jwt"}'))
  })

  const good = token()
  const [h = '', p = '', s = ''] = good.split('.')
  const refusals: [what: string, token: string, code: ErrorCode][] = [
    ['no text', '', 'ERR_TOKEN_MALFORMED'],
    ['one segment', h, 'ERR_TOKEN_MALFORMED'],
    ['two segments', `${h}.${p}`, 'ERR_TOKEN_MALFORMED'],
    ['four segments', `${good}.${s}`, 'ERR_TOKEN_MALFORMED'],
    ['five segments, as in JWE', `${h}.${p}.${s}.${s}.${s}`, 'ERR_TOKEN_MALFORMED'],
    ['an empty header', `.${p}.${s}`, 'ERR_TOKEN_MALFORMED'],
    ['an empty payload', `${h}..${s}`, 'ERR_TOKEN_MALFORMED'],
    ['an empty signature', `${h}.${p}.`, 'ERR_TOKEN_MALFORMED'],
    [
      'the JSON serialization',
      JSON.stringify({ protected: h, payload: p, signature: s }),
      'ERR_TOKEN_MALFORMED',
    ],
    ['padding', `${good}==`, 'ERR_BASE64URL_INVALID'],
    ['a space at the end', `${good} `, 'ERR_BASE64URL_INVALID'],
    ['a line feed at the start', `\n${good}`, 'ERR_BASE64URL_INVALID'],
    ['stray bits in the signature', `${good.slice(0, -1)}B`, 'ERR_BASE64URL_INVALID'],
    ['a payload with padding', `${h}.${p}=.${s}`, 'ERR_BASE64URL_INVALID'],
    ['a header that is no JSON', token('alg'), 'ERR_TOKEN_JSON'],
    ['a header that is an array', token('[]'), 'ERR_TOKEN_JSON'],
    ['a header that is not UTF-8', token(Uint8Array.of(0x7b, 0xff, 0x7d)), 'ERR_TOKEN_JSON'],
    ['a header with alg twice', withMember('"alg":"none"'), 'ERR_TOKEN_JSON'],
    ['a header after a byte order mark', token(`\ufeff${header}`), 'ERR_TOKEN_JSON'],
    ['claims that are an array', token(header, '[1]'), 'ERR_TOKEN_JSON'],
    ['claims that are null', token(header, 'null'), 'ERR_TOKEN_JSON'],
    ['claims with sub twice', token(header, '{"sub":"a","sub":"b"}'), 'ERR_TOKEN_JSON'],
    ['claims with __proto__', token(header, '{"__proto__":{"sub":"admin"}}'), 'ERR_TOKEN_JSON'],
    ['an infinite exp', token(header, '{"exp":1e400}'), 'ERR_TOKEN_JSON'],
    ['claims after a byte order mark', token(header, `\ufeff${claims}`), 'ERR_TOKEN_JSON'],
    ['claims nested too deeply', token(header, `{"a":${'['.repeat(72)}${']'.repeat(72)}}`), 'ERR_TOKEN_JSON'],
    ['alg none', token('{"alg":"none","typ":"at+jwt"}'), 'ERR_ALG_REFUSED'],
    ['alg nOnE', token('{"alg":"nOnE","typ":"at+jwt"}'), 'ERR_ALG_REFUSED'],
    ['alg EdDSA', token('{"alg":"EdDSA","typ":"at+jwt"}'), 'ERR_ALG_REFUSED'],
    ['alg HS256', token('{"alg":"HS256","typ":"at+jwt"}'), 'ERR_ALG_REFUSED'],
    ['alg RS256', token('{"alg":"RS256","typ":"at+jwt"}'), 'ERR_ALG_REFUSED'],
    ['alg in lower case', token('{"alg":"ed25519","typ":"at+jwt"}'), 'ERR_ALG_REFUSED'],
    ['alg as an array', token('{"alg":["Ed25519"],"typ":"at+jwt"}'), 'ERR_ALG_REFUSED'],
    ['no alg', token('{"typ":"at+jwt"}'), 'ERR_ALG_REFUSED'],
    ['no typ', token('{"alg":"Ed25519"}'), 'ERR_TYP_MISMATCH'],
    ['another typ', token('{"alg":"Ed25519","typ":"dpop+jwt"}'), 'ERR_TYP_MISMATCH'],
    ['typ as a media type', token('{"alg":"Ed25519","typ":"application/at+jwt"}'), 'ERR_TYP_MISMATCH'],
    ['typ in upper case', token('{"alg":"Ed25519","typ":"AT+JWT"}'), 'ERR_TYP_MISMATCH'],
    ['jku', withMember('"jku":"https://evil.example/jwks"'), 'ERR_HEADER_REFUSED'],
    ['x5u', withMember('"x5u":"https://evil.example/cert"'), 'ERR_HEADER_REFUSED'],
    ['x5c', withMember('"x5c":["MII"]'), 'ERR_HEADER_REFUSED'],
    ['x5t', withMember('"x5t":"AA"'), 'ERR_HEADER_REFUSED'],
    ['b64', withMember('"b64":false'), 'ERR_HEADER_REFUSED'],
    ['crit', withMember('"crit":["b64"]'), 'ERR_HEADER_REFUSED'],
    ['an empty crit', withMember('"crit":[]'), 'ERR_HEADER_REFUSED'],
    ['zip', withMember('"zip":"DEF"'), 'ERR_HEADER_REFUSED'],
    ['cty', withMember('"cty":"JWT"'), 'ERR_HEADER_REFUSED'],
    ['jwk where none is allowed', withMember('"jwk":{}'), 'ERR_HEADER_REFUSED'],
    ['an unknown member', withMember('"toString":1'), 'ERR_HEADER_REFUSED'],
    ['kid as a number', withMember('"kid":1'), 'ERR_HEADER_REFUSED'],
    ['kid as null', withMember('"kid":null'), 'ERR_HEADER_REFUSED'],
    ['an empty kid', withMember('"kid":""'), 'ERR_HEADER_REFUSED'],
    ['a kid that is too long', withMember(`"kid":"${'k'.repeat(257)}"`), 'ERR_HEADER_REFUSED'],
  ]
  it.each(refusals)('%s is refused', async (_what, refused, code) => {
    await expectCode(() => decodeJws(refused, rules), code)
  })

  it('passes the nearest tokens to those: spaces in the JSON, a kid at its limit, claims as deep as allowed', () => {
    for (const passed of [
      good,
      token(' { "typ" : "at+jwt" , "alg" : "Ed25519" } ', ' {} '),
      withMember(`"kid":"${'k'.repeat(256)}"`),
      token(header, `{"a":${'['.repeat(71)}${']'.repeat(71)}}`),
      token(header, '{"exp":1e300,"sub":"a","Sub":"b","_proto__":1}'),
    ]) {
      expect(decodeJws(passed, rules).header.alg).toBe('Ed25519')
    }
  })

  it('demands jwk where the rules do, as an object', async () => {
    const dpop: JwsRules = { typ: 'at+jwt', jwk: 'required' }
    expect(decodeJws(withMember('"jwk":{"kty":"OKP"}'), dpop).header.jwk).toEqual({ kty: 'OKP' })
    await expectCode(() => decodeJws(good, dpop), 'ERR_HEADER_REFUSED')
    for (const jwk of ['null', '[]', '"key"', '1']) {
      await expectCode(() => decodeJws(withMember(`"jwk":${jwk}`), dpop), 'ERR_HEADER_REFUSED')
    }
  })

  it('looks at the length before anything else', async () => {
    const longest = token(header, `{"a":"${'a'.repeat(12_000)}"}`)
    expect(decodeJws(longest, { ...rules, maxBytes: longest.length }).claims.a).toHaveLength(12_000)
    await expectCode(
      () => decodeJws(longest, { ...rules, maxBytes: longest.length - 1 }),
      'ERR_TOKEN_TOO_LARGE',
    )
    await expectCode(() => decodeJws('.'.repeat(16_385), rules), 'ERR_TOKEN_TOO_LARGE')
    await expectCode(() => decodeJws('.'.repeat(16_384), rules), 'ERR_TOKEN_MALFORMED')
  })

  it('a value that is no text is refused like a malformed token', async () => {
    for (const value of [undefined, null, 1, {}, [good]]) {
      await expectCode(() => decodeJws(value as unknown as string, rules), 'ERR_TOKEN_MALFORMED')
    }
  })

  it('a polluted Object.prototype neither adds claims nor loosens rules', async () => {
    const prototype = Object.prototype as Record<string, unknown>
    const pollution = { exp: 9e9, admin: true, kid: 'k', jwk: 'required', maxBytes: 1e9 }
    Object.assign(prototype, pollution)
    try {
      const decoded = decodeJws(token(header, '{"cnf":{},"list":[{}]}'), rules)
      expect(decoded.claims.exp).toBeUndefined()
      expect((decoded.claims.cnf as Record<string, unknown>).admin).toBeUndefined()
      expect((decoded.claims.list as Record<string, unknown>[])[0]?.admin).toBeUndefined()
      expect(decoded.header.kid).toBeUndefined()
      await expectCode(() => decodeJws(withMember('"jwk":{}'), rules), 'ERR_HEADER_REFUSED')
      await expectCode(() => decodeJws('.'.repeat(16_385), rules), 'ERR_TOKEN_TOO_LARGE')
    } finally {
      for (const name of Object.keys(pollution)) delete prototype[name]
    }
  })

  it('never repeats the token in a message', async () => {
    const error = await expectCode(
      () => decodeJws(withMember('"secret":"secret"'), rules),
      'ERR_HEADER_REFUSED',
    )
    expect(error.message).not.toContain('secret')
  })

  it('answers every text with a decoded token or a code', () => {
    const pieces = fc.constantFrom(
      h,
      p,
      s,
      '.',
      '..',
      '=',
      ' ',
      'e30',
      '\ud800',
      encodeBase64url('{"alg":"Ed25519"'),
    )
    const mutated = fc
      .tuple(fc.nat(good.length - 1), fc.string({ maxLength: 2 }))
      .map(([at, text]) => good.slice(0, at) + text + good.slice(at + 1))
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces, { maxLength: 6 }).map((list) => list.join('')),
          mutated,
        ),
        (text) => {
          try {
            decodeJws(text, rules)
          } catch (error) {
            expect(codeOf(error)).toBeDefined()
          }
        },
      ),
      { seed: 7515, numRuns: 3000 },
    )
  })

  it('has one spelling per token: no change of one character decodes to the same header, claims and signature', () => {
    const original = decodeJws(good, rules)
    for (let at = 0; at < good.length; at++) {
      for (const replacement of ['A', 'B', '_', '=', '+', '/', ' ']) {
        if (good[at] === replacement) continue
        const changed = good.slice(0, at) + replacement + good.slice(at + 1)
        try {
          const decoded = decodeJws(changed, rules)
          expect([decoded.signingInput, ...decoded.signature]).not.toEqual([
            original.signingInput,
            ...original.signature,
          ])
          expect(`${decoded.signingInput}.${encodeBase64url(decoded.signature)}`).toBe(changed)
        } catch (error) {
          expect(codeOf(error)).toBeDefined()
        }
      }
    }
  })
})
