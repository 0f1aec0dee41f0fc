import { exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT } from 'jose'
import { beforeAll, describe, it } from 'vitest'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import type { ForeignAlgorithm } from '../../runtime/tokens/foreign-jws.js'
import { verifyForeignJws } from '../../runtime/tokens/foreign-jws.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { keyring } from '../support/fixed-keys.js'

const algorithms: readonly ForeignAlgorithm[] = ['RS256', 'ES256', 'EdDSA', 'Ed25519']

interface Signer {
  readonly pair: GenerateKeyPairResult
  readonly jwk: JsonObject
}
const signers = {} as Record<ForeignAlgorithm, Signer>
beforeAll(async () => {
  for (const algorithm of algorithms) {
    const pair = await generateKeyPair(algorithm, { extractable: true })
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: `key-${algorithm}`, use: 'sig' } as JsonObject
    signers[algorithm] = { pair, jwk }
  }
})

const sign = (algorithm: ForeignAlgorithm, header: object = {}, by = algorithm) =>
  new SignJWT({ sub: 'alice' })
    .setProtectedHeader({ alg: algorithm, kid: `key-${by}`, ...header })
    .sign(signers[by].pair.privateKey)
const verify = (token: string, keys: readonly JsonObject[], allowed = algorithms) =>
  verifyForeignJws(token, { algorithms: allowed, keys }, keyring)
const all = () => algorithms.map((algorithm) => signers[algorithm].jwk)

describe.each(algorithms)('a token signed with %s', (algorithm) => {
  it('verifies under the key that "kid" names, and under the only one without', async () => {
    await verify(await sign(algorithm), all())
    await verify(await sign(algorithm, { typ: 'JWT', x5t: 'AAAA', 'x5t#S256': 'AAAA' }), all())
    const twin = algorithm === 'EdDSA' ? 'Ed25519' : 'EdDSA'
    const mixed = algorithms.filter((other) => other !== twin).map((other) => signers[other].jwk)
    await verify(await sign(algorithm, { kid: undefined }), mixed)
  })

  attack('X8', 'is refused when the issuer may not use that algorithm', async () => {
    const others = algorithms.filter((other) => other !== algorithm)
    const token = await sign(algorithm)
    await expectCode(() => verify(token, all(), others), 'ERR_ALG_REFUSED')
    await verify(token, all(), [algorithm])
  })

  attack(
    'X8',
    'is refused under another key, a key for something else, and a key nobody can name',
    async () => {
      const token = await sign(algorithm)
      const { jwk } = signers[algorithm]
      for (const keys of [
        [],
        [{ ...jwk, kid: 'another' }],
        [{ ...jwk, use: 'enc' }],
        [{ ...jwk, key_ops: ['sign'] }],
        [{ ...jwk, alg: 'HS256' }],
        [{ ...jwk, kty: 'oct', k: 'AAAA' }],
        [{ ...jwk, d: 'AAAA' }],
        [{ ...jwk, crv: 'P-384', kty: 'EC' }],
        [jwk, jwk],
      ]) {
        await expectCode(() => verify(token, keys), 'ERR_SIGNATURE_INVALID')
      }
      await expectCode(() => verify(token, [{ ...jwk, ...otherKey(algorithm) }]), 'ERR_SIGNATURE_INVALID')
      await verify(token, [{ ...jwk, alg: algorithm, key_ops: ['verify'] }])
    },
  )

  attack('X8', 'cannot be changed, nor carry a header that says where to find its key', async () => {
    const token = await sign(algorithm)
    const [header = '', , signature = ''] = token.split('.')
    const payload = Buffer.from('{"sub":"mallory"}').toString('base64url')
    await expectCode(() => verify(`${header}.${payload}.${signature}`, all()), 'ERR_SIGNATURE_INVALID')
    const { jwk } = signers[algorithm]
    for (const extra of [
      { jku: 'https://a' },
      { x5u: 'https://a' },
      { x5c: ['AAAA'] },
      { jwk },
      { cty: 'JWT' },
    ]) {
      await expectCode(async () => verify(await sign(algorithm, extra), all()), 'ERR_HEADER_REFUSED')
    }
    for (const name of ['crit', 'b64', 'zip']) {
      const forged = Buffer.from(JSON.stringify({ alg: algorithm, [name]: ['x'] })).toString('base64url')
      await expectCode(() => verify(`${forged}.${payload}.${signature}`, all()), 'ERR_HEADER_REFUSED')
    }
  })
})

/** Another key pair's public part, of the same kind. */
function otherKey(algorithm: ForeignAlgorithm): JsonObject {
  const { jwk } = signers[algorithm === 'EdDSA' ? 'Ed25519' : algorithm === 'Ed25519' ? 'EdDSA' : algorithm]
  if (algorithm === 'RS256') return { n: `${String(jwk['n']).slice(0, -4)}AAAB` }
  if (algorithm === 'ES256') return { x: jwk['y'] as string, y: jwk['x'] as string }
  return { x: jwk['x'] as string }
}

describe('the gate for tokens of other issuers', () => {
  attack('X8', 'lets no unsigned and no symmetrically signed token in', async () => {
    const payload = Buffer.from('{}').toString('base64url')
    for (const alg of ['none', 'None', 'HS256', 'PS256', 'RS512', 'ES384', undefined, ['RS256']]) {
      const header = Buffer.from(JSON.stringify({ alg })).toString('base64url')
      await expectCode(() => verify(`${header}.${payload}.AAAA`, all()), 'ERR_ALG_REFUSED')
    }
    await expectCode(() => verify(`${'e30'}.${payload}.`, all()), 'ERR_TOKEN_MALFORMED')
  })

  attack('X8', 'reads one spelling only', async () => {
    const token = await sign('ES256')
    const [header = '', payload = '', signature = ''] = token.split('.')
    await expectCode(() => verify(`${header}.${payload}=.${signature}`, all()), 'ERR_BASE64URL_INVALID')
    await expectCode(() => verify(`${token}.${signature}`, all()), 'ERR_TOKEN_MALFORMED')
    const doubled = Buffer.from('{"alg":"ES256","alg":"ES256"}').toString('base64url')
    await expectCode(() => verify(`${doubled}.${payload}.${signature}`, all()), 'ERR_TOKEN_JSON')
    await expectCode(() => verify('a'.repeat(16_385), all()), 'ERR_TOKEN_TOO_LARGE')
    await verify(token, all())
  })

  attack('X9', 'refuses RSA keys under 2048 bits and Edwards keys of small order', async () => {
    const { subtle } = globalThis.crypto
    const pair = await subtle.generateKey(
      {
        name: 'RSASSA-PKCS1-v1_5',
        hash: 'SHA-256',
        modulusLength: 1024,
        publicExponent: new Uint8Array([1, 0, 1]),
      },
      true,
      ['sign', 'verify'],
    )
    const { n, e } = await subtle.exportKey('jwk', pair.publicKey)
    const input = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.e30`
    const signature = await subtle.sign('RSASSA-PKCS1-v1_5', pair.privateKey, Buffer.from(input))
    const weak = `${input}.${Buffer.from(signature).toString('base64url')}`
    await expectCode(
      () => verify(weak, [{ kty: 'RSA', n: n as string, e: e as string }]),
      'ERR_SIGNATURE_INVALID',
    )
    const identity = Buffer.concat([Buffer.of(1), Buffer.alloc(31)])
    const zero = Buffer.concat([identity, Buffer.alloc(32)]).toString('base64url')
    const small = `${Buffer.from('{"alg":"EdDSA"}').toString('base64url')}.e30.${zero}`
    await expectCode(
      () => verify(small, [{ kty: 'OKP', crv: 'Ed25519', x: identity.toString('base64url') }]),
      'ERR_SIGNATURE_INVALID',
    )
  })
})
