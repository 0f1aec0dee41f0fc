/**
 * X8 on the intent token, one attack after the other. Unless a row says otherwise the authority itself signs
 * the forged bytes, so that only the check under attack stands between them and an accepted token.
 */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { expect } from 'vitest'
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
import { signatureOf, signRaw, withOrderAdded, withSignature } from '../support/raw-jws.js'

const clock = fakeClock()
const authority = fixedKey('authority')
const kid = authority.publicKey.thumbprint
const { token: good } = mintIntentToken(intentClaims(), authority, { clock })
const claims = JSON.stringify(claimsOf(good))

function verify(token: string) {
  const trustedKeys = [authority.publicKey, fixedKey('next authority').publicKey]
  return verifyIntentToken(token, { issuer, audience, trustedKeys, now: nowSeconds(clock), keyring })
}

/** The good token under another header, given as the text of its members. */
function headed(members: string): string {
  return signRaw(`{${members}}`, claims, authority)
}
const named = `"kid":"${kid}","typ":"at+jwt"`
const whole = `"alg":"Ed25519",${named}`

/** Registers one attack: the forged token is refused for this reason, the nearest good one is accepted. */
function refused(what: string, forged: string, code: ErrorCode, nearest: string = good): void {
  attack('X8', `${what} is refused`, async () => {
    await expectCode(() => verify(forged), code)
    expect(verify(nearest).sub).toBe('scanner')
  })
}

// The algorithm follows from the key, never from the header.
for (const alg of [
  'none',
  'None',
  'NONE',
  'nOnE',
  '',
  'EdDSA',
  'ed25519',
  'ED25519',
  ' Ed25519',
  'Ed25519 ',
]) {
  refused(`alg "${alg}"`, headed(`"alg":"${alg}",${named}`), 'ERR_ALG_REFUSED', headed(whole))
}
for (const alg of ['HS256', 'RS256', 'PS256', 'ES256', 'ES256K', 'Ed448', 'Ed25519\\u0000', 'Еd25519']) {
  refused(`alg "${alg}" over an Ed25519 signature`, headed(`"alg":"${alg}",${named}`), 'ERR_ALG_REFUSED')
}
for (const alg of ['null', '["Ed25519"]', '{"alg":"Ed25519"}', '0', 'true']) {
  refused(`alg ${alg}`, headed(`"alg":${alg},${named}`), 'ERR_ALG_REFUSED')
}
refused('a header without alg', headed(named), 'ERR_ALG_REFUSED', headed(`${named},"\\u0061lg":"Ed25519"`))

const unsigned = `${encodeBase64url(`{"alg":"none",${named}}`)}.${encodeBase64url(claims)}`
refused('alg none without a signature', `${unsigned}.`, 'ERR_TOKEN_MALFORMED')
refused('alg none with any signature', `${unsigned}.AAAA`, 'ERR_ALG_REFUSED')

const { x } = authority.publicKey.jwk
const raw = Buffer.from(x, 'base64url')
const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw])
const pem = `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`
const secrets = { raw, x, der, pem, jwk: JSON.stringify(authority.publicKey.jwk), 'an empty text': '' }
for (const [form, secret] of Object.entries(secrets)) {
  const input = `${encodeBase64url(`{"alg":"HS256",${named}}`)}.${encodeBase64url(claims)}`
  const mac = createHmac('sha256', secret).update(input).digest('base64url')
  refused(`HS256 with the public key as its secret (${form})`, `${input}.${mac}`, 'ERR_ALG_REFUSED')
  // The same with the right name: 32 bytes are no Ed25519 signature.
  refused(`that MAC under alg Ed25519 (${form})`, withSignature(good, mac), 'ERR_SIGNATURE_INVALID')
}

const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
for (const [alg, key] of Object.entries({ ES256: p256, RS256: rsa })) {
  for (const header of [`"alg":"${alg}",${named}`, whole]) {
    const input = `${encodeBase64url(`{${header}}`)}.${encodeBase64url(claims)}`
    const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
    const code = header === whole ? 'ERR_SIGNATURE_INVALID' : 'ERR_ALG_REFUSED'
    const forged = `${input}.${signature.toString('base64url')}`
    refused(`a stranger's ${alg} signature under {${header.slice(0, 16)}…}`, forged, code)
  }
}
refused(
  'a psychic signature (r = s = 0) under ES256',
  withSignature(headed(`"alg":"ES256",${named}`), new Uint8Array(64)),
  'ERR_ALG_REFUSED',
)

// No member but alg, typ and kid has a meaning here; an unknown one is not passed over.
const jwk = JSON.stringify(fixedKey('stranger').publicKey.jwk)
const members = {
  'a key of the sender (jwk)': `"jwk":${jwk}`,
  'the right key (jwk)': `"jwk":${JSON.stringify(authority.publicKey.jwk)}`,
  jku: '"jku":"https://evil.example/jwks.json"',
  x5u: '"x5u":"https://evil.example/chain.pem"',
  x5c: '"x5c":["MIIB"]',
  x5t: '"x5t":"AAAA"',
  'x5t#S256': '"x5t#S256":"AAAA"',
  'crit of an unknown member': '"crit":["urn:example"],"urn:example":1',
  'crit of a known member': '"crit":["alg"]',
  'an empty crit': '"crit":[]',
  'b64 false': '"b64":false',
  'b64 false, named in crit': '"b64":false,"crit":["b64"]',
  'b64 true': '"b64":true',
  zip: '"zip":"DEF"',
  cty: '"cty":"JWT"',
  'enc, as in JWE': '"enc":"A256GCM"',
  'a replicated claim': '"iss":"https://authority.example"',
  nonce: '"nonce":"n"',
  'ALG beside alg': '"ALG":"none"',
  'an empty name': '"":1',
  constructor: '"constructor":{"prototype":{"alg":"none"}}',
  toString: '"toString":1',
}
for (const [what, member] of Object.entries(members)) {
  refused(`a header with ${what}`, headed(`${whole},${member}`), 'ERR_HEADER_REFUSED', headed(whole))
}
refused('a header with __proto__', headed(`${whole},"__proto__":{"kid":"x"}`), 'ERR_TOKEN_JSON')
refused('a header inside __proto__', headed(`"__proto__":{${whole}}`), 'ERR_TOKEN_JSON')

// The key is looked up among the trusted by its exact thumbprint: a text in `kid` reaches nothing else.
const injections = [
  ...['../../../../dev/null', '/proc/self/environ', 'file:///etc/passwd', 'https://evil.example/key'],
  ...["' UNION SELECT 'AA' --", '"; rm -rf / #', '$(id)', '%00', '__proto__', 'constructor', '0', '*'],
  ...[`${kid}\0`, `${kid} `, ` ${kid}`, kid.toLowerCase(), kid.slice(0, -1), 'k'.repeat(256)],
  ...[`urn:ietf:params:oauth:jwk-thumbprint:sha-256:${kid}`, fixedKey('next authority').publicKey.thumbprint],
]
for (const text of injections) {
  refused(
    `kid "${text.slice(0, 40)}"`,
    headed(`"alg":"Ed25519","kid":${JSON.stringify(text)},"typ":"at+jwt"`),
    'ERR_SIGNATURE_INVALID',
  )
}
for (const text of ['""', `"${'k'.repeat(257)}"`, 'null', '1', `["${kid}"]`, `{"kid":"${kid}"}`]) {
  refused(
    `kid ${text.slice(0, 20)}`,
    headed(`"alg":"Ed25519","kid":${text},"typ":"at+jwt"`),
    'ERR_HEADER_REFUSED',
  )
}
refused('a token without kid', headed('"alg":"Ed25519","typ":"at+jwt"'), 'ERR_SIGNATURE_INVALID')

// `typ` is compared exactly: a kind that is nearly right is another kind.
const types = [
  ...['"JWT"', '""', '"AT+JWT"', '"at+JWT"', '"At+jwt"', '"application/at+jwt"', '"at+jwt "', '" at+jwt"'],
  ...['"at+jwt;v=1"', '"at+jwt\\u0000"', '"\u0430t+jwt"', '"at\uff0bjwt"', '"at+jwt\\u200b"', '"dpop+jwt"'],
  ...['["at+jwt"]', '{"typ":"at+jwt"}', 'null', 'true'],
]
for (const typ of types) {
  refused(`typ ${typ}`, headed(`"alg":"Ed25519","kid":"${kid}","typ":${typ}`), 'ERR_TYP_MISMATCH')
}
refused('a token without typ', headed(`"alg":"Ed25519","kid":"${kid}"`), 'ERR_TYP_MISMATCH')

// The signature is 64 bytes by the named key over exactly these characters.
const bytes = signatureOf(good)
const other = mintIntentToken(intentClaims({ sub: 'planner' }), authority, { clock }).token
const signatures: Record<string, Uint8Array> = {
  'the signature of another token': signatureOf(other),
  'S + L instead of S': withOrderAdded(bytes),
  'S + 7 L instead of S': withOrderAdded(bytes, 7n),
  'R and S exchanged': Uint8Array.from([...bytes.subarray(32), ...bytes.subarray(0, 32)]),
  'only zeros': new Uint8Array(64),
  'the neutral point and S = 0': Uint8Array.from({ length: 64 }, (_, at) => (at === 0 ? 1 : 0)),
  'one byte': bytes.subarray(0, 1),
  'its last byte missing': bytes.subarray(0, 63),
  'a byte more': Uint8Array.from([...bytes, 0]),
  'itself twice': Uint8Array.from([...bytes, ...bytes]),
  'a DER wrapping': Uint8Array.from([0x30, 0x40, ...bytes]),
}
for (const [what, signature] of Object.entries(signatures)) {
  refused(`a token with ${what}`, withSignature(good, signature), 'ERR_SIGNATURE_INVALID')
}
refused('an empty signature', withSignature(good, ''), 'ERR_TOKEN_MALFORMED')
refused('the claims of another token', exchanged(1), 'ERR_SIGNATURE_INVALID')
refused('the signing input in another spelling', exchanged(0), 'ERR_SIGNATURE_INVALID')

/** The good token with one segment of a token that is as good. */
function exchanged(at: 0 | 1): string {
  const segments = good.split('.')
  segments[at] = (at === 1 ? other : headed(` ${whole} `)).split('.')[at] ?? ''
  return segments.join('.')
}
