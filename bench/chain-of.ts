/** Chains to measure: a root and any number of hops, each narrowed as a workflow's steps are. */
import { systemClock } from '../runtime/clock.js'
import { decodeAssertion, signingInputHash } from '../runtime/delegation/assertion.js'
import { deriveAssertion } from '../runtime/delegation/derive.js'
import { issueRootAssertion } from '../runtime/delegation/root.js'
import type { SigningKey } from '../runtime/keys/signing-key.js'

export const issuer = 'https://authority.example'
const tools = { 'repository/read': { path: { constraint_type: 'exact', value: '/srv/shop' } } } as const
const proof = { agentChecksum: `sha256:${'a'.repeat(64)}`, registrationId: 'registration-1' }

/** @param agents the key of each hop, root's delegatee first @returns root first, `agents.length - 1` hops below it */
export function chainOf(authority: SigningKey, agents: readonly SigningKey[]): string[] {
  const hops = agents.length - 1
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
      maxDepth: 31,
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

/** Derives one more hop below a chain. */
export function hop(chain: readonly string[], agents: readonly SigningKey[], depth: number): string {
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
