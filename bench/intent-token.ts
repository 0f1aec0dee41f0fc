/**
 * Mint and verify an intent token, make and verify its proof, in process: beside the four signature
 * operations that no implementation can save, and beside jose and fast-jwt doing the same.
 */
import { webcrypto } from 'node:crypto'
import { importJWK, jwtVerify, SignJWT } from 'jose'
import { systemClock } from '../runtime/clock.js'
import { canonicalize } from '../runtime/encoding/canonical-json.js'
import { sha256Base64url } from '../runtime/encoding/digest.js'
import type { Keyring } from '../runtime/keys/keyring.js'
import type { SigningKey } from '../runtime/keys/signing-key.js'
import { createDpopProof, verifyDpopProof } from '../runtime/tokens/dpop-proof.js'
import { mintIntentToken, verifyIntentToken } from '../runtime/tokens/intent-token.js'
import { toWire } from '../runtime/tokens/wire.js'
import { fastJwtPair } from './fast-jwt.js'
import { measure, printRatios } from './measure.js'

const issuer = 'https://authority.example'
const audience = 'https://resource.example'
const url = `${audience}/orders`
const request = { query: '', contentType: 'application/json', body: new TextEncoder().encode('{"id":1}') }

export async function benchIntentToken(keyring: Keyring): Promise<void> {
  const authority = keyring.generate()
  const agent = keyring.generate()
  const claims = claimsFor(agent)
  const once = { claim: async () => true }

  const ours = async () => {
    const { token } = mintIntentToken(claims, authority, { clock: systemClock })
    const now = Math.floor(Date.now() / 1000)
    const verified = verifyIntentToken(token, {
      issuer,
      audience,
      trustedKeys: [authority.publicKey],
      now,
      keyring,
    })
    const proof = createDpopProof({ method: 'POST', url, accessToken: token, request }, agent, {
      clock: systemClock,
    })
    await verifyDpopProof(proof, {
      method: 'POST',
      url,
      accessToken: token,
      request,
      key: verified.key,
      now,
      keyring,
      singleUse: once,
    })
  }

  const message = new TextEncoder().encode(
    canonicalize(toWire(claims, { jti: 'x', iat: 1, exp: 2 })).padEnd(1200),
  )
  const short = message.slice(0, 500)
  const raw = () => {
    authority.publicKey.verify(message, authority.sign(message))
    agent.publicKey.verify(short, agent.sign(short))
  }

  const figures = await measure([
    { name: `four raw signature operations (${keyring.backend})`, run: raw },
    { name: 'Baton', run: ours },
    { name: 'jose, awaited', run: await joseContender(claims) },
    { name: 'fast-jwt', run: fastJwtContender(claims) },
  ])
  printRatios('Intent token and proof: mint, verify, make, verify', figures)
}

/** The same tokens with jose on WebCrypto keys, without our strict gate, narrowing or replay store. */
async function joseContender(claims: ReturnType<typeof claimsFor>): Promise<() => Promise<void>> {
  const [authority, agent] = await Promise.all([joseKey(), joseKey()])
  const { iss: _iss, aud: _aud, ...payload } = toWire(claims, { jti: 'x', iat: 1, exp: 2 })
  return async () => {
    const now = Math.floor(Date.now() / 1000)
    const token = await new SignJWT({ ...payload, jti: webcrypto.randomUUID() })
      .setProtectedHeader({ alg: 'Ed25519', typ: 'at+jwt' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + 300)
      .sign(authority.privateKey)
    await jwtVerify(token, authority.publicKey, { issuer, audience, typ: 'at+jwt', algorithms: ['Ed25519'] })
    const proof = await new SignJWT({
      htm: 'POST',
      htu: url,
      ath: sha256Base64url(token),
      jti: webcrypto.randomUUID(),
    })
      .setProtectedHeader({ alg: 'Ed25519', typ: 'dpop+jwt', jwk: agent.jwk })
      .setIssuedAt(now)
      .sign(agent.privateKey)
    await jwtVerify(proof, await importJWK(agent.jwk, 'Ed25519'), {
      typ: 'dpop+jwt',
      algorithms: ['Ed25519'],
    })
  }
}

/** The same with fast-jwt, which looks at neither `typ` nor the key in a proof's header. */
function fastJwtContender(claims: ReturnType<typeof claimsFor>): () => void {
  const authority = fastJwtPair({ typ: 'at+jwt' })
  const agent = fastJwtPair({ typ: 'dpop+jwt', jwk: claims.cnf.jwk })
  const payload = toWire(claims, { jti: 'x', iat: 1, exp: 2 })
  return () => {
    const now = Math.floor(Date.now() / 1000)
    const token = authority.sign({ ...payload, jti: webcrypto.randomUUID(), iat: now, exp: now + 300 })
    authority.verify(token)
    const proof = agent.sign({
      htm: 'POST',
      htu: url,
      ath: sha256Base64url(token),
      jti: webcrypto.randomUUID(),
      iat: now,
    })
    agent.verify(proof)
  }
}

async function joseKey() {
  const pair = (await webcrypto.subtle.generateKey('Ed25519', true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair
  const { kty, crv, x } = await webcrypto.subtle.exportKey('jwk', pair.publicKey)
  return { ...pair, jwk: { kty: kty as string, crv: crv as string, x: x as string } }
}

function claimsFor(agent: SigningKey) {
  const hash = `sha256:${'a'.repeat(64)}`
  return {
    iss: issuer,
    aud: audience,
    sub: 'patcher',
    clientId: 'baton-runtime',
    scope: ['repo:write'],
    cnf: { jkt: agent.publicKey.thumbprint, jwk: agent.publicKey.jwk },
    authorizationDetails: [
      {
        type: 'attenuating_agent_token',
        tools: { 'repository/apply_patch': { changes: { constraint_type: 'wildcard' } } },
      },
    ],
    intent: {
      workflowId: 'vulnerability-patching',
      workflowStep: 'patch',
      workflowDigest: hash,
      executionId: '01957a41-0081-7c20-bf3a-00a0c91e1234',
      activationId: '01957a41-0081-7c20-bf3a-00a0c91e1235',
      epoch: 1,
      executedBy: 'patcher',
      initiatedBy: 'os:1000',
      delegationChain: 'e2b0bb2db17839e8',
      stepSequenceHash: 'bed72404ae7c18e8',
      checkpoint: hash,
      intentHash: hash,
      chainHash: 'k'.repeat(43),
    },
    agentProof: { agentChecksum: hash, registrationId: '01957a41-0081-7c20-bf3a-00a0c91e1236' },
  }
}
