/** Authority passed on by signature alone: each hop narrows, and whoever has the root's public key can check it offline. */
import assert from 'node:assert/strict'
import {
  AgenticError,
  checkArguments,
  createInvocationProof,
  createMemorySingleUse,
  deriveAssertion,
  generateKey,
  intentHash,
  issueRootAssertion,
  subsumes,
  verifyChain,
  verifyInvocationProof,
} from 'baton-runtime'

const issuer = 'https://authority.example'
const [authorityKey, plannerKey, patcherKey] = [generateKey(), generateKey(), generateKey()]
const isRefused = (code: string) => (error: unknown) => error instanceof AgenticError && error.code === code
const agentProof = (registrationId: string) => ({ agentChecksum: `sha256:${'a'.repeat(64)}`, registrationId })

// #region issueRootAssertion
const root = issueRootAssertion(
  {
    issuer,
    initiatedBy: 'user:ada',
    auth: { method: 'password', time: 1_700_000_000 },
    executionId: '0193b3c0-5f6e-7c3a-9d3a-1f2e3d4c5b6a',
    workflowId: 'patching',
    workflowStep: 'plan',
    intentHash: intentHash({
      request: 'patch the shop',
      workflow_id: 'patching',
      workflow_digest: `sha256:${'b'.repeat(64)}`,
      parameters: {},
      nonce: 'u7LZk2vH0dWq',
    }),
    agentProof: agentProof('planner-1'),
    delegatee: plannerKey.publicKey,
    tools: { 'files/write': { path: { constraint_type: 'path_containment', root: '/srv/shop' } } },
    scope: ['files:write'],
    maxDepth: 2,
    lifetimeSeconds: 3600,
  },
  authorityKey,
)
// #endregion issueRootAssertion

const handOver = {
  delegatee: patcherKey.publicKey,
  scope: ['files:write'],
  agentProof: agentProof('patcher-1'),
  intent: { workflowStep: 'patch', activationId: '0193b3c0-5f6e-7c3a-9d3a-1f2e3d4c5b6b' },
}
// Nobody passes on what he does not hold.
const wider = { 'files/write': { path: { constraint_type: 'path_containment', root: '/srv' } } } as const
assert.throws(
  () => deriveAssertion({ chain: [root] }, { ...handOver, tools: wider }, plannerKey),
  isRefused('ERR_CHAIN_CONSTRAINT_WIDENED'),
)

// #region deriveAssertion
const tools = {
  'files/write': { path: { constraint_type: 'exact', value: '/srv/shop/package.json' } },
} as const
const leaf = deriveAssertion({ chain: [root] }, { ...handOver, tools, lifetimeSeconds: 300 }, plannerKey)
// #endregion deriveAssertion

// #region verifyChain
const chain = verifyChain([root, leaf], { issuer, trustedKeys: [authorityKey.publicKey] })
chain.toolGrants // what is left at the leaf, as are chain.scope and chain.key
chain.checked // ['I1', 'I2', 'I3', 'I4', 'I5', 'I7']
chain.open // ['I6', 'I8', 'I9']: possession, registration and workflow are not a chain's to show
// #endregion verifyChain
assert.deepEqual(chain.checked, ['I1', 'I2', 'I3', 'I4', 'I5', 'I7'])
assert.deepEqual(chain.open, ['I6', 'I8', 'I9'])
assert.throws(
  () => verifyChain([leaf], { issuer, trustedKeys: [authorityKey.publicKey] }),
  isRefused('ERR_CHAIN_ROOT_UNTRUSTED'),
)

// #region subsumes
subsumes({ constraint_type: 'range', max: 100 }, { constraint_type: 'range', min: 1, max: 50 }) // true
subsumes({ constraint_type: 'range', max: 100 }, { constraint_type: 'range', min: 1 }) // false: no upper bound
// #endregion subsumes
const parent = { constraint_type: 'range', max: 100 }
assert.ok(subsumes(parent, { constraint_type: 'range', min: 1, max: 50 }))
assert.ok(!subsumes(parent, { constraint_type: 'range', min: 1 }))

const outside = { path: '/srv/shop/../../etc/passwd' }
assert.throws(
  () => checkArguments(chain.toolGrants, 'files/write', outside),
  isRefused('ERR_ARGUMENT_REFUSED'),
)
// #region checkArguments
const args = { path: '/srv/shop/package.json' }
checkArguments(chain.toolGrants, 'files/write', args) // throws when the call is not within the grant
// #endregion checkArguments

// #region createInvocationProof
const invocation = {
  leafId: chain.leaf.jti,
  tool: 'files/write',
  audience: 'urn:shop:tools',
  args,
  accessToken: 'the intent token that names this chain',
}
const proof = createInvocationProof(invocation, patcherKey)
// #endregion createInvocationProof

const singleUse = createMemorySingleUse()
await assert.rejects(
  verifyInvocationProof(proof, { ...invocation, args: outside, key: chain.key, singleUse }),
  isRefused('ERR_PROOF_ARGUMENTS'),
)
// #region verifyInvocationProof
await verifyInvocationProof(proof, { ...invocation, key: chain.key, singleUse }) // and it is spent
// #endregion verifyInvocationProof
await assert.rejects(
  verifyInvocationProof(proof, { ...invocation, key: chain.key, singleUse }),
  isRefused('ERR_PROOF_REPLAYED'),
)
console.log(chain.scope, chain.toolGrants)
