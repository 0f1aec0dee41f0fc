/**
 * Both directions with another implementation (jose): it verifies every kind of JWS of ours, and ours verifies
 * the same claims signed by it, in another order of members; on each Ed25519 backend.
 */
import { EmbeddedJWK, importJWK, type JWTHeaderParameters, jwtVerify, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { deriveAssertion } from '../../runtime/delegation/derive.js'
import { issueRootAssertion } from '../../runtime/delegation/root.js'
import { parseToolGrants } from '../../runtime/delegation/tools.js'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import { encodeBase64url } from '../../runtime/encoding/base64url.js'
import { sha256 } from '../../runtime/encoding/digest.js'
import { createDpopProof, verifyDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { mintIntentToken, verifyIntentToken } from '../../runtime/tokens/intent-token.js'
import { createInvocationProof, verifyInvocationProof } from '../../runtime/tokens/invocation-proof.js'
import { chainTools, hashOf } from '../support/chain-builder.js'
import { fakeClock } from '../support/fake-clock.js'
import { claimsOf } from '../support/forger.js'
import { audience, intentClaims, issuer } from '../support/intent-claims.js'
import { keyrings } from '../support/keyrings.js'
import { rememberingSingleUse } from '../support/single-uses.js'

const clock = fakeClock()
const now = nowSeconds(clock)
const currentDate = new Date(clock.nowMs())
const accessToken = 'header.claims.signature'
const url = `${audience}/files`
const bound = { query: 'a=1', contentType: 'application/json', body: new TextEncoder().encode('{}') }
const agentProof = { agentChecksum: `sha256:${'3'.repeat(64)}`, registrationId: 'registration-1' }

describe.each(keyrings)('$backend and jose', (keyring) => {
  const seedOf = (name: string) => sha256(`baton test key ${name}`)
  const keyOf = (name: string) => keyring.fromSeed(seedOf(name))
  const [authority, scanner, planner] = [keyOf('authority'), keyOf('scanner'), keyOf('planner')]
  const publicOf = (key: typeof authority) => importJWK({ ...key.publicKey.jwk }, 'Ed25519')

  /** The claims of a token of ours, signed anew by jose: with the members as they are, and in reverse. */
  async function signedByJose(token: string, name: string, reverse: boolean): Promise<string> {
    const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
    const claims = Object.entries(claimsOf(token))
    const payload = Object.fromEntries(reverse ? claims.reverse() : claims)
    const jwk = { ...keyOf(name).publicKey.jwk, d: encodeBase64url(seedOf(name)) }
    return new SignJWT(payload)
      .setProtectedHeader(header as JWTHeaderParameters)
      .sign(await importJWK(jwk, 'Ed25519'))
  }

  it('at+jwt', async () => {
    const { token } = mintIntentToken(
      intentClaims({ cnf: { jkt: scanner.publicKey.thumbprint, jwk: scanner.publicKey.jwk } }),
      authority,
      { clock },
    )
    const options = { typ: 'at+jwt', issuer, audience, currentDate, algorithms: ['Ed25519'] }
    const { payload, protectedHeader } = await jwtVerify(token, await publicOf(authority), options)
    expect(payload).toEqual(claimsOf(token))
    expect(protectedHeader.kid).toBe(authority.publicKey.thumbprint)

    const rules = { issuer, audience, now, keyring, trustedKeys: [authority.publicKey] }
    expect(await signedByJose(token, 'authority', false)).toBe(token)
    const theirs = await signedByJose(token, 'authority', true)
    expect(theirs).not.toBe(token)
    expect(verifyIntentToken(theirs, rules)).toEqual(verifyIntentToken(token, rules))
  })

  it('delegation+jwt, a root and a hop', async () => {
    const root = issueRootAssertion(
      {
        ...{ issuer, initiatedBy: 'os:1000', auth: { method: 'local', time: now }, agentProof },
        ...{ executionId: 'execution-1', workflowId: 'patching', workflowStep: 'plan' },
        ...{ intentHash: `sha256:${'2'.repeat(64)}`, delegatee: planner.publicKey, maxDepth: 3 },
        ...{ tools: parseToolGrants(chainTools), scope: ['repo:read'], lifetimeSeconds: 600 },
      },
      authority,
      { clock },
    )
    const intent = { workflowStep: 'scan', activationId: 'activation-1' }
    const hop = deriveAssertion(
      { chain: [root] },
      {
        ...{ delegatee: scanner.publicKey, scope: ['repo:read'], agentProof, intent },
        tools: parseToolGrants(chainTools),
      },
      planner,
      { clock },
    )
    const options = { typ: 'delegation+jwt', currentDate, algorithms: ['Ed25519'] }
    const seen = await jwtVerify(root, await publicOf(authority), { ...options, issuer })
    expect(seen.payload['cnf']).toEqual({ jwk: planner.publicKey.jwk })
    const { payload } = await jwtVerify(
      hop,
      await importJWK({ ...planner.publicKey.jwk }, 'Ed25519'),
      options,
    )
    expect(payload['par_hash']).toBe(hashOf(root))

    const rules = { issuer, now, keyring, trustedKeys: [authority.publicKey] }
    expect(await signedByJose(root, 'authority', false)).toBe(root)
    expect(await signedByJose(hop, 'planner', false)).toBe(hop)
    const reversed = await signedByJose(hop, 'planner', true)
    const theirs = verifyChain([root, reversed], rules)
    expect(theirs.leaf).toEqual(verifyChain([root, hop], rules).leaf)
    expect(theirs.chainHash).toBe(hashOf(reversed))
  })

  it('dpop+jwt', async () => {
    const proof = createDpopProof({ method: 'POST', url, accessToken, request: bound, ordinal: 2 }, scanner, {
      clock,
    })
    const options = { typ: 'dpop+jwt', algorithms: ['Ed25519'], maxTokenAge: 60, currentDate }
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, options)
    expect(payload).toMatchObject({ htm: 'POST', htu: url, iat: now })
    expect(protectedHeader.jwk).toEqual(scanner.publicKey.jwk)

    const rules = { method: 'POST', url, accessToken, request: bound, now, keyring, key: scanner.publicKey }
    expect(await signedByJose(proof, 'scanner', false)).toBe(proof)
    const theirs = await signedByJose(proof, 'scanner', true)
    const verified = await verifyDpopProof(theirs, { ...rules, singleUse: rememberingSingleUse() })
    expect(verified).toMatchObject({ jti: payload.jti, ordinal: 2 })
  })

  it('pop+jwt', async () => {
    const invocation = {
      ...{ leafId: 'leaf-1', tool: 'repo/read', audience, accessToken },
      args: { path: '/src/é', list: [1.5, 1e21, { b: null, a: true }] },
    }
    const proof = createInvocationProof(invocation, scanner, { clock })
    const options = { typ: 'pop+jwt', algorithms: ['Ed25519'], maxTokenAge: 30, currentDate }
    const { payload } = await jwtVerify(proof, await publicOf(scanner), options)
    expect(payload['hta']).toEqual(invocation.args)

    const rules = { ...invocation, key: scanner.publicKey, now }
    expect(await signedByJose(proof, 'scanner', false)).toBe(proof)
    const theirs = await signedByJose(proof, 'scanner', true)
    const verified = await verifyInvocationProof(theirs, { ...rules, singleUse: rememberingSingleUse() })
    expect(verified.jti).toBe(payload.jti)
  })
})
