import { describe, expect, it } from 'vitest'
import { intentHash, issueRootAssertion, type RootRequest } from '../../runtime/delegation/root.js'
import { parseToolGrants } from '../../runtime/delegation/tools.js'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import { attack } from '../support/attack.js'
import { agentKey, chainTime, chainTools } from '../support/chain-builder.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { claimsOf } from '../support/forger.js'
import { issuer } from '../support/intent-claims.js'

const statement = {
  request: 'patch what is vulnerable',
  workflow_id: 'patching',
  workflow_digest: 'sha256:1',
  parameters: { repo: 'shop', depth: 2 },
  nonce: 'n',
}

const request: RootRequest = {
  issuer,
  initiatedBy: 'os:1000',
  auth: { method: 'local', time: chainTime },
  executionId: 'execution-1',
  workflowId: 'patching',
  workflowStep: 'plan',
  intentHash: intentHash(statement),
  agentProof: { agentChecksum: 'sha256:2', registrationId: 'registration-0' },
  delegatee: agentKey(0).publicKey,
  tools: parseToolGrants(chainTools),
  scope: ['repo:read'],
  maxDepth: 3,
  lifetimeSeconds: 3600,
}

function issue(changes: Partial<RootRequest> = {}): string {
  return issueRootAssertion({ ...request, ...changes }, fixedKey('authority'), { clock: fakeClock() })
}

describe('a root assertion', () => {
  it('verifies, and says who asked for what', () => {
    const rules = { trustedKeys: [fixedKey('authority').publicKey], issuer, now: chainTime, keyring }
    const { root, key } = verifyChain([issue()], rules)
    expect(root).toMatchObject({
      iss: issuer,
      iat: chainTime,
      exp: chainTime + 3600,
      depth: 0,
      maxDepth: 3,
      scope: ['repo:read'],
      toolGrants: chainTools,
      initiatedBy: 'os:1000',
      auth: { method: 'local', time: chainTime },
      agentProof: request.agentProof,
      intent: { executionId: 'execution-1', workflowId: 'patching', workflowStep: 'plan' },
    })
    expect(root).not.toHaveProperty('parentHash')
    expect(root.intent).not.toHaveProperty('activationId')
    expect(key.thumbprint).toBe(agentKey(0).publicKey.thumbprint)
    expect(claimsOf(issue()).jti).not.toBe(claimsOf(issue()).jti)
  })

  it('is made within the limits or not at all', () => {
    for (const maxDepth of [-1, 1.5, 32]) expect(() => issue({ maxDepth })).toThrow(TypeError)
    for (const lifetimeSeconds of [0, 7 * 24 * 3600 + 1, Number.NaN]) {
      expect(() => issue({ lifetimeSeconds })).toThrow(TypeError)
    }
    issue({ maxDepth: 31, lifetimeSeconds: 7 * 24 * 3600 })
    issue({ maxDepth: 0, lifetimeSeconds: 1 })
  })
})

describe('the hash of an intent', () => {
  attack('T10', 'changes with every part of what was asked, and not with its spelling', () => {
    const others = [
      { ...statement, request: 'patch everything' },
      { ...statement, workflow_id: 'deploying' },
      { ...statement, workflow_digest: 'sha256:2' },
      { ...statement, parameters: { repo: 'shop', depth: 3 } },
      { ...statement, nonce: 'm' },
    ]
    expect(new Set([statement, ...others].map(intentHash)).size).toBe(6)
    expect(intentHash({ ...statement, parameters: { depth: 2, repo: 'shop' } })).toBe(intentHash(statement))
    expect(intentHash(statement)).toMatch(/^sha256:[0-9a-f]{64}$/)
  })
})
