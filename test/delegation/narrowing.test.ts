import { describe, it } from 'vitest'
import { type Assertion, decodeAssertion } from '../../runtime/delegation/assertion.js'
import { type ParentFacts, requireChild } from '../../runtime/delegation/narrowing.js'
import { parseToolGrants } from '../../runtime/delegation/tools.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { agentKey, chainOf, hashOf } from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'

const chain = chainOf(3, { 0: { del_max_depth: 3 }, 1: { del_max_depth: 3 }, 2: { del_max_depth: 3 } })
const [parent, child] = chain.slice(1).map(decodeAssertion) as [Assertion, Assertion]
const facts: ParentFacts = {
  assertion: parent,
  thumbprint: agentKey(1).publicKey.thumbprint,
  hash: hashOf(chain[1] ?? ''),
}

describe('a child of two assertions', () => {
  it('may be as wide as its parent, or narrower', () => {
    requireChild(facts, child)
    requireChild(facts, {
      ...child,
      scope: [],
      toolGrants: parseToolGrants({}),
      exp: child.exp - 1,
      maxDepth: 2,
    })
  })

  const intent = (changes: object) => ({ intent: { ...child.intent, ...changes } })
  const refusals: [what: string, changes: Partial<Assertion>, code: ErrorCode][] = [
    ['issuer that is not its parent’s key', { iss: parent.iss }, 'ERR_CHAIN_ISSUER'],
    ['link to another parent', { parentHash: hashOf(chain[0] ?? '') }, 'ERR_CHAIN_LINK'],
    ['depth two further', { depth: 3 }, 'ERR_CHAIN_DEPTH'],
    ['greatest depth above its parent’s', { maxDepth: 4 }, 'ERR_CHAIN_DEPTH'],
    ['greatest depth below its own', { maxDepth: 1 }, 'ERR_CHAIN_DEPTH'],
    ['end after its parent’s', { exp: parent.exp + 1 }, 'ERR_CHAIN_LIFETIME'],
    ['beginning before its parent’s', { iat: parent.iat - 1 }, 'ERR_CHAIN_LIFETIME'],
    ['tool more', { toolGrants: parseToolGrants({ shell: {} }) }, 'ERR_CHAIN_TOOL_WIDENED'],
    ['constraint less', { toolGrants: parseToolGrants({ 'repo/read': {} }) }, 'ERR_CHAIN_CONSTRAINT_WIDENED'],
    ['scope more', { scope: ['repo:read', 'repo:admin'] }, 'ERR_CHAIN_SCOPE_WIDENED'],
    ['scope that begins alike', { scope: ['repo:reader'] }, 'ERR_CHAIN_SCOPE_WIDENED'],
    ['run of its own', intent({ executionId: 'execution-2' }), 'ERR_CHAIN_INTENT'],
    ['workflow of its own', intent({ workflowId: 'deploying' }), 'ERR_CHAIN_INTENT'],
    ['intent of its own', intent({ intentHash: 'sha256:0' }), 'ERR_CHAIN_INTENT'],
    ['initiator of its own', { initiatedBy: 'os:0' }, 'ERR_CHAIN_INTENT'],
    ['authentication of its own', { auth: { method: 'local', time: 1 } }, 'ERR_CHAIN_INTENT'],
  ]
  it.each(refusals)('has no %s', async (_what, changes, code) => {
    await expectCode(() => requireChild(facts, { ...child, ...changes }), code)
    requireChild(facts, child)
  })

  it('has no missing link', async () => {
    const { parentHash: _, ...unlinked } = child
    await expectCode(() => requireChild(facts, unlinked), 'ERR_CHAIN_LINK')
  })
})
