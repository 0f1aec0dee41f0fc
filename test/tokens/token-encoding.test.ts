/**
 * X8 on the encoding of a token: whatever two readers could understand differently is refused, though the
 * authority's signature over exactly these characters is right. Each beside the nearest token that passes.
 */
import { expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { encodeBase64url } from '../../runtime/encoding/base64url.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { mintIntentToken, verifyIntentToken } from '../../runtime/tokens/intent-token.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { claimsOf } from '../support/forger.js'
import { audience, intentClaims, issuer } from '../support/intent-claims.js'
import { signRaw, signSegments } from '../support/raw-jws.js'

const clock = fakeClock()
const now = nowSeconds(clock)
const authority = fixedKey('authority')
const { token: good } = mintIntentToken(intentClaims(), authority, { clock })
const claims = JSON.stringify(claimsOf(good))
const header = JSON.stringify({ alg: 'Ed25519', kid: authority.publicKey.thumbprint, typ: 'at+jwt' })

function verify(token: string) {
  const trustedKeys = [authority.publicKey]
  return verifyIntentToken(token, { issuer, audience, trustedKeys, now, keyring })
}

function refused(what: string, forged: string, code: ErrorCode, nearest: string = good): void {
  attack('X8', `${what} is refused`, async () => {
    await expectCode(() => verify(forged), code)
    expect(verify(nearest).sub).toBe('scanner')
  })
}

const signed = (payload: string | Uint8Array) => signRaw(header, payload, authority)
/** The claims with a member more, given as text. */
const withMember = (member: string) => `${claims.slice(0, -1)},${member}}`
const utf8 = (text: string) => new TextEncoder().encode(text)
const around = (before: number[], text: string, after: number[] = []) =>
  Uint8Array.from([...before, ...utf8(text), ...after])

// Three segments, none of them empty, in the compact serialization.
const [h = '', p = '', s = ''] = good.split('.')
const shapes: Record<string, string> = {
  'no text': '',
  'one segment': h,
  'two segments': `${h}.${p}`,
  'four segments': `${good}.${s}`,
  'five segments, as in JWE': `${h}.${p}.${s}.${s}.${s}`,
  'an empty header': `.${p}.${s}`,
  'a detached payload': signSegments(h, '', authority),
  'an empty signature': `${h}.${p}.`,
  'a dot more at the end': `${good}.`,
  'a dot more at the start': `.${good}`,
  'only dots': '..',
  'the flattened JSON serialization': JSON.stringify({ protected: h, payload: p, signature: s }),
  'the general JSON serialization': JSON.stringify({
    payload: p,
    signatures: [{ protected: h, signature: s }],
  }),
}
for (const [what, token] of Object.entries(shapes)) refused(what, token, 'ERR_TOKEN_MALFORMED')
for (const scheme of ['DPoP ', 'Bearer ', '"', "'"]) {
  refused(`a token after ${scheme}`, `${scheme}${good}`, 'ERR_BASE64URL_INVALID')
}
refused(
  'an unencoded payload (RFC 7797)',
  signSegments(h, '{"sub":"scanner"}', authority),
  'ERR_BASE64URL_INVALID',
)
it('a value that is no text is refused like a malformed token', async () => {
  for (const value of [undefined, null, 7, {}, [good], utf8(good), new String(good)]) {
    await expectCode(() => verify(value as string), 'ERR_TOKEN_MALFORMED')
  }
})

// One spelling per segment. Both texts are padded with spaces until one stray character is left over, and the
// payload holds the bytes of which the two alphabets differ.
const left = (text: string) => text + ' '.repeat((4 - (utf8(text).length % 3)) % 3)
const segments = [
  encodeBase64url(left(header)),
  encodeBase64url(left(withMember('"x":"???>>>~~~"'))),
] as const
const plain = signSegments(...segments, authority)
it('has the payload that the next attacks respell', () => {
  expect(segments.map((text) => text.length % 4)).toEqual([2, 2])
  expect(segments[1]).toMatch(/[-_]/)
  expect(verify(plain).sub).toBe('scanner')
})
const respellings: Record<string, (text: string) => string> = {
  'one padding character': (text) => `${text}=`,
  'full padding': (text) => `${text}==`,
  'escaped padding': (text) => `${text}%3D%3D`,
  'a space after it': (text) => `${text} `,
  'a space before it': (text) => ` ${text}`,
  'a space in it': (text) => `${text.slice(0, 8)} ${text.slice(8)}`,
  'a line feed in it': (text) => `${text.slice(0, 8)}\n${text.slice(8)}`,
  'a line break after it': (text) => `${text}\r\n`,
  'a null character': (text) => `${text}\0`,
  'a zero-width space': (text) => `${text}\u200b`,
  'a byte order mark': (text) => `\ufeff${text}`,
  'a comma': (text) => `${text},`,
  'a length that no bytes have': (text) => `${text}AAA`,
  'stray bits set': (text) => text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1),
  'a full-width letter': (text) => `${String.fromCharCode(text.charCodeAt(0) + 0xfee0)}${text.slice(1)}`,
  // Buffer reads a character by its low byte in places: U+0141 would be A.
  'a letter 256 code points on': (text) =>
    `${String.fromCharCode(text.charCodeAt(0) + 0x100)}${text.slice(1)}`,
}
for (const [what, respell] of Object.entries(respellings)) {
  const [first, second] = segments
  const third = plain.slice(plain.lastIndexOf('.') + 1)
  refused(
    `a header with ${what}`,
    signSegments(respell(first), second, authority),
    'ERR_BASE64URL_INVALID',
    plain,
  )
  refused(
    `a payload with ${what}`,
    signSegments(first, respell(second), authority),
    'ERR_BASE64URL_INVALID',
    plain,
  )
  refused(`a signature with ${what}`, `${first}.${second}.${respell(third)}`, 'ERR_BASE64URL_INVALID', plain)
}
refused(
  'a payload in the other alphabet',
  signSegments(segments[0], segments[1].replaceAll('-', '+').replaceAll('_', '/'), authority),
  'ERR_BASE64URL_INVALID',
  plain,
)

// UTF-8 only, one JSON object, nothing around it but white space.
const texts: Record<string, Uint8Array> = {
  'a byte order mark': around([0xef, 0xbb, 0xbf], claims),
  'UTF-16, little endian': new Uint8Array(Buffer.from(claims, 'utf16le')),
  'UTF-16 with its mark': around([0xff, 0xfe], '', [...Buffer.from(claims, 'utf16le')]),
  'UTF-16, big endian': new Uint8Array(Buffer.from(claims, 'utf16le').swap16()),
  'an overlong solidus': around([...utf8(claims.slice(0, -1)), ...utf8(',"a":"')], '', [
    0xc0,
    0xaf,
    ...utf8('"}'),
  ]),
  'an overlong quote': around([...utf8(claims.slice(0, -1)), ...utf8(',"a":')], '', [
    0xc0,
    0xa2,
    ...utf8('b"}'),
  ]),
  'a surrogate in UTF-8': around([...utf8(withMember('"a":"').slice(0, -1))], '', [
    0xed,
    0xa0,
    0xbd,
    ...utf8('"}'),
  ]),
  'a byte that no UTF-8 has': around([...utf8(withMember('"a":"').slice(0, -1))], '', [0xff, ...utf8('"}')]),
  'a sequence cut short': around([...utf8(withMember('"a":"').slice(0, -1))], '', [0xc3, ...utf8('"}')]),
  'a null byte after it': around([], claims, [0]),
  'a second object after it': utf8(`${claims}{}`),
  'a comma after it': utf8(`${claims},`),
  'a comment after it': utf8(`${claims}//`),
  'a trailing comma in it': utf8(`${claims.slice(0, -1)},}`),
  'a vertical tab before it': utf8(`\u000b${claims}`),
  'a non-breaking space before it': utf8(`\u00a0${claims}`),
  'an array around it': utf8(`[${claims}]`),
  'quotes around it': utf8(JSON.stringify(claims)),
  'nothing but null': utf8('null'),
  'no JSON at all': utf8('sub=scanner'),
  'a control character in a text': utf8(withMember('"a":"\u0007"')),
}
for (const [what, payload] of Object.entries(texts)) {
  refused(`a claims set with ${what}`, signed(payload), 'ERR_TOKEN_JSON', signed(` \t\r\n${claims}\n`))
}

// Names once, in every object, however they are spelled; no name that JavaScript treats as another thing.
const cnf = /"cnf":\{"jkt":/
const members: [what: string, payload: string, nearest: string][] = [
  ['a claim twice', withMember('"sub":"admin"'), withMember('"Sub":"admin"')],
  ['the same claim twice with the same value', withMember('"sub":"scanner"'), withMember('"sub2":"scanner"')],
  ['a claim twice, the second escaped', withMember('"\\u0073ub":"admin"'), withMember('"\\u0053ub":"admin"')],
  ['a claim that comes first and last', `{"exp":9999999999,${claims.slice(1)}`, `{"x":1,${claims.slice(1)}`],
  [
    'a member of "cnf" twice',
    claims.replace(cnf, '"cnf":{"jkt":"x","jkt":'),
    claims.replace(cnf, '"cnf":{"y":"x","jkt":'),
  ],
  [
    'a member of "cnf" twice, escaped',
    claims.replace(cnf, '"cnf":{"j\\u006bt":"x","jkt":'),
    claims.replace('"jkt":', '"j\\u006bt":'),
  ],
  [
    'a member twice deep in a list',
    withMember('"l":[[{"a":1,"b":{"c":1,"c":2}}]]'),
    withMember('"l":[[{"a":1,"b":{"c":1,"d":2}}]]'),
  ],
  ['__proto__', withMember('"__proto__":{"admin":true}'), withMember('"_proto_":{"admin":true}')],
  ['__proto__, escaped', withMember('"\\u005f_proto__":null'), withMember('"\\u005f_proto_":null')],
  ['__proto__ in an inner object', withMember('"a":[{"__proto__":[]}]'), withMember('"a":[{"__prot__":[]}]')],
  ['a lone high surrogate', withMember('"a":"\\ud83d"'), withMember('"a":"\\ud83d\\ude02"')],
  ['a lone low surrogate in a name', withMember('"\\ude02":1'), withMember('"\\ud83d\\ude02":1')],
  [
    'nesting of 73',
    withMember(`"a":${'['.repeat(72)}${']'.repeat(72)}`),
    withMember(`"a":${'['.repeat(71)}${']'.repeat(71)}`),
  ],
  [
    'nesting of 1,500 objects',
    withMember(`"a":${'{"a":'.repeat(1500)}1${'}'.repeat(1500)}`),
    withMember(`"a":"${'{'.repeat(1500)}"`),
  ],
]
for (const [what, payload, nearest] of members) {
  refused(`a claims set with ${what}`, signed(payload), 'ERR_TOKEN_JSON', signed(nearest))
}
const headers: [what: string, header: string][] = [
  ['alg twice', header.replace('{', '{"alg":"none",')],
  ['alg twice with the same value', header.replace('{', '{"alg":"Ed25519",')],
  ['alg twice, once escaped', header.replace('{', '{"\\u0061lg":"none",')],
  ['typ twice', header.replace('{', '{"typ":"JWT",')],
  ['kid twice', header.replace('}', ',"kid":"x"}')],
  ['a byte order mark', `\ufeff${header}`],
  ['something after it', `${header}{}`],
  ['an array around it', `[${header}]`],
  ['nothing but null', 'null'],
]
for (const [what, text] of headers) {
  const nearest = signRaw(header.replace('"alg"', '"\\u0061lg"'), claims, authority)
  refused(`a protected header with ${what}`, signRaw(text, claims, authority), 'ERR_TOKEN_JSON', nearest)
}

attack('X10', 'constructor and prototype are names like any other and reach no prototype', () => {
  const polluted = withMember('"constructor":{"prototype":{"admin":true}},"prototype":{"admin":true}')
  expect(verify(signed(polluted)).sub).toBe('scanner')
  expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
})

attack('X14', 'a token of 16,384 characters is read, one of a character more is not', async () => {
  const padded = (length: number) => {
    for (let spaces = 0; ; spaces++) {
      const short = signRaw(header + ' '.repeat(spaces), withMember('"pad":""'), authority)
      const missing = Math.floor(((length - short.length) * 3) / 4)
      const pad = 'x'.repeat(missing)
      const token = signRaw(header + ' '.repeat(spaces), withMember(`"pad":"${pad}"`), authority)
      if (token.length === length) return token
    }
  }
  expect(verify(padded(16_384)).sub).toBe('scanner')
  await expectCode(() => verify(padded(16_385)), 'ERR_TOKEN_TOO_LARGE')
  await expectCode(() => verify(`${good}${'.'.repeat(16_384)}`), 'ERR_TOKEN_TOO_LARGE')
})
