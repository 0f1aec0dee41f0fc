/** What must never become a key is refused by every backend for the same reason, whoever asks for it. */
import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { describe, expect, it } from 'vitest'
import { encodeBase64url } from '../../runtime/encoding/base64url.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { expectCode } from '../support/expect-code.js'
import { keyrings } from '../support/keyrings.js'

/** RFC 8037 appendix A.2, and the key of RFC 7515 appendix A.3. */
const okp = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
const ec = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
}
const { ORDER: p } = p256.Point.Fp
const coordinate = (value: bigint) =>
  encodeBase64url(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'))
const bigintOf = (text: string) => BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`)
const both = Buffer.concat([Buffer.from(ec.x, 'base64url'), Buffer.from(ec.y, 'base64url')])
/** The point of P-256 whose x is 0: its x has a second spelling, p. */
const zero = p256.Point.fromBytes(Buffer.concat([Buffer.of(2), Buffer.alloc(32)]))
const point = (hex: string) => encodeBase64url(Buffer.from(hex, 'hex'))

type Row = readonly [what: string, jwk: unknown, code: ErrorCode]
const invalid = (what: string, jwk: unknown): Row => [what, jwk, 'ERR_KEY_INVALID']

const ed25519Rows: readonly Row[] = [
  ...ED25519_TORSION_SUBGROUP.map(
    (hex, index): Row => [`small order ${index}`, { ...okp, x: point(hex) }, 'ERR_KEY_SMALL_ORDER'],
  ),
  invalid('y = p', { ...okp, x: point(`ed${'ff'.repeat(30)}7f`) }),
  invalid('the identity with a sign', { ...okp, x: point(`01${'00'.repeat(30)}80`) }),
  invalid('on no point', { ...okp, x: point(`02${'00'.repeat(31)}`) }),
  invalid('x of 31 bytes', { ...okp, x: encodeBase64url(new Uint8Array(31)) }),
  invalid('x of 33 bytes', { ...okp, x: encodeBase64url(new Uint8Array(33)) }),
  invalid('x with stray bits', { ...okp, x: `${okp.x.slice(0, -1)}p` }),
  invalid('X25519', { ...okp, crv: 'X25519' }),
  invalid('Ed448', { ...okp, crv: 'Ed448' }),
  invalid('private', { ...okp, d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A' }),
  invalid('alg ES256', { ...okp, alg: 'ES256' }),
  invalid('alg HS256', { ...okp, alg: 'HS256' }),
  invalid('alg none', { ...okp, alg: 'none' }),
  invalid('use enc', { ...okp, use: 'enc' }),
  invalid('key_ops of a private key alone', { ...okp, key_ops: ['sign'] }),
  invalid('a kid that is no text', { ...okp, kid: 1 }),
  invalid('a stray y', { ...okp, y: ec.y }),
]

const es256Rows: readonly Row[] = [
  invalid('not on the curve', { ...ec, y: coordinate(bigintOf(ec.y) ^ 1n) }),
  invalid('x and y exchanged', { ...ec, x: ec.y, y: ec.x }),
  invalid('(0, 0)', { ...ec, x: coordinate(0n), y: coordinate(0n) }),
  invalid('x + p', { ...ec, x: coordinate(p), y: coordinate(zero.y) }),
  invalid('y = p', { ...ec, y: coordinate(p) }),
  invalid('a byte moved from x to y', {
    ...ec,
    x: encodeBase64url(both.subarray(0, 31)),
    y: encodeBase64url(both.subarray(31)),
  }),
  invalid('coordinates of 31 bytes', { ...ec, x: ec.x.slice(0, 42) }),
  invalid('a leading zero byte more', {
    ...ec,
    x: encodeBase64url(Buffer.concat([Buffer.of(0), Buffer.from(ec.x, 'base64url')])),
  }),
  invalid('stray bits', { ...ec, y: `${ec.y.slice(0, -1)}1` }),
  invalid('padding', { ...ec, x: `${ec.x}=` }),
  invalid('no y', { kty: 'EC', crv: 'P-256', x: ec.x }),
  invalid('P-384', { ...ec, crv: 'P-384' }),
  invalid('secp256k1', { ...ec, crv: 'secp256k1' }),
  invalid('private', { ...ec, d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI' }),
  invalid('alg Ed25519', { ...ec, alg: 'Ed25519' }),
  invalid('alg ES384', { ...ec, alg: 'ES384' }),
  invalid('alg HS256', { ...ec, alg: 'HS256' }),
  invalid('alg ECDH-ES', { ...ec, alg: 'ECDH-ES' }),
  invalid('use enc', { ...ec, use: 'enc' }),
  invalid('key_ops of a private key alone', { ...ec, key_ops: ['sign'] }),
  invalid('x5c', { ...ec, x5c: ['MII'] }),
]

const mixedRows: readonly Row[] = [
  invalid('OKP with P-256', { ...okp, crv: 'P-256' }),
  invalid('EC with Ed25519', { ...ec, crv: 'Ed25519' }),
  invalid('kty OKP around an EC point', { ...ec, kty: 'OKP' }),
  invalid('kty EC around an Edwards point', { ...okp, kty: 'EC' }),
  invalid('oct', { kty: 'oct', k: okp.x }),
  invalid('RSA', { kty: 'RSA', n: 'AQAB', e: 'AQAB' }),
  invalid('no kty', { crv: 'P-256', x: ec.x, y: ec.y }),
  invalid('kty in another case', { ...ec, kty: 'ec' }),
  invalid('inherited members', Object.create(ec)),
  invalid('an array', [ec]),
  invalid('null', null),
  invalid('undefined', undefined),
  invalid('a text', JSON.stringify(ec)),
]

describe.each(keyrings)('what is no key, on $backend', (keyring) => {
  it.each([...ed25519Rows, ...mixedRows])('as an agent’s or an issuer’s: %s', async (_what, jwk, code) => {
    await expectCode(() => keyring.publicKey(jwk), code)
    await expectCode(() => keyring.verificationKey(jwk), code)
  })

  it.each(es256Rows)('as an issuer’s ES256 key: %s', async (_what, jwk, code) => {
    await expectCode(() => keyring.verificationKey(jwk), code)
    await expectCode(() => keyring.publicKey(jwk), 'ERR_KEY_INVALID')
  })

  it('an ES256 key is none for an agent, however good it is', async () => {
    expect(keyring.verificationKey(ec).alg).toBe('ES256')
    for (const more of [{}, { alg: 'ES256' }, { alg: 'Ed25519' }])
      await expectCode(() => keyring.publicKey({ ...ec, ...more }), 'ERR_KEY_INVALID')
  })

  it('the nearest good ones are read', () => {
    for (const more of [{}, { kid: 'k1' }, { use: 'sig' }, { key_ops: ['verify'] }]) {
      expect(keyring.publicKey({ ...okp, ...more }).jwk).toEqual(okp)
      expect(keyring.verificationKey({ ...okp, ...more }).jwk).toEqual(okp)
      expect(keyring.verificationKey({ ...ec, alg: 'ES256', ...more }).jwk).toEqual(ec)
    }
    const { x, y } = { x: coordinate(zero.x), y: coordinate(zero.y) }
    expect(keyring.verificationKey({ kty: 'EC', crv: 'P-256', x, y }).jwk).toEqual({ ...ec, x, y })
  })
})
