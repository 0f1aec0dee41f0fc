import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { createRequire } from 'node:module'
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js'
import { afterEach, describe, expect, it } from 'vitest'
import { encodeBase64url } from '../../runtime/encoding/base64url.js'
import { nodeBackend } from '../../runtime/keys/backend-node.js'
import { selfTest } from '../../runtime/keys/ed25519.js'
import { createKeyring } from '../../runtime/keys/keyring.js'
import { expectCode } from '../support/expect-code.js'
import { keyrings } from '../support/keyrings.js'

/** RFC 8032 §7.1, the vectors that are not part of the self-test. */
const test1024 = {
  seed: 'f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5',
  publicKey: '278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e',
}
const testSha = {
  seed: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
  publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
  message:
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  signature:
    'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
}
const hex = (text: string) => Buffer.from(text, 'hex')
const littleEndian = (bytes: Buffer) => BigInt(`0x${bytes.reverse().toString('hex')}`)
const jwkOf = (bytes: Uint8Array) => ({ kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(bytes) })

describe.each(keyrings)('a keyring on $backend', (keyring) => {
  it('signs and verifies RFC 8032 §7.1 TEST SHA(abc)', () => {
    const key = keyring.fromSeed(hex(testSha.seed))
    expect(key.publicKey.jwk).toEqual(jwkOf(hex(testSha.publicKey)))
    expect(Buffer.from(key.sign(hex(testSha.message))).toString('hex')).toBe(testSha.signature)
    const publicKey = keyring.publicKey(jwkOf(hex(testSha.publicKey)))
    expect(publicKey.verify(hex(testSha.message), hex(testSha.signature))).toBe(true)
    expect(publicKey.verify(hex(`${testSha.message}00`), hex(testSha.signature))).toBe(false)
  })

  it('computes the public key of RFC 8032 §7.1 TEST 1024', () => {
    expect(keyring.fromSeed(hex(test1024.seed)).publicKey.jwk).toEqual(jwkOf(hex(test1024.publicKey)))
  })

  it('signs a text as its UTF-8 bytes', () => {
    const key = keyring.generate()
    const signature = key.sign('grüße')
    expect(key.publicKey.verify(Buffer.from('grüße'), signature)).toBe(true)
    expect(key.publicKey.verify('grüße', signature)).toBe(true)
    expect(key.publicKey.verify('grüsse', signature)).toBe(false)
  })

  it('signs what a view shows, not what lies around it', () => {
    const key = keyring.generate()
    const view = Uint8Array.of(1, 2, 3, 4).subarray(1, 3)
    expect(key.publicKey.verify(Uint8Array.of(2, 3), key.sign(view))).toBe(true)
    expect(keyring.publicKey(key.publicKey.jwk).verify(view, key.sign(Uint8Array.of(2, 3)))).toBe(true)
  })

  it('keeps a key whose seed is erased or overwritten by its owner', () => {
    const seed = Buffer.from(hex(testSha.seed))
    const key = keyring.fromSeed(seed)
    seed.fill(0)
    expect(Buffer.from(key.sign(hex(testSha.message))).toString('hex')).toBe(testSha.signature)
  })

  it('refuses another length of signature, also one that only goes on', () => {
    const key = keyring.generate()
    const signature = key.sign('message')
    expect(key.publicKey.verify('message', signature)).toBe(true)
    for (const other of [
      new Uint8Array(0),
      signature.subarray(0, 63),
      Buffer.concat([signature, Buffer.of(0)]),
    ]) {
      expect(key.publicKey.verify('message', other)).toBe(false)
    }
  })

  it('refuses every single flipped bit of a signature', () => {
    const key = keyring.generate()
    const signature = key.sign('message')
    for (let bit = 0; bit < 512; bit += keyring.backend === 'noble' ? 37 : 1) {
      const changed = signature.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
      expect(key.publicKey.verify('message', changed)).toBe(false)
    }
  })

  it('refuses the points of small order', async () => {
    expect(ED25519_TORSION_SUBGROUP).toHaveLength(8)
    for (const point of ED25519_TORSION_SUBGROUP) {
      await expectCode(() => keyring.publicKey(jwkOf(hex(point))), 'ERR_KEY_SMALL_ORDER')
    }
  })

  it.each([
    ['y = p, the other spelling of 0', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    [
      'y = p + 1, the other spelling of the identity',
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    ],
    ['y = p + 1 with a sign', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'],
    ['the identity with a sign, x = -0', '0100000000000000000000000000000000000000000000000000000000000080'],
    ['y = -1 with a sign, x = -0', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'],
    ['y = 2^255 - 1', 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['y = 2, which is on no point', '0200000000000000000000000000000000000000000000000000000000000000'],
  ])('refuses %s', async (_what, point) => {
    await expectCode(() => keyring.publicKey(jwkOf(hex(point))), 'ERR_KEY_INVALID')
  })

  it('makes another key each time', () => {
    expect(keyring.generate().publicKey.thumbprint).not.toBe(keyring.generate().publicKey.thumbprint)
  })

  it('agrees with node:crypto in both directions', () => {
    const key = keyring.fromSeed(hex(testSha.seed))
    const foreign = createPublicKey({ key: { ...key.publicKey.jwk }, format: 'jwk' })
    expect(verify(null, Buffer.from('m'), foreign, key.sign('m'))).toBe(true)
    const pair = generateKeyPairSync('ed25519')
    const publicKey = keyring.publicKey(pair.publicKey.export({ format: 'jwk' }))
    expect(publicKey.verify('m', sign(null, Buffer.from('m'), pair.privateKey))).toBe(true)
  })
})

describe('a keyring', () => {
  it('gives all backends the same key and signature for a seed', () => {
    const keys = keyrings.map((keyring) => keyring.fromSeed(hex(testSha.seed)))
    expect(new Set(keys.map((key) => key.publicKey.thumbprint)).size).toBe(1)
    expect(new Set(keys.map((key) => encodeBase64url(key.sign('m')))).size).toBe(1)
  })

  it('gives the same answer on all backends to signatures that their owner made ambiguous', () => {
    // With a torsion component in the key or in R, verifiers that multiply by the cofactor accept what others refuse.
    const { Point } = ed25519
    const torsion = ED25519_TORSION_SUBGROUP.map((point) => Point.fromHex(point))
    const [secret, nonce] = [123_456_789n, 987_654_321n]
    const answers = new Set<boolean>()
    for (const [index, twist] of torsion.entries()) {
      for (const twisted of ['key', 'r', 'both'] as const) {
        const message = Buffer.from(`message ${index}`)
        const plain = (point: InstanceType<typeof Point>, isTwisted: boolean) =>
          isTwisted ? point.add(twist) : point
        const publicKey = plain(Point.BASE.multiply(secret), twisted !== 'r').toBytes()
        const r = plain(Point.BASE.multiply(nonce), twisted !== 'key').toBytes()
        const k = littleEndian(createHash('sha512').update(r).update(publicKey).update(message).digest())
        const s = (nonce + k * secret) % Point.Fn.ORDER
        const signature = Buffer.concat([r, hex(s.toString(16).padStart(64, '0')).reverse()])
        const verdicts = keyrings.map((keyring) =>
          keyring.publicKey(jwkOf(publicKey)).verify(message, signature),
        )
        expect(new Set(verdicts).size, `${twisted} ${index}`).toBe(1)
        answers.add(verdicts[0] === true)
      }
    }
    expect(answers).toEqual(new Set([true, false]))
  })

  it('keeps checked public keys, the least recently used leaving first', () => {
    const keyring = createKeyring({ backend: 'node', maxKeys: 2 })
    const [a, b, c] = [1, 2, 3].map((n) => keyring.fromSeed(new Uint8Array(32).fill(n)).publicKey.jwk)
    const first = keyring.publicKey(a)
    const second = keyring.publicKey(b)
    expect(keyring.publicKey(a)).toBe(first)
    keyring.publicKey(c) // b goes, a was used since
    expect(keyring.publicKey(a)).toBe(first)
    expect(keyring.publicKey(b)).not.toBe(second)
  })

  it('does not take the cache’s word for a JWK that is none', async () => {
    const keyring = createKeyring({ backend: 'node' })
    const { jwk } = keyring.generate().publicKey
    keyring.publicKey(jwk)
    await expectCode(() => keyring.publicKey({ ...jwk, d: jwk.x }), 'ERR_KEY_INVALID')
  })

  it('refuses wrong options from its caller', () => {
    expect(() => createKeyring({ maxKeys: 0 })).toThrow(TypeError)
    expect(() => createKeyring({ backend: 'toString' as 'node' })).toThrow(TypeError)
    for (const seed of [new Uint8Array(31), new Uint8Array(33), 'x'.repeat(32)]) {
      expect(() => createKeyring({ backend: 'node' }).fromSeed(seed as Uint8Array)).toThrow(TypeError)
    }
  })
})

describe('the self-test', () => {
  const honest = nodeBackend()
  if (honest === undefined) throw new Error('this OpenSSL has no Ed25519')
  const pkcs8 = '302e020100300506032b657004220420'

  it('passes an honest backend', () => {
    expect(() => selfTest(honest)).not.toThrow()
  })

  it.each([
    ['accepts every signature', { ...honest, verifier: () => () => true }],
    ['accepts no signature', { ...honest, verifier: () => () => false }],
    [
      'signs with another key',
      {
        ...honest,
        keyPair: (seed: Uint8Array) => {
          const privateKey = createPrivateKey({
            key: Buffer.concat([hex(pkcs8), Buffer.alloc(32, 7)]),
            format: 'der',
            type: 'pkcs8',
          })
          return { ...honest.keyPair(seed), sign: (message: Uint8Array) => sign(null, message, privateKey) }
        },
      },
    ],
    [
      'signs validly, with a nonce of its own choice',
      {
        ...honest,
        keyPair: (seed: Uint8Array) => {
          const { publicKey } = honest.keyPair(seed)
          const { scalar } = ed25519.utils.getExtendedPublicKey(seed)
          const { BASE, Fn } = ed25519.Point
          const r = BASE.multiply(12_345n).toBytes()
          const signWithNonce = (message: Uint8Array) => {
            const k = littleEndian(createHash('sha512').update(r).update(publicKey).update(message).digest())
            const s = Fn.create(12_345n + k * scalar).toString(16)
            return Buffer.concat([r, hex(s.padStart(64, '0')).reverse()])
          }
          return { publicKey, sign: signWithNonce }
        },
      },
    ],
    [
      'reports another public key',
      {
        ...honest,
        keyPair: (seed: Uint8Array) => ({ ...honest.keyPair(seed), publicKey: new Uint8Array(32) }),
      },
    ],
    [
      'ignores the message',
      {
        ...honest,
        verifier: (key: Uint8Array) => {
          const accepted = honest.verifier(key)
          let last: Uint8Array | undefined
          return (message: Uint8Array, signature: Uint8Array) => {
            last ??= message
            return accepted(last, signature)
          }
        },
      },
    ],
    [
      'throws',
      {
        ...honest,
        keyPair: () => {
          throw new Error('broken')
        },
      },
    ],
  ])('stops a backend that %s', async (_what, backend) => {
    await expectCode(() => selfTest(backend), 'ERR_CRYPTO_SELF_TEST')
  })
})

describe('a patched crypto module', () => {
  const sodium = loadSodium()
  const original = sodium && { ...sodium }
  afterEach(() => {
    if (sodium && original) Object.assign(sodium, original)
  })

  it.skipIf(!sodium)('changes nothing for a keyring that exists, nor for one that is made after it', () => {
    if (!sodium) throw new Error('skipped')
    const existing = createKeyring({ backend: 'sodium' })
    sodium.crypto_sign_verify_detached = () => true
    for (const keyring of [existing, createKeyring({ backend: 'sodium' })]) {
      const key = keyring.generate()
      expect(key.publicKey.verify('m', new Uint8Array(64))).toBe(false)
      expect(key.publicKey.verify('m', key.sign('m'))).toBe(true)
    }
  })
})

function loadSodium(): Record<string, unknown> | undefined {
  try {
    return createRequire(import.meta.url)('sodium-native') as Record<string, unknown>
  } catch {
    return undefined
  }
}
