/** A tool behind MCP that trusts nobody: token, chain and proof come in `_meta`, and are checked before anything happens. */
import assert from 'node:assert/strict'
import {
  AgenticError,
  checkArguments,
  createMemorySingleUse,
  deriveAssertion,
  generateKey,
  issueRootAssertion,
  type JsonObject,
  type McpCallParams,
  mcpCallParams,
  mintIntentToken,
  parseInvocationMeta,
  verifyChain,
  verifyIntentToken,
  verifyInvocationProof,
} from 'baton-runtime'

const issuer = 'https://authority.example'
const audience = 'urn:shop:tools'
const [authorityKey, managerKey, clerkKey] = [generateKey(), generateKey(), generateKey()]
const trustedKeys = [authorityKey.publicKey]
const singleUse = createMemorySingleUse()
const orders: Record<string, number> = { '7': 99 }

// #region parseInvocationMeta
async function handleToolsCall(params: { name: string; arguments: JsonObject; _meta?: unknown }) {
  const { token, chain, proof } = parseInvocationMeta(params._meta)
  const { name: tool } = params
  const granted = verifyIntentToken(token, { issuer, audience, trustedKeys })
  const passedOn = verifyChain(chain, { issuer, trustedKeys })
  const { key, leaf } = passedOn
  // From here on only what was proven counts: whoever sent `params` in this process may still change them.
  const { args } = await verifyInvocationProof(proof, {
    leafId: leaf.jti,
    tool,
    audience,
    args: params.arguments,
    accessToken: token,
    key: granted.key,
    singleUse,
  })
  // The chain must be the one that the token names, and both must belong to whoever made the proof.
  if (passedOn.chainHash !== granted.intent.chainHash || key.thumbprint !== granted.key.thumbprint)
    throw new AgenticError('ERR_CHAIN_HASH', 'the token names another chain')
  if (granted.intent.approval) throw new AgenticError('ERR_APPROVAL_ARGUMENTS', 'no call here needs one')
  for (const tools of [granted.authorizationDetails[0]?.['tools'], passedOn.toolGrants])
    checkArguments(tools, tool, args)
  for (const scope of [granted.scope, passedOn.scope])
    if (!scope.includes('orders:read')) throw new AgenticError('ERR_SCOPE_MISSING', 'it needs orders:read')
  // What only the authority knows is not checked here: whether somebody on the way was revoked meanwhile.
  return { content: [{ type: 'text', text: String(orders[String(args['id'])]) }] }
}
// #endregion parseInvocationMeta

const digest = `sha256:${'a'.repeat(64)}`
const run = { executionId: '0193b3c0-5f6e-7c3a-9d3a-1f2e3d4c5b6a', workflowId: 'look-up', intentHash: digest }
const activationId = '0193b3c0-5f6e-7c3a-9d3a-1f2e3d4c5b6b'
const scope = ['orders:read']
const upTo = (max: number) => ({ 'orders/read': { id: { constraint_type: 'range', max } } }) as const

const root = issueRootAssertion(
  {
    ...run,
    issuer,
    initiatedBy: 'user:ada',
    auth: { method: 'password', time: 1_700_000_000 },
    workflowStep: 'assign',
    agentProof: { agentChecksum: digest, registrationId: 'manager-1' },
    delegatee: managerKey.publicKey,
    tools: upTo(100),
    scope,
    maxDepth: 1,
    lifetimeSeconds: 600,
  },
  authorityKey,
)
const agentProof = { agentChecksum: digest, registrationId: 'clerk-1' }
const forClerk = { delegatee: clerkKey.publicKey, tools: upTo(10), scope, agentProof }
const leaf = deriveAssertion(
  { chain: [root] },
  { ...forClerk, intent: { workflowStep: 'read', activationId } },
  managerKey,
)
const chain = [root, leaf]
const { token } = mintIntentToken(
  {
    iss: issuer,
    aud: audience,
    sub: 'clerk',
    clientId: 'shop',
    scope,
    cnf: { jkt: clerkKey.publicKey.thumbprint, jwk: clerkKey.publicKey.jwk },
    authorizationDetails: [{ type: 'attenuating_agent_token', tools: upTo(10) }],
    intent: {
      ...run,
      activationId,
      workflowStep: 'read',
      workflowDigest: digest,
      epoch: 1,
      executedBy: 'clerk',
      initiatedBy: 'user:ada',
      delegationChain: '0123456789abcdef',
      stepSequenceHash: 'fedcba9876543210',
      checkpoint: digest,
      chainHash: verifyChain(chain, { issuer, trustedKeys }).chainHash,
    },
    agentProof,
  },
  authorityKey,
)

const refusal = async (params: McpCallParams) => {
  const error: unknown = await handleToolsCall(params).catch((error: unknown) => error)
  return error instanceof AgenticError ? error.code : 'not refused'
}

// #region mcpCallParams
const call = { token, chain, audience, tool: 'orders/read', args: { id: 7 }, ordinal: 0 }
const params = mcpCallParams(call, clerkKey) // for `tools/call` of any MCP client
// #endregion mcpCallParams

// Other arguments than those that were proven, more than was passed on, somebody else's key, a chain cut short:
assert.equal(await refusal({ ...params, arguments: { id: 8 } }), 'ERR_PROOF_ARGUMENTS')
const tooMuch = mcpCallParams({ ...call, args: { id: 11 } }, clerkKey)
assert.equal(await refusal(tooMuch), 'ERR_ARGUMENT_REFUSED')
assert.equal(await refusal(mcpCallParams(call, managerKey)), 'ERR_SIGNATURE_INVALID')
const cut = mcpCallParams({ ...call, chain: [root] }, clerkKey)
assert.equal(await refusal(cut), 'ERR_CHAIN_HASH')

const inHand = { ...params, arguments: { id: 7 } }
const pending = handleToolsCall(inHand)
inHand.arguments.id = 8 // too late: the proof is being looked at
const { content } = await pending
assert.equal(content[0]?.text, '99')
assert.equal(await refusal(params), 'ERR_PROOF_REPLAYED')
console.log(content)
