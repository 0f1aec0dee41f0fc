import type { IntentTokenClaims } from '../../runtime/tokens/wire.js'
import { fixedKey } from './fixed-keys.js'

export const issuer = 'https://authority.example'
export const audience = 'https://repo.example'

export type ClaimsToMint = Omit<IntentTokenClaims, 'jti' | 'iat' | 'exp'>

/** Everything an intent token says; bound to the key `scanner`. */
export function intentClaims(changes: Partial<ClaimsToMint> = {}): ClaimsToMint {
  const { publicKey } = fixedKey('scanner')
  return {
    iss: issuer,
    aud: audience,
    sub: 'scanner',
    clientId: 'runtime',
    scope: ['repo:read'],
    cnf: { jkt: publicKey.thumbprint, jwk: publicKey.jwk },
    authorizationDetails: [{ type: 'attenuating_agent_token', tools: { 'repo/read': {} } }],
    intent: {
      workflowId: 'patching',
      workflowStep: 'scan',
      workflowDigest: `sha256:${'0'.repeat(64)}`,
      executionId: 'execution-1',
      activationId: 'activation-1',
      epoch: 1,
      executedBy: 'scanner',
      initiatedBy: 'os:1000',
      delegationChain: '0123456789abcdef',
      stepSequenceHash: 'fedcba9876543210',
      checkpoint: `sha256:${'1'.repeat(64)}`,
      intentHash: `sha256:${'2'.repeat(64)}`,
      chainHash: 'hash-of-the-leaf',
    },
    agentProof: { agentChecksum: `sha256:${'3'.repeat(64)}`, registrationId: 'registration-1' },
    ...changes,
  }
}

/** The same, opened by an approval: good once. */
export function approvedIntentClaims(): ClaimsToMint {
  const claims = intentClaims()
  return {
    ...claims,
    intent: {
      ...claims.intent,
      approval: { id: 'approval-1', tool: 'repo/write', argsDigest: `sha256:${'4'.repeat(64)}` },
      use: 'once',
    },
  }
}
