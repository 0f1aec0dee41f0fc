import { calculateJwkThumbprint, calculateJwkThumbprintUri } from 'jose'
import { describe, expect, it } from 'vitest'
import { createKeyring } from '../../runtime/keys/keyring.js'
import { thumbprint, thumbprintUri } from '../../runtime/keys/thumbprint.js'

/** RFC 8037 appendix A.2 and A.3. */
const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const

describe('the thumbprint of a key (RFC 7638)', () => {
  it('is that of RFC 8037 appendix A.3', () => {
    expect(thumbprint(jwk)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  it('has the URI of RFC 9278', async () => {
    const uri = thumbprintUri(thumbprint(jwk))
    expect(uri).toBe(
      'urn:ietf:params:oauth:jwk-thumbprint:sha-256:kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    )
    expect(uri).toBe(await calculateJwkThumbprintUri(jwk))
  })

  it('agrees with jose and ignores what the JWK says besides', async () => {
    const keyring = createKeyring()
    for (let n = 0; n < 20; n++) {
      const { publicKey } = keyring.generate()
      expect(publicKey.thumbprint).toBe(await calculateJwkThumbprint({ ...publicKey.jwk }))
      expect(keyring.publicKey({ kid: 'k', use: 'sig', ...publicKey.jwk }).thumbprint).toBe(
        publicKey.thumbprint,
      )
    }
  })
})
