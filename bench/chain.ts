/**
 * Verifying a delegation chain of a root and five hops: anew, and with all but the leaf remembered,
 * beside the raw signature checks it cannot do without, and beside jose checking the six signatures.
 */
import { importJWK, jwtVerify } from 'jose'
import { systemClock } from '../runtime/clock.js'
import { decodeAssertion, signingInputHash } from '../runtime/delegation/assertion.js'
import { deriveAssertion } from '../runtime/delegation/derive.js'
import { issueRootAssertion } from '../runtime/delegation/root.js'
import { createLinkCache } from '../runtime/delegation/verified-links.js'
import { type ChainRules, verifyChain } from '../runtime/delegation/verify-chain.js'
import type { Keyring } from '../runtime/keys/keyring.js'
import type { SigningKey } from '../runtime/keys/signing-key.js'
import { measure, printRatios } from './measure.js'

const hops = 5
const freshLeaves = 4000
const issuer = 'https://authority.example'
const tools = { 'repository/read': { path: { constraint_type: 'exact', value: '/srv/shop' } } } as const
const proof = { agentChecksum: `sha256:${'a'.repeat(64)}`, registrationId: 'registration-1' }

export async function benchChain(keyring: Keyring): Promise<void> {
  const authority = keyring.generate()
  const agents = Array.from({ length: hops + 1 }, () => keyring.generate())
  const chain = chainOf(authority, agents)
  const prefix = chain.slice(0, -1)
  const leaves = Array.from({ length: freshLeaves }, () => hop(prefix, agents, hops))
  const rules = (): ChainRules => ({
    trustedKeys: [authority.publicKey],
    issuer,
    now: Math.floor(Date.now() / 1000),
    keyring,
  })
  const cache = createLinkCache(2 * freshLeaves)
  verifyChain(prefix, { ...rules(), cache })

  const signed = chain.map((token, index) => ({
    key: index === 0 ? authority.publicKey : (agents[index - 1] as SigningKey).publicKey,
    message: new TextEncoder().encode(token.slice(0, token.lastIndexOf('.'))),
    signature: new Uint8Array(Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')),
  }))
  const rawVerify = ({ key, message, signature }: (typeof signed)[number]) => key.verify(message, signature)

  printRatios(
    `Chain of a root and ${hops} hops, first verification (${chain.join(', ').length} bytes)`,
    await measure([
      { name: `six raw verifications (${keyring.backend})`, run: () => signed.forEach(rawVerify) },
      { name: 'Baton', run: () => verifyChain(chain, rules()) },
      { name: 'jose, signatures only, awaited', run: await joseContender(chain, authority, agents) },
    ]),
  )
  printRatios(
    'The same chain with a fresh leaf on a remembered prefix',
    await measure(
      [
        {
          name: `one raw verification (${keyring.backend})`,
          run: () => rawVerify(signed[hops] as (typeof signed)[number]),
        },
        {
          name: 'Baton',
          run: (index) =>
            verifyChain([...prefix, leaves[index % freshLeaves] as string], { ...rules(), cache }),
        },
      ],
      { turns: 15, perTurn: 200, warmUp: 200 },
    ),
  )
}

function chainOf(authority: SigningKey, agents: readonly SigningKey[]): string[] {
  const root = issueRootAssertion(
    {
      issuer,
      initiatedBy: 'os:1000',
      auth: { method: 'local', time: Math.floor(Date.now() / 1000) },
      executionId: '01957a41-0081-7c20-bf3a-00a0c91e1234',
      workflowId: 'bench',
      workflowStep: 'step-0',
      intentHash: `sha256:${'b'.repeat(64)}`,
      agentProof: proof,
      delegatee: (agents[0] as SigningKey).publicKey,
      tools,
      scope: ['repo:read'],
      maxDepth: hops,
      lifetimeSeconds: 3600,
    },
    authority,
    { clock: systemClock },
  )
  const chain = [root]
  for (let depth = 1; depth <= hops; depth++) chain.push(hop(chain, agents, depth))
  // What is measured must be what it claims to be.
  if (decodeAssertion(chain.at(-1) as string).depth !== hops || signingInputHash(root).length !== 43) {
    throw new Error('the chain to measure is not well made')
  }
  return chain
}

function hop(chain: readonly string[], agents: readonly SigningKey[], depth: number): string {
  return deriveAssertion(
    { chain },
    {
      delegatee: (agents[depth] as SigningKey).publicKey,
      tools,
      scope: ['repo:read'],
      agentProof: proof,
      intent: { workflowStep: `step-${depth}`, activationId: `activation-${depth}` },
    },
    agents[depth - 1] as SigningKey,
    { clock: systemClock },
  )
}

async function joseContender(chain: readonly string[], authority: SigningKey, agents: readonly SigningKey[]) {
  const signers = [authority, ...agents]
  const keys = await Promise.all(signers.map((signer) => importJWK({ ...signer.publicKey.jwk }, 'Ed25519')))
  return async () => {
    for (const [index, token] of chain.entries()) {
      await jwtVerify(token, keys[index] as CryptoKey, { typ: 'delegation+jwt', algorithms: ['Ed25519'] })
    }
  }
}
