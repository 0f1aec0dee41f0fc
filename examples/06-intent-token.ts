/** A token for one step of one run, and a proof over one request: neither is worth anything without the other. */
import assert from 'node:assert/strict'
import {
  AgenticError,
  createDpopProof,
  createMemorySingleUse,
  generateKey,
  mintIntentToken,
  verifyDpopProof,
  verifyIntentToken,
} from 'baton-runtime'

const issuer = 'https://authority.example'
const audience = 'https://orders.example'
const authorityKey = generateKey()
const agentKey = generateKey()
const isRefused = (code: string) => (error: unknown) => error instanceof AgenticError && error.code === code
const digest = `sha256:${'a'.repeat(64)}`

// #region mintIntentToken
const { token } = mintIntentToken(
  {
    iss: issuer,
    aud: audience,
    sub: 'clerk',
    clientId: 'shop',
    scope: ['orders:read'],
    cnf: { jkt: agentKey.publicKey.thumbprint, jwk: agentKey.publicKey.jwk },
    authorizationDetails: [{ type: 'attenuating_agent_token', tools: { 'orders/read': {} } }],
    intent: {
      workflowId: 'look-up',
      workflowStep: 'read',
      workflowDigest: digest,
      executionId: '0193b3c0-5f6e-7c3a-9d3a-1f2e3d4c5b6a',
      activationId: '0193b3c0-5f6e-7c3a-9d3a-1f2e3d4c5b6b',
      epoch: 1,
      executedBy: 'clerk',
      initiatedBy: 'user:ada',
      delegationChain: '0123456789abcdef',
      stepSequenceHash: 'fedcba9876543210',
      checkpoint: digest,
      intentHash: digest,
      chainHash: 'A'.repeat(43),
    },
    agentProof: { agentChecksum: digest, registrationId: 'clerk-1' },
  },
  authorityKey,
  { ttlSeconds: 60 },
)
// #endregion mintIntentToken

// #region createDpopProof
const request = { query: '', contentType: 'application/json', body: Buffer.from('{"id":7}') }
const call = { method: 'POST', url: `${audience}/read`, accessToken: token, request }
const proof = createDpopProof(call, agentKey)
// #endregion createDpopProof

const trustedKeys = [authorityKey.publicKey]
const elsewhere = { issuer, audience: 'https://payments.example', trustedKeys }
assert.throws(() => verifyIntentToken(token, elsewhere), isRefused('ERR_TOKEN_AUDIENCE'))

// #region verifyIntentToken
const verified = verifyIntentToken(token, { issuer, audience, trustedKeys }) // or JWKs, or a JWK Set
// #endregion verifyIntentToken
assert.equal(verified.intent.workflowStep, 'read')

const singleUse = createMemorySingleUse()
const swapped = { ...request, body: Buffer.from('{"id":8}') }
await assert.rejects(
  verifyDpopProof(proof, { ...call, request: swapped, key: verified.key, singleUse }),
  isRefused('ERR_PROOF_REQUEST'),
)

// #region verifyDpopProof
await verifyDpopProof(proof, { ...call, key: verified.key, singleUse }) // and it is spent
// #endregion verifyDpopProof
await assert.rejects(
  verifyDpopProof(proof, { ...call, key: verified.key, singleUse }),
  isRefused('ERR_PROOF_REPLAYED'),
)
console.log(verified.sub, verified.scope)
