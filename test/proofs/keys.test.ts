import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import { describe, expect, it } from 'vitest'
import {
  deriveKey,
  exportJwkSet,
  generateKey,
  parseJwkSet,
  readPublicKey,
  thumbprint,
} from '../../runtime/index.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { smallOrderJwk } from '../support/fixed-keys.js'
import { withPolluted } from '../support/polluted.js'

const master = new Uint8Array(32).fill(7)
const agent = {
  iss: 'https://authority.example',
  agent_id: 'scanner',
  agent_checksum: `sha256:${'a'.repeat(64)}`,
}

describe('a generated key', () => {
  it('is another one each time, and signs what verifies under its public half alone', () => {
    const [one, other] = [generateKey(), generateKey()]
    const signature = one.sign('hand over')
    expect(one.publicKey.verify('hand over', signature)).toBe(true)
    expect(other.publicKey.verify('hand over', signature)).toBe(false)
    expect(one.publicKey.thumbprint).not.toBe(other.publicKey.thumbprint)
  })

  it('shows nothing of its private half', () => {
    const key = generateKey()
    expect(Object.keys(key)).toEqual(['publicKey', 'sign'])
    expect(JSON.stringify({ key })).toBe(`{"key":"SigningKey <${key.publicKey.thumbprint}>"}`)
  })
})

describe('a derived key', () => {
  const thumbprintOf = (changes: object) => deriveKey(master, { ...agent, ...changes }).publicKey.thumbprint

  it('is the same for the same agent, and `agent` and epoch 0 are what is meant without a word', () => {
    expect(thumbprintOf({})).toBe(thumbprintOf({}))
    expect(thumbprintOf({ purpose: 'agent', epoch: 0 })).toBe(thumbprintOf({}))
  })

  it.each([
    { agent_id: 'planner' },
    { agent_checksum: `sha256:${'b'.repeat(64)}` },
    { iss: 'https://other.example' },
    { epoch: 1 },
    { purpose: 'engine' },
  ])('is another one for %o', (changes) => {
    expect(thumbprintOf(changes)).not.toBe(thumbprintOf({}))
  })

  it('needs 32 bytes, and says who it is for', async () => {
    await expectCode(() => deriveKey(new Uint8Array(31), agent), 'ERR_MASTER_SECRET_INVALID')
    expect(() => deriveKey(master, { ...agent, agent_id: '' })).toThrow(TypeError)
    expect(() => deriveKey(master, { ...agent, epoch: -1 })).toThrow(TypeError)
  })
})

describe('what a key is derived from', () => {
  attack('X10', 'is said by the caller, not by what every object inherits', () => {
    const { thumbprint } = deriveKey(master, agent).publicKey
    for (const [name, value] of [
      ['epoch', 1],
      ['purpose', 'engine'],
    ] as const)
      withPolluted(name, value, () => expect(deriveKey(master, agent).publicKey.thumbprint).toBe(thumbprint))
  })

  it('is copied: the master secret can be erased', () => {
    const bytes = new Uint8Array(32).fill(7)
    const key = deriveKey(bytes, agent)
    bytes.fill(0)
    expect(key.publicKey.verify('text', key.sign('text'))).toBe(true)
    expect(key.publicKey.thumbprint).toBe(deriveKey(master, agent).publicKey.thumbprint)
    for (const info of [undefined, Object.create(agent)])
      expect(() => deriveKey(master, info as never)).toThrow(TypeError)
  })
})

it('a JWK Set is published of public keys that were read, and of nothing else', () => {
  const key = generateKey()
  const { jwk } = key.publicKey
  expect(exportJwkSet([key.publicKey]).keys).toMatchObject([{ ...jwk, kid: key.publicKey.thumbprint }])
  for (const keys of [[key], [jwk], [null], Array(1), undefined])
    expect(() => exportJwkSet(keys as never)).toThrow(TypeError)
})

attack('X16', 'a JWK Set is published without a private half, whatever it was given', () => {
  const { publicKey } = generateKey()
  const leaking = { ...publicKey, jwk: { ...publicKey.jwk, d: 'secret' } } as never
  expect(() => exportJwkSet([leaking])).toThrow(expect.objectContaining({ code: 'ERR_KEY_INVALID' }))
  expect(JSON.stringify(exportJwkSet([publicKey]))).not.toContain('"d"')
})

describe('a JWK Set from outside', () => {
  it('is read by the key ring of the process where none is given', () => {
    const { publicKey } = generateKey()
    const set = parseJwkSet(JSON.stringify(exportJwkSet([publicKey])))
    expect(set.find(publicKey.thumbprint)?.jwk).toEqual(publicKey.jwk)
  })
})

describe('a public key from outside', () => {
  it('is read, Ed25519 and ES256', async () => {
    const key = generateKey()
    expect(readPublicKey(key.publicKey.jwk).verify('text', key.sign('text'))).toBe(true)
    const { publicKey } = await generateKeyPair('ES256', { extractable: true })
    expect(readPublicKey(await exportJWK(publicKey)).alg).toBe('ES256')
  })

  attack('X9', 'of small order, or that is none, is refused', async () => {
    await expectCode(() => readPublicKey(smallOrderJwk), 'ERR_KEY_SMALL_ORDER')
    for (const jwk of [null, undefined, 'key', [], {}, { kty: 'OKP' }, { ...smallOrderJwk, d: 'A' }])
      await expectCode(() => readPublicKey(jwk), 'ERR_KEY_INVALID')
  })
})

describe('a thumbprint', () => {
  // RFC 7638 §3.1 and RFC 8037 appendix A.3
  const rsa = {
    kty: 'RSA',
    n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
    e: 'AQAB',
    alg: 'RS256',
    kid: '2011-04-29',
  }
  const ed25519 = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }

  it('is that of the RFCs, whatever else the key says of itself', () => {
    expect(thumbprint(rsa)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
    expect(thumbprint(ed25519)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
    expect(thumbprint({ ...ed25519, use: 'sig', kid: 'x' })).toBe(thumbprint(ed25519))
  })

  it.each(['Ed25519', 'ES256', 'PS256'])('is the one that jose computes (%s)', async (alg) => {
    const { publicKey } = await generateKeyPair(alg, { extractable: true })
    const jwk = await exportJWK(publicKey)
    expect(thumbprint(jwk)).toBe(await calculateJwkThumbprint(jwk))
  })

  attack('X10', 'is made of no member that a key only inherits', async () => {
    const { x: _, ...rest } = ed25519
    await withPolluted('x', ed25519.x, () => expectCode(() => thumbprint(rest), 'ERR_KEY_INVALID'))
    expect(thumbprint({ ...rest, x: ed25519.x })).toBe(thumbprint(ed25519))
  })

  it('is refused for what is no public key', async () => {
    const inherited = Object.assign(Object.create({ x: ed25519.x }), { kty: 'OKP', crv: 'Ed25519' })
    for (const jwk of [
      undefined,
      'kty',
      {},
      { kty: 'oct', k: 'AAAA' },
      { ...ed25519, x: 7 },
      { ...rsa, n: '' },
      { kty: 'toString' },
      { ...ed25519, x: '\ud800' },
      inherited,
    ])
      await expectCode(() => thumbprint(jwk), 'ERR_KEY_INVALID')
  })
})
