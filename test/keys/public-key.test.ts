import { describe, expect, it } from 'vitest'
import { createKeyring } from '../../runtime/keys/keyring.js'
import { expectCode } from '../support/expect-code.js'

/** RFC 8037 appendix A.2. */
const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
const keyring = createKeyring()

describe('a public JWK from outside', () => {
  it('may say what it is for, as long as that is verifying Ed25519 signatures', () => {
    for (const more of [
      {},
      { kid: 'k1' },
      { use: 'sig' },
      { alg: 'Ed25519' },
      { alg: 'EdDSA' },
      { key_ops: ['verify'] },
      { key_ops: ['sign', 'verify'] },
    ]) {
      const key = keyring.publicKey({ ...jwk, ...more })
      expect(key.jwk).toEqual(jwk)
      expect(key.alg).toBe('Ed25519')
      expect(Object.isFrozen(key) && Object.isFrozen(key.jwk)).toBe(true)
    }
    expect(keyring.publicKey(Object.assign(Object.create(null), jwk)).jwk).toEqual(jwk)
  })

  it.each([
    ['a private key', { ...jwk, d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A' }],
    ['an x5c', { ...jwk, x5c: ['MII'] }],
    ['an unknown member', { ...jwk, toString: 1 }],
    ['another kty', { ...jwk, kty: 'EC' }],
    ['no kty', { crv: jwk.crv, x: jwk.x }],
    ['X25519', { ...jwk, crv: 'X25519' }],
    ['Ed448', { ...jwk, crv: 'Ed448' }],
    ['no crv', { kty: jwk.kty, x: jwk.x }],
    ['use enc', { ...jwk, use: 'enc' }],
    ['another alg', { ...jwk, alg: 'ES256' }],
    ['key_ops without verify', { ...jwk, key_ops: ['encrypt'] }],
    ['key_ops as a text', { ...jwk, key_ops: 'verify' }],
    ['no x', { kty: jwk.kty, crv: jwk.crv }],
    ['x as a number', { ...jwk, x: 1 }],
    ['an x of 31 bytes', { ...jwk, x: jwk.x.slice(0, -1) }],
    ['an x of 33 bytes', { ...jwk, x: `${jwk.x}A` }],
    ['an x with padding', { ...jwk, x: `${jwk.x}=` }],
    ['an x with stray bits', { ...jwk, x: `${jwk.x.slice(0, -1)}p` }],
    ['an x in base64', { ...jwk, x: jwk.x.replace('_', '/') }],
    ['an array', [jwk]],
    ['null', null],
    ['a text', JSON.stringify(jwk)],
    ['members that are inherited', Object.create(jwk)],
    ['nothing', {}],
  ])('%s is refused', async (_what, value) => {
    await expectCode(() => keyring.publicKey(value), 'ERR_KEY_INVALID')
  })

  it('is not completed from a polluted Object.prototype', async () => {
    const prototype = Object.prototype as Record<string, unknown>
    prototype.x = jwk.x
    try {
      await expectCode(() => keyring.publicKey({ kty: 'OKP', crv: 'Ed25519' }), 'ERR_KEY_INVALID')
    } finally {
      delete prototype.x
    }
  })

  it('is never repeated in a message', async () => {
    const error = await expectCode(() => keyring.publicKey({ ...jwk, d: 'secret-half' }), 'ERR_KEY_INVALID')
    expect(`${error.message}${error.stack}`).not.toContain('secret-half')
  })
})
