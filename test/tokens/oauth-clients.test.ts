/**
 * Two OAuth clients that know nothing of this project, `dpop` and `oauth4webapi`, as the ones who prove
 * possession: RFC 9449 as it is, and with `ajwt_req` added the way they let claims be added.
 */
import { createAdaptorServer } from '@hono/node-server'
import { calculateThumbprint, generateKeyPair, generateProof } from 'dpop'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { canonicalize } from '../../runtime/encoding/canonical-json.js'
import { sha256 } from '../../runtime/encoding/digest.js'
import { codeOf, type ErrorCode } from '../../runtime/errors.js'
import { serveResource } from '../../runtime/guard/serve.js'
import { createDpopNonces, type DpopNonces } from '../../runtime/tokens/dpop-nonce.js'
import { type DpopProofRules, requestDigest, verifyDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { mintIntentToken, verifyIntentToken } from '../../runtime/tokens/intent-token.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { claimsOf } from '../support/forger.js'
import { counter, guardOf } from '../support/guard-house.js'
import { audience, intentClaims, issuer } from '../support/intent-claims.js'
import { shippingTools } from '../support/shipping.js'
import { rememberingSingleUse } from '../support/single-uses.js'

const clock = fakeClock()
const now = nowSeconds(clock)
const url = `${audience}/files`
const accessToken = 'header.claims.signature'
const bound = { query: '', contentType: 'application/json', body: new TextEncoder().encode('{}') }

// These clients ask the system what time it is.
beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'], now: clock.nowMs() }))
afterAll(() => void vi.useRealTimers())

/** The key pair of a fixed key as WebCrypto holds it. */
async function webKeys(name: string): Promise<CryptoKeyPair> {
  const d = Buffer.from(sha256(`baton test key ${name}`)).toString('base64url')
  const jwk = { ...fixedKey(name).publicKey.jwk }
  const read = (key: JsonWebKey, use: 'sign' | 'verify') =>
    crypto.subtle.importKey('jwk', key, 'Ed25519', true, [use])
  return { privateKey: await read({ ...jwk, d }, 'sign'), publicKey: await read(jwk, 'verify') }
}

describe('proofs of the package dpop', () => {
  function verify(proof: string, changes: Partial<DpopProofRules> = {}) {
    const singleUse = rememberingSingleUse()
    return verifyDpopProof(proof, { method: 'GET', url, accessToken, now, keyring, singleUse, ...changes })
  }

  it('are accepted where a route demands no `ajwt_req`, under the key whose thumbprint both compute', async () => {
    const keys = await generateKeyPair('Ed25519')
    const { key, ordinal } = await verify(await generateProof(keys, url, 'GET', undefined, accessToken))
    expect(key.thumbprint).toBe(await calculateThumbprint(keys.publicKey))
    expect(ordinal).toBe(0)
    const atTokenEndpoint = await generateProof(keys, url, 'POST')
    await verifyDpopProof(atTokenEndpoint, {
      ...{ method: 'POST', url, now, keyring, singleUse: rememberingSingleUse() },
    })
  })

  it('may add `ajwt_req`, and then are accepted where it is demanded', async () => {
    const keys = await generateKeyPair('Ed25519')
    const additional = { ajwt_req: requestDigest(bound), ajwt_ord: 4 }
    const proof = await generateProof(keys, url, 'GET', undefined, accessToken, additional)
    expect((await verify(proof, { request: bound })).ordinal).toBe(4)
    const without = await generateProof(keys, url, 'GET', undefined, accessToken)
    await expectCode(verify(without, { request: bound }), 'ERR_PROOF_REQUEST')
  })

  it('carry the nonce that a server asks for, and are refused without it', async () => {
    const nonces = createDpopNonces({ secret: new Uint8Array(32).fill(7), clock })
    const keys = await webKeys('client')
    const prove = (nonce?: string) => generateProof(keys, url, 'GET', nonce, accessToken)
    await expectCode(verify(await prove(), { nonces }), 'ERR_PROOF_NONCE')
    await expectCode(verify(await prove('of-another-server'), { nonces }), 'ERR_PROOF_NONCE')
    await verify(await prove(nonces.issue()), { nonces })
    await verify(await prove('not-asked-for'))
  })

  const refusals: [what: string, changes: Partial<DpopProofRules>, code: ErrorCode][] = [
    ['with another method', { method: 'POST' }, 'ERR_PROOF_METHOD'],
    ['for another path', { url: `${url}/x` }, 'ERR_PROOF_URL'],
    ['for another host', { url: 'https://evil.example/files' }, 'ERR_PROOF_URL'],
    ['with another token', { accessToken: 'other' }, 'ERR_PROOF_TOKEN'],
    ['by another key than the token’s', { key: fixedKey('scanner').publicKey }, 'ERR_PROOF_KEY'],
    ['a minute and a second later', { now: now + 61 }, 'ERR_PROOF_STALE'],
    ['six seconds earlier', { now: now - 6 }, 'ERR_PROOF_STALE'],
  ]
  for (const [what, changes, code] of refusals) {
    attack('T2', `such a proof is refused ${what}`, async () => {
      const proof = await generateProof(await webKeys('client'), url, 'GET', undefined, accessToken)
      await expectCode(verify(proof, changes), code)
      await verify(proof)
    })
  }

  attack('T2', 'such a proof is refused a second time, and without the token’s hash', async () => {
    const singleUse = rememberingSingleUse()
    const keys = await webKeys('client')
    const proof = await generateProof(keys, url, 'GET', undefined, accessToken)
    await verify(proof, { singleUse })
    await expectCode(verify(proof, { singleUse }), 'ERR_PROOF_REPLAYED')
    await expectCode(verify(await generateProof(keys, url, 'GET'), { singleUse }), 'ERR_PROOF_TOKEN')
  })

  // RFC 9449's own examples are ES256 as well: agents' keys are Ed25519 alone (PROTOCOL 3, 4).
  attack('X8', 'a proof by a key that is not Ed25519 is refused', async () => {
    for (const [alg, code] of [
      ['ES256', 'ERR_KEY_INVALID'],
      ['RS256', 'ERR_ALG_REFUSED'],
    ] as const) {
      const proof = await generateProof(await generateKeyPair(alg), url, 'GET', undefined, accessToken)
      await expectCode(verify(proof), code)
    }
  })
})

describe('oauth4webapi at a resource on loopback', () => {
  it('reaches a resource that holds token and proof together, and only once per proof', async () => {
    const keys = await webKeys('scanner')
    const singleUse = rememberingSingleUse()
    const seen: Request[] = []
    const served = await listen(async (request, publicUrl) => {
      seen.push(request)
      const token = request.headers.get('authorization')?.slice('DPoP '.length) ?? ''
      const trustedKeys = [fixedKey('authority').publicKey]
      const { key } = verifyIntentToken(token, { issuer, audience: publicUrl, trustedKeys, now, keyring })
      const { method } = request
      const target = { method, url: `${publicUrl}${new URL(request.url).pathname}`, accessToken: token, key }
      const proof = request.headers.get('dpop') ?? ''
      return (await verifyDpopProof(proof, { ...target, now, keyring, singleUse })).jti
    })
    const { token } = mintIntentToken(intentClaims({ aud: served.url }), fixedKey('authority'), { clock })
    const options = { DPoP: oauth.DPoP({}, keys), [oauth.allowInsecureRequests]: true }
    const target = new URL(`${served.url}/files?page=2`)
    for (let call = 0; call < 2; call++) {
      const answer = await oauth.protectedResourceRequest(token, 'GET', target, undefined, null, options)
      expect(await answer.text()).toBe(claimsOf(seen.at(-1)?.headers.get('dpop') ?? '')['jti'])
    }
    const headers = Object.fromEntries(seen[0]?.headers ?? [])
    const replayed = await fetch(target, { headers })
    expect(await replayed.text()).toBe('ERR_PROOF_REPLAYED')
    const elsewhere = await fetch(`${served.url}/other`, { headers })
    expect(await elsewhere.text()).toBe('ERR_PROOF_URL')
    await served.close()
  })

  const args = { item: 'apples' }
  const contentType = 'application/json'
  const body = canonicalize(args)

  /** A guarded tool on loopback, and the way this client calls it. */
  async function guardedTool(nonces?: DpopNonces) {
    const { house, activation, reminted } = await counter('look', 'stock/read', args)
    const handled: unknown[] = []
    const handler = (given: unknown) => {
      handled.push(given)
      return { done: true }
    }
    const tools = Object.values(shippingTools).map((definition) => ({ definition, handler }))
    const served = await serveResource({ id: 'stock', tools, ...(nonces && { nonces }) }, guardOf(house))
    const token = reminted({ aud: served.url })
    const headers = { 'content-type': contentType, 'delegation-chain': activation.chain.join(', ') }
    const target = new URL(`${served.url}/read`)
    const call = (DPoP: oauth.DPoPHandle): Promise<unknown> =>
      oauth
        .protectedResourceRequest(token, 'POST', target, new Headers(headers), body, {
          DPoP,
          [oauth.allowInsecureRequests]: true,
        })
        .catch((error: unknown) => error)
    return { call, handled, close: served.close }
  }

  /** What the client is told to add to its proofs: the digest of this request. */
  const digest = requestDigest({ query: '', contentType, body: new TextEncoder().encode(body) })
  const binding = {
    [oauth.modifyAssertion]: (_header: unknown, claims: Record<string, oauth.JsonValue | undefined>) => {
      claims['ajwt_req'] = digest
    },
  }

  it('reaches a guarded tool when it adds `ajwt_req`, and is challenged when it does not', async () => {
    const { call, handled, close } = await guardedTool()
    const keys = await webKeys('reader')
    const refusal = await call(oauth.DPoP({}, keys))
    expect(refusal).toBeInstanceOf(oauth.WWWAuthenticateChallengeError)
    const { cause, response } = refusal as oauth.WWWAuthenticateChallengeError
    expect(cause).toMatchObject([{ scheme: 'dpop', parameters: { error: 'invalid_dpop_proof' } }])
    expect(await response.json()).toMatchObject({ code: 'ERR_PROOF_REQUEST' })
    expect(handled).toEqual([])

    expect(await call(oauth.DPoP({}, keys, binding))).toMatchObject({ status: 200 })
    expect(handled).toEqual([args])
    await close()
  })

  it('understands that a nonce is asked for, and comes back with it', async () => {
    const nonces = createDpopNonces({ secret: new Uint8Array(32).fill(7), clock })
    const { call, handled, close } = await guardedTool(nonces)
    const handle = oauth.DPoP({}, await webKeys('reader'), binding)
    const asked = await call(handle)
    expect(oauth.isDPoPNonceError(asked)).toBe(true)
    expect(handled).toEqual([])
    expect(await call(handle)).toMatchObject({ status: 200 })
    expect(handled).toEqual([args])
    await close()
  })
})

/** A server on loopback whose answer is what `answer` returns, or the code of its refusal. */
async function listen(answer: (request: Request, publicUrl: string) => Promise<string>) {
  let publicUrl = ''
  const server = createAdaptorServer({
    fetch: async (request: Request) => {
      const text = await answer(request, publicUrl).catch((error: unknown) => codeOf(error) ?? 'failed')
      return new Response(text, { status: text.startsWith('ERR_') ? 401 : 200 })
    },
    overrideGlobalObjects: false,
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  publicUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  return { url: publicUrl, close: () => new Promise((resolve) => server.close(resolve)) }
}
