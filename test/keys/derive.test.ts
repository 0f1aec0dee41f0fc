import { describe, expect, it } from 'vitest'
import { canonicalize } from '../../runtime/encoding/canonical-json.js'
import { deriveEs256Key, deriveKey } from '../../runtime/keys/derive.js'
import { createKeyring } from '../../runtime/keys/keyring.js'
import { masterSecretFrom } from '../../runtime/keys/master-secret.js'
import { hkdfSha256 } from '../support/hkdf.js'

const keyring = createKeyring()
const bytes = Buffer.alloc(32, 1)
const master = masterSecretFrom(bytes)
const info = {
  purpose: 'agent',
  iss: 'https://authority.example',
  agent_id: 'scanner',
  agent_checksum: `sha256:${'ab'.repeat(32)}`,
  epoch: 0,
}

describe('a derived key', () => {
  it('is the same for the same agent, from another object and another backend too', () => {
    const again = deriveKey(
      masterSecretFrom(Buffer.alloc(32, 1)),
      { ...info },
      createKeyring({ backend: 'node' }),
    )
    expect(again.publicKey.thumbprint).toBe(deriveKey(master, info, keyring).publicKey.thumbprint)
  })

  it('is another one when anything changes', () => {
    const prints = [
      deriveKey(master, info, keyring),
      deriveKey(master, { ...info, purpose: 'engine' }, keyring),
      deriveKey(master, { ...info, iss: 'https://authority.example/' }, keyring),
      deriveKey(master, { ...info, agent_id: 'scanner2' }, keyring),
      deriveKey(master, { ...info, agent_checksum: `sha256:${'ac'.repeat(32)}` }, keyring),
      deriveKey(master, { ...info, epoch: 1 }, keyring),
      deriveKey(masterSecretFrom(Buffer.alloc(32, 2)), info, keyring),
      // Text that moves from one member to the next: no concatenation without lengths.
      deriveKey(master, { ...info, purpose: 'agenth', iss: info.iss.slice(1) }, keyring),
    ].map((key) => key.publicKey.thumbprint)
    expect(new Set(prints).size).toBe(prints.length)
  })

  it('is HKDF-SHA256 with the fixed salt over JCS({v, …}), as RFC 5869 computes it', () => {
    const seed = hkdfSha256(
      bytes,
      Buffer.from('baton-runtime agent key v1'),
      Buffer.from(canonicalize({ v: 1, ...info })),
      32,
    )
    expect(deriveKey(master, info, keyring).publicKey.jwk).toEqual(keyring.fromSeed(seed).publicKey.jwk)
  })

  it('is fixed by its first value: a change would strand every registered agent', () => {
    expect(deriveKey(master, info, keyring).publicKey.jwk.x).toBe(
      'PXtGRcQcYQuZzmOsTC5xZk8bRrAfE5cBQIfujBiqPes',
    )
  })

  it('ignores members that are none of its own', () => {
    const more = { ...info, nonce: 'x' }
    expect(deriveKey(master, more, keyring).publicKey.thumbprint).toBe(
      deriveKey(master, info, keyring).publicKey.thumbprint,
    )
  })

  it.each([
    ['a negative epoch', { ...info, epoch: -1 }],
    ['a fractional epoch', { ...info, epoch: 0.5 }],
    ['an empty agent id', { ...info, agent_id: '' }],
    ['a missing checksum', { ...info, agent_checksum: undefined as unknown as string }],
  ])('%s is the caller’s mistake', (_what, wrong) => {
    expect(() => deriveKey(master, wrong, keyring)).toThrow(TypeError)
  })
})

describe('a derived ES256 key', () => {
  const thumbprintOf = (more: object = {}) =>
    deriveEs256Key(master, { ...info, ...more }, keyring).publicKey.thumbprint

  it('is the same after a restart, and another one when anything changes', () => {
    const again = deriveEs256Key(masterSecretFrom(Buffer.alloc(32, 1)), { ...info }, createKeyring())
    expect(again.publicKey.thumbprint).toBe(thumbprintOf())
    const prints = [
      thumbprintOf(),
      thumbprintOf({ purpose: 'authority' }),
      thumbprintOf({ iss: 'https://authority.example/' }),
      thumbprintOf({ epoch: 1 }),
      deriveEs256Key(masterSecretFrom(Buffer.alloc(32, 2)), info, keyring).publicKey.thumbprint,
    ]
    expect(new Set(prints).size).toBe(prints.length)
  })

  it('is made of 48 bytes of HKDF-SHA256, none of them the Ed25519 key’s', () => {
    const expand = (value: object, length: number) =>
      Buffer.from(
        hkdfSha256(
          bytes,
          Buffer.from('baton-runtime agent key v1'),
          Buffer.from(canonicalize(value)),
          length,
        ),
      )
    const seed = expand({ v: 1, alg: 'ES256', ...info }, 48)
    expect(deriveEs256Key(master, info, keyring).publicKey.jwk).toEqual(
      keyring.es256FromSeed(seed).publicKey.jwk,
    )
    expect(seed.subarray(0, 32).equals(expand({ v: 1, ...info }, 32))).toBe(false)
  })

  it('is fixed by its first value: a change would strand every resource server that pinned it', () => {
    expect(deriveEs256Key(master, info, keyring).publicKey.jwk.x).toBe(
      'mqAxDPtWIxLdAlrVjSt9CDNUl11U4UqoqrGfo_8X_wM',
    )
  })

  it('refuses what the other one refuses', () => {
    for (const wrong of [{ epoch: -1 }, { epoch: 0.5 }, { agent_id: '' }])
      expect(() => thumbprintOf(wrong)).toThrow(TypeError)
  })
})
