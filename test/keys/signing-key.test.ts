import { format, inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { encodeBase64url } from '../../runtime/encoding/base64url.js'
import { keyrings } from '../support/keyrings.js'

const seed = Uint8Array.from({ length: 32 }, (_, index) => index * 7 + 1)

describe.each(keyrings)('a signing key on $backend', (keyring) => {
  const key = keyring.fromSeed(seed)

  it('shows its thumbprint and nothing of its private half, however it is printed', () => {
    const printed = [
      inspect(key, { showHidden: true, depth: null, getters: true }),
      inspect(key, { customInspect: false, showHidden: true, depth: null }),
      format('%O %o %j %s', key, key, key, key),
      JSON.stringify({ key }),
      String(key),
      Object.getOwnPropertyNames(key).join(),
    ].join('\n')
    expect(inspect(key)).toBe(`SigningKey <${key.publicKey.thumbprint}>`)
    for (const secret of [
      encodeBase64url(seed),
      Buffer.from(seed).toString('hex'),
      seed.join(),
      seed.join(', '),
    ]) {
      expect(printed).not.toContain(secret)
    }
    expect(printed).not.toMatch(/secret|seed|privateKey|KeyObject|Buffer|Uint8Array\(/)
  })

  it('is frozen, so that nobody puts another signer or public key under it', () => {
    expect(Object.isFrozen(key)).toBe(true)
    expect(() => Object.assign(key, { sign: () => new Uint8Array(64) })).toThrow(TypeError)
    expect(() => Object.assign(key.publicKey, { verify: () => true })).toThrow(TypeError)
  })

  it('does not survive structuredClone: a copy of it signs nothing', () => {
    expect(() => structuredClone(key)).toThrow()
  })
})
