/**
 * The worked examples of the JOSE and OAuth RFCs that touch what this project does, titled by section. Not here:
 * RFC 8032 (the self-test of each backend and Wycheproof), RFC 5869 (Wycheproof), RFC 7516 (nothing is encrypted).
 * RFC 7520 signs with RSA, P-521 and HMAC only: nothing of it applies.
 */
import { describe, expect, it } from 'vitest'
import { decodeBase64url, encodeBase64url } from '../../runtime/encoding/base64url.js'
import { canonicalize } from '../../runtime/encoding/canonical-json.js'
import { decodeJws } from '../../runtime/encoding/compact-jws.js'
import { sha256Base64url } from '../../runtime/encoding/digest.js'
import { parseJson } from '../../runtime/encoding/strict-json.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { thumbprint, thumbprintUri } from '../../runtime/keys/thumbprint.js'
import { verifyDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { expectCode } from '../support/expect-code.js'
import { keyrings } from '../support/keyrings.js'
import { rememberingSingleUse } from '../support/single-uses.js'

describe.each(keyrings)('RFC 8037, appendix A, on $backend', (keyring) => {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const
  const input = 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc'
  const signature = 'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg'
  const key = keyring.fromSeed(decodeBase64url('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A'))

  it('A.1 and A.2: the public key of the private one', () => {
    expect(key.publicKey.jwk).toEqual(jwk)
  })

  it('A.3: the thumbprint', () => {
    expect(keyring.publicKey(jwk).thumbprint).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  it('A.4 and A.5: the signature over its signing input, byte for byte', () => {
    expect(encodeBase64url(key.sign(input))).toBe(signature)
    expect(keyring.publicKey(jwk).verify(input, decodeBase64url(signature))).toBe(true)
  })

  // `EdDSA` is the name RFC 9864 replaced, the payload is no claims set, and there is no `typ`.
  it('A.4: as a token it is refused, for the algorithm its header names', async () => {
    const header = encodeBase64url('{"alg":"EdDSA","typ":"at+jwt"}')
    for (const token of [`${input}.${signature}`, `${header}.e30.${signature}`]) {
      await expectCode(() => decodeJws(token, { typ: 'at+jwt' }), 'ERR_ALG_REFUSED')
    }
    const named = `${encodeBase64url('{"alg":"Ed25519","typ":"at+jwt"}')}.e30`
    const token = `${named}.${encodeBase64url(key.sign(named))}`
    const decoded = decodeJws(token, { typ: 'at+jwt' })
    expect(key.publicKey.verify(decoded.signingInput, decoded.signature)).toBe(true)
  })
})

describe('RFC 7638 §3.1 and RFC 9278', () => {
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
  const rsa = { kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' }

  // Canonical JSON of the required members is the RFC's own hash input; the key itself is of no kind of ours.
  it('the thumbprint and its URI', async () => {
    const print = sha256Base64url(canonicalize({ kty: rsa.kty, n: rsa.n, e: rsa.e }))
    expect(print).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
    expect(thumbprintUri(print)).toBe(
      'urn:ietf:params:oauth:jwk-thumbprint:sha-256:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
    )
    for (const keyring of keyrings) {
      await expectCode(() => keyring.publicKey(rsa), 'ERR_KEY_INVALID')
      await expectCode(() => keyring.verificationKey(rsa), 'ERR_KEY_INVALID')
    }
  })
})

describe('RFC 9449', () => {
  const jwk = {
    kty: 'EC',
    x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
    y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
    crv: 'P-256',
  } as const
  const proof =
    'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg'

  it('§4.1: the proof passes the gate and its signature holds', () => {
    const decoded = decodeJws(proof, { typ: 'dpop+jwt', jwk: 'required' })
    expect(decoded.header.jwk).toEqual(jwk)
    expect(decoded.claims).toEqual({
      ...{ jti: '-BwC3ESc6acc2lTc', htm: 'POST', htu: 'https://server.example.com/token', iat: 1562262616 },
    })
    for (const keyring of keyrings) {
      const key = keyring.verificationKey(jwk)
      expect(key.verify(decoded.signingInput, decoded.signature)).toBe(true)
    }
  })

  // All proofs of the RFC are ES256. They are refused as an agent's: an agent has an Ed25519 key, so that one
  // signature is one spelling, and no resource needs a second implementation to check possession.
  it('§4.1: it is no proof of an agent', async () => {
    for (const keyring of keyrings) {
      const target = { method: 'POST', url: 'https://server.example.com/token', now: 1562262616, keyring }
      const verify = () => verifyDpopProof(proof, { ...target, singleUse: rememberingSingleUse() })
      await expectCode(verify, 'ERR_KEY_INVALID')
    }
  })

  it('§6.1: the thumbprint of its key', () => {
    expect(thumbprint(jwk)).toBe('0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I')
  })

  it('§7.1: the hash of its access token', () => {
    expect(sha256Base64url('Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU')).toBe(
      'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo',
    )
  })
})

describe('tokens of other RFCs, none of which is one of ours', () => {
  const claims =
    'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'
  const hs256 = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
  const es256 = 'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q'
  const tokens: [section: string, token: string, code: ErrorCode][] = [
    ['RFC 7515 A.1, HS256', `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${claims}.${hs256}`, 'ERR_ALG_REFUSED'],
    ['RFC 7515 A.3, ES256 without a type', `eyJhbGciOiJFUzI1NiJ9.${claims}.${es256}`, 'ERR_TYP_MISMATCH'],
    ['RFC 7515 A.5, unsecured', `eyJhbGciOiJub25lIn0.${claims}.`, 'ERR_TOKEN_MALFORMED'],
    ['RFC 7515 A.6, JSON serialization', `{"payload":"${claims}","signatures":[]}`, 'ERR_TOKEN_MALFORMED'],
    ['RFC 7519 §6.1, unsecured', `eyJhbGciOiJub25lIn0.${claims}.`, 'ERR_TOKEN_MALFORMED'],
    [
      'RFC 7797 §4, unencoded payload',
      'eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19.$.A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY',
      'ERR_HEADER_REFUSED',
    ],
    [
      'RFC 7797 §4, detached payload',
      'eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY',
      'ERR_TOKEN_MALFORMED',
    ],
  ]
  it.each(tokens)('%s', async (_section, token, code) => {
    for (const typ of ['JWT', 'at+jwt', 'dpop+jwt']) {
      await expectCode(() => decodeJws(token, { typ }), code)
    }
  })
})

describe('RFC 8785', () => {
  const samples: [bits: string, text: string][] = [
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ]
  it.each(samples)('appendix B: %s is %s, and reads back', (bits, text) => {
    const value = Buffer.from(bits, 'hex').readDoubleBE()
    expect(canonicalize(value)).toBe(text)
    expect(canonicalize(parseJson(text))).toBe(text)
  })

  // Integers that a reader with big integers would take for others (its appendix D), and what is no number.
  it.each([
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['7fffffffffffffff', 'NaN'],
    ['7ff0000000000000', 'Infinity'],
  ])('appendix B: %s (%s) is refused here', async (bits, text) => {
    const value = Buffer.from(bits, 'hex').readDoubleBE()
    expect(String(value)).toBe(text)
    await expectCode(() => canonicalize(value), 'ERR_JSON_NOT_CANONICAL')
    await expectCode(() => parseJson(text), 'ERR_JSON_INVALID')
  })

  it('§3.2.2 to §3.2.4: the sample, and its UTF-8 bytes', () => {
    const sample =
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
      '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}'
    const canonical = canonicalize(parseJson(sample))
    expect(canonical).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
    expect(Buffer.from(canonical).toString('hex')).toContain('22e282ac245c7530303066')
  })
})
