/**
 * The authorization server's decisions, in process: it issues roots and intent tokens, observes the run
 * through the engine's reports, and writes an audit record of every outcome before it answers.
 */
import type { Journal } from '../audit/journal.js'
import type { TokenIssuer, TokenRequest } from '../client/issuer.js'
import { signingInputHash } from '../delegation/assertion.js'
import type { JsonObject } from '../encoding/canonical-json.js'
import { isIdentifier, isToolName } from '../encoding/identifier.js'
import type { ExecutionAuthority } from '../engine/authority-port.js'
import { AgenticError, codeOf } from '../errors.js'
import type { ApprovalRow } from '../execution/records.js'
import { isScopeToken } from '../identity/scope-token.js'
import { workflowFromSource } from '../workflow/define.js'
import type { Workflow } from '../workflow/definition.js'
import { activate, delegate, prepareReceipt, reportEnd } from './activations.js'
import { type ApprovalDecision, decideApproval, requestApproval } from './approvals.js'
import { createChainShelf } from './chain-shelf.js'
import type { AuthorityDeps } from './deps.js'
import { endExecution, startExecution, takeOver } from './executions.js'
import { issueToken } from './issue.js'

export interface Authority extends ExecutionAuthority, TokenIssuer {
  /** A chain by the hash that tokens name it by; undefined when no live token can name it any more. */
  chain(chainHash: string): Promise<readonly string[] | undefined>
  /** Records a person's decision over what a gate asks. @throws AgenticError ERR_APPROVAL_UNKNOWN, ERR_APPROVAL_USED */
  decideApproval(request: ApprovalDecision): Promise<ApprovalRow>
}

export function createAuthority(deps: AuthorityDeps): Authority {
  const { journal } = deps
  const workflows = new Map<string, Workflow>()
  const chains = createChainShelf()

  /** The authority's own reading of a definition: an object that only claims its digest decides nothing. */
  function own<T extends { readonly workflow: Workflow }>(request: T): T {
    const { digest, source } = request.workflow
    const workflow = workflows.get(digest) ?? workflowFromSource(source)
    if (workflow.digest !== digest) {
      throw new AgenticError('ERR_WORKFLOW_CHANGED', 'the workflow is not the one that its digest names')
    }
    workflows.set(digest, workflow)
    return { ...request, workflow }
  }

  return {
    issuer: deps.issuer,
    startExecution: async (request) => startExecution(own(request), deps, journal),
    takeOver: async (executionId, workflow) =>
      takeOver(executionId, own({ workflow }).workflow, deps, journal),
    endExecution: (lease, outcome) => endExecution(lease, outcome, deps, journal),
    activate: async (lease, request) => activate(lease, own(request), deps, journal),
    async delegate(lease, request) {
      const row = await delegate(lease, own(request), deps, journal)
      chains.set(signingInputHash(row.chain.at(-1) ?? ''), row.chain)
      return row
    },
    chain: async (chainHash) => chains.get(chainHash),
    endActivation: (lease, request) => reportEnd(lease, request, deps, journal),
    prepareReceipt: (lease, activation, outcome) => prepareReceipt(lease, activation, outcome, deps, journal),
    requestApproval: async (lease, request) => requestApproval(lease, own(request), deps, journal),
    decideApproval: (request) => decideApproval(request, deps, journal),
    reportRefusal: (lease, request) =>
      journal.record({
        executionId: lease.executionId,
        type: 'call.refused',
        actor: 'engine',
        activationId: request.activationId,
        data: {
          step: request.step,
          code: request.code,
          ...(request.tool !== undefined && { tool: request.tool }),
        },
      }),
    issue: (request) => issue(request, workflows, deps, journal),
  }
}

/** Every outcome is a record, durable before the token leaves. */
async function issue(
  request: TokenRequest,
  workflows: ReadonlyMap<string, Workflow>,
  deps: AuthorityDeps,
  journal: Journal,
) {
  const asked = wordsOf(request, deps)
  const entry = {
    actor: isIdentifier(request.agentId) ? `agent:${request.agentId}` : 'authority',
    ...(isIdentifier(request.activationId) && { activationId: request.activationId }),
  }
  const place = isIdentifier(request.executionId) ? { executionId: request.executionId } : {}
  try {
    const { execution } = await deps.executions.snapshot(request.executionId, [])
    const workflow = workflows.get(execution.workflowDigest)
    if (!workflow) throw new AgenticError('ERR_WORKFLOW_UNKNOWN', 'the workflow of this run is not loaded')
    const minted = await issueToken(request, workflow, deps)
    await journal.record({
      type: 'token.issued',
      ...place,
      ...entry,
      subjects: { jti: minted.jti, ...(minted.approvalId && { approval_id: minted.approvalId }) },
      data: { ...asked, hops: minted.hops, use: minted.issued.use ?? 'reusable' },
    })
    return minted.issued
  } catch (error) {
    await journal.record({
      type: 'token.refused',
      ...place,
      ...entry,
      data: { ...asked, code: codeOf(error) ?? 'server_error' },
    })
    throw error
  }
}

/** What was asked for, as far as it has the form of what it is called: what was refused may be any text. */
function wordsOf(request: TokenRequest, deps: AuthorityDeps): JsonObject {
  const { workflowStep, audience, scope, tool } = request
  return {
    ...(isToolName(workflowStep) && { step: workflowStep }),
    ...(deps.audiences().includes(audience) && { audience }),
    ...(scope.every(isScopeToken) && { scope: scope.join(' ') }),
    ...(isToolName(tool) && { tool }),
  }
}
