import { createPublicKey, createVerify, generateKeyPairSync, sign } from 'node:crypto'
import { p256 } from '@noble/curves/nist.js'
import { calculateJwkThumbprint } from 'jose'
import { describe, expect, it } from 'vitest'
import { encodeBase64url } from '../../runtime/encoding/base64url.js'
import { es256SelfTest } from '../../runtime/keys/es256.js'
import { nodeP256, type P256Ecdsa } from '../../runtime/keys/es256-node.js'
import { signJws, verifyJws } from '../../runtime/keys/jws.js'
import { createKeyring } from '../../runtime/keys/keyring.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { claimsOf, forge } from '../support/forger.js'
import { keyrings } from '../support/keyrings.js'

const keyring = createKeyring()
const seed = Uint8Array.from({ length: 48 }, (_, index) => index * 5 + 1)
const order = p256.Point.Fn.ORDER
const seedOf = (value: bigint) => Buffer.from(value.toString(16).padStart(96, '0'), 'hex')
const bigintOf = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

describe.each(keyrings)('an ES256 key, Ed25519 being computed by $backend', (keyring) => {
  const key = keyring.es256FromSeed(seed)

  it('is the same for the same seed, and another for another', () => {
    expect(keyring.es256FromSeed(new Uint8Array(seed)).publicKey.jwk).toEqual(key.publicKey.jwk)
    const other = keyring.es256FromSeed(seed.map((byte, index) => (index === 47 ? byte + 1 : byte)))
    expect(other.publicKey.thumbprint).not.toBe(key.publicKey.thumbprint)
  })

  it('signs 64 bytes that it verifies, of bytes and of a text as UTF-8', () => {
    const signature = key.sign('grüße')
    expect(signature).toHaveLength(64)
    const publicKey = keyring.verificationKey({ ...key.publicKey.jwk })
    for (const message of ['grüße', Buffer.from('grüße')]) {
      expect(publicKey.verify(message, signature)).toBe(true)
    }
    expect(publicKey.verify('grüsse', signature)).toBe(false)
  })

  it('refuses another length and every flipped bit that is tried', () => {
    const signature = key.sign('message')
    expect(key.publicKey.verify('message', signature)).toBe(true)
    const der = Buffer.concat([Buffer.of(0x30, 68, 2, 32), signature.subarray(0, 32), Buffer.of(2, 32)])
    for (const other of [
      new Uint8Array(0),
      new Uint8Array(64),
      signature.subarray(0, 63),
      Buffer.concat([signature, Buffer.of(0)]),
      Buffer.concat([der, signature.subarray(32)]),
    ]) {
      expect(key.publicKey.verify('message', other)).toBe(false)
    }
    for (let bit = 0; bit < 512; bit += 7) {
      const changed = signature.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
      expect(key.publicKey.verify('message', changed)).toBe(false)
    }
  })

  it('is frozen, and prints its thumbprint alone', () => {
    expect(Object.isFrozen(key) && Object.isFrozen(key.publicKey) && Object.isFrozen(key.publicKey.jwk)).toBe(
      true,
    )
    expect(JSON.stringify(key)).toBe(`"SigningKey <${key.publicKey.thumbprint}>"`)
  })
})

describe('an ES256 key', () => {
  it('is d = (seed mod (n - 1)) + 1, as another implementation of FIPS 186-5 A.2.1 has it', () => {
    for (const value of [0n, 1n, order - 2n, order - 1n, order, (1n << 384n) - 1n, bigintOf(seed)]) {
      const bytes = seedOf(value)
      const point = p256.getPublicKey(p256.utils.randomSecretKey(bytes), false)
      const { x, y } = keyring.es256FromSeed(bytes).publicKey.jwk
      expect([x, y]).toEqual([encodeBase64url(point.slice(1, 33)), encodeBase64url(point.slice(33))])
    }
    // 0 and n - 1 are one key, whose d is 1: the base point.
    const { Gx } = p256.Point.CURVE()
    expect(keyring.es256FromSeed(seedOf(0n)).publicKey.jwk.x).toBe(
      encodeBase64url(Buffer.from(Gx.toString(16).padStart(64, '0'), 'hex')),
    )
  })

  it('is made of 48 bytes', () => {
    for (const length of [0, 32, 47, 49])
      expect(() => keyring.es256FromSeed(new Uint8Array(length))).toThrow(TypeError)
    expect(() => keyring.es256FromSeed('x'.repeat(48) as unknown as Uint8Array)).toThrow(TypeError)
  })

  it('keeps its coordinates at 32 bytes when they begin with zeros', async () => {
    let zeros = 0
    for (let value = 1n; zeros < 2; value++) {
      const { jwk, thumbprint } = keyring.es256FromSeed(seedOf(value)).publicKey
      if (!/^A[A-P]/.test(jwk.x) && !/^A[A-P]/.test(jwk.y)) continue
      zeros += 1
      expect([jwk.x.length, jwk.y.length]).toEqual([43, 43])
      expect(thumbprint).toBe(await calculateJwkThumbprint({ ...jwk }))
    }
  })

  it('verifies what node:crypto signs, and the reverse, low and high s alike', () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const publicKey = keyring.verificationKey(pair.publicKey.export({ format: 'jwk' }))
    const signature = sign('sha256', Buffer.from('m'), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
    const s = order - bigintOf(signature.subarray(32))
    const other = Buffer.concat([signature.subarray(0, 32), seedOf(s).subarray(16)])
    expect([signature, other].map((bytes) => publicKey.verify('m', bytes))).toEqual([true, true])
    const key = keyring.es256FromSeed(seed)
    const foreign = createPublicKey({ key: { ...key.publicKey.jwk }, format: 'jwk' })
    const verifier = createVerify('sha256').update('m')
    expect(verifier.verify({ key: foreign, dsaEncoding: 'ieee-p1363' }, key.sign('m'))).toBe(true)
  })

  it('is kept once it is checked', () => {
    const { jwk } = keyring.es256FromSeed(seed).publicKey
    const found = keyring.verificationKey({ ...jwk })
    expect(keyring.verificationKey({ ...jwk, kid: 'k', use: 'sig', alg: 'ES256' })).toBe(found)
    const small = createKeyring({ maxKeys: 1 })
    const first = small.verificationKey({ ...jwk })
    small.verificationKey({ ...small.es256FromSeed(seedOf(9n)).publicKey.jwk })
    expect(small.verificationKey({ ...jwk })).not.toBe(first)
  })
})

describe('a token under ES256', () => {
  const key = keyring.es256FromSeed(seed)
  const rules = { typ: 'at+jwt' }
  const token = signJws({ typ: 'at+jwt' }, { sub: 'scanner' }, key)

  it('names ES256 and verifies', () => {
    expect(verifyJws(token, key.publicKey, rules).header).toEqual({ alg: 'ES256', typ: 'at+jwt' })
  })

  attack('X8', 'a header cannot choose the algorithm, in either direction', async () => {
    const ed25519 = keyring.generate()
    const claims = claimsOf(token)
    const named = (alg: string, signer: typeof key | typeof ed25519) =>
      forge({ typ: 'at+jwt', alg }, claims, signer as typeof ed25519)
    await expectCode(() => verifyJws(named('Ed25519', key), key.publicKey, rules), 'ERR_ALG_REFUSED')
    await expectCode(() => verifyJws(named('ES256', ed25519), ed25519.publicKey, rules), 'ERR_ALG_REFUSED')
    await expectCode(() => verifyJws(token, ed25519.publicKey, rules), 'ERR_ALG_REFUSED')
    for (const alg of ['ES384', 'ES512', 'ES256K', 'es256', 'EdDSA', 'HS256', 'none'])
      await expectCode(() => verifyJws(named(alg, key), key.publicKey, rules), 'ERR_ALG_REFUSED')
    expect(() => verifyJws(named('ES256', key), key.publicKey, rules)).not.toThrow()
    expect(() => verifyJws(named('Ed25519', ed25519), ed25519.publicKey, rules)).not.toThrow()
  })
})

describe('the self test of ES256', () => {
  const honest = nodeP256()
  const pairOf = (d: Uint8Array) => honest.keyPair(d)
  const lies: readonly (readonly [string, Partial<P256Ecdsa>])[] = [
    ['accepts everything', { verifier: () => () => true }],
    ['refuses everything', { verifier: () => () => false }],
    ['computes another key', { keyPair: (d) => pairOf(d.map((byte) => byte ^ 1)) }],
    [
      'signs with another key',
      { keyPair: (d) => ({ ...pairOf(d), sign: pairOf(d.map((byte) => byte ^ 1)).sign }) },
    ],
    [
      'throws',
      {
        keyPair() {
          throw new Error('no such curve')
        },
      },
    ],
    [
      'overlooks what follows the message',
      {
        verifier: (point) => (message, signature) =>
          [message, message.subarray(0, -1)].some((part) => honest.verifier(point)(part, signature)),
      },
    ],
    [
      'overlooks a bit of s',
      {
        verifier: (point) => (message, signature) =>
          [0, 1].some((bit) =>
            honest.verifier(point)(
              message,
              signature.map((byte, index) => (index === 40 ? byte ^ bit : byte)),
            ),
          ),
      },
    ],
    [
      'accepts zeros',
      {
        verifier: (point) => (message, signature) =>
          signature.every((byte) => byte === 0) || honest.verifier(point)(message, signature),
      },
    ],
  ]

  it.each(lies)('fails an implementation that %s', async (_what, lie) => {
    await expectCode(() => es256SelfTest({ ...honest, ...lie }), 'ERR_CRYPTO_SELF_TEST')
  })

  it('passes node:crypto', () => {
    expect(() => es256SelfTest(honest)).not.toThrow()
  })
})
