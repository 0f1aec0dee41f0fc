import { describe, it } from 'vitest'
import { createAuthority } from '../../runtime/authority/authority.js'
import { issueToken } from '../../runtime/authority/issue.js'
import { answerApproval, askApproval } from '../../runtime/execution/approval.js'
import type { ActivationRow } from '../../runtime/execution/records.js'
import type { ExecutionChange } from '../../runtime/execution/store.js'
import { createDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { workflowFromSource } from '../../runtime/workflow/define.js'
import { attack } from '../support/attack.js'
import { type House, openHouse, registrationOf, startRun, tokenRequest } from '../support/authority-house.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { issuer } from '../support/intent-claims.js'
import { approvedArgs, shipping } from '../support/shipping.js'

function write(house: House, activation: ActivationRow, ...changes: ExecutionChange[]): Promise<void> {
  return house.store.executions.decide(activation.executionId, [], () => ({ changes, result: undefined }))
}

describe('a token request against an edited store', () => {
  attack('X6', 'is refused when the activation names another agent than its step', async () => {
    const house = await openHouse()
    const activation = await (await startRun(house)).reach('look')
    const request = tokenRequest(activation, 'stock/read')
    await write(house, activation, { kind: 'activation', row: { ...activation, agentId: 'planner' } })
    await expectCode(house.authority.issue(request), 'ERR_ACTIVATION_NOT_LIVE')
  })

  attack(
    ['T8', 'X6'],
    'is refused for a gated tool in another step, even with an approval signed for it',
    async () => {
      const house = await openHouse()
      const activation = await (await startRun(house)).reach('plan')
      const { execution } = await house.store.executions.snapshot(activation.executionId)
      const snapshot = { execution, activations: [], receipts: [], approvals: [] }
      const question = { gate: activation, opened: activation, tool: 'stock/write', args: approvedArgs }
      const asked = askApproval(snapshot, {
        ...question,
        newId: 'approval-1',
        nowMs: house.clock.nowMs(),
      }).result
      const answer = {
        decision: 'approved',
        approver: 'os:1000',
        auth: { method: 'terminal', time: 1 },
      } as const
      const given = {
        approvalId: 'approval-1',
        answer,
        authorityKey: fixedKey('authority'),
        nowMs: house.clock.nowMs(),
      }
      const approved = answerApproval({ ...snapshot, approvals: [asked] }, given).result
      await write(house, activation, { kind: 'approval', row: approved })
      await expectCode(
        house.authority.issue(tokenRequest(activation, 'stock/write')),
        'ERR_APPROVAL_REQUIRED',
      )
    },
  )
})

describe('a token request of an agent with two keys', () => {
  it('is bound to the key that proved itself: the leaf must be for that one', async () => {
    const house = await openHouse()
    const activation = await (await startRun(house)).reach('look')
    const { publicKey } = fixedKey('reader, rotated')
    const { keys } = registrationOf('reader')
    const rotated = { kid: publicKey.thumbprint, jwk: publicKey.jwk, epoch: 1, mode: 'derived' as const }
    const registrations = {
      ...house.store.registrations,
      byId: async (id: string) =>
        id === 'registration-reader'
          ? registrationOf('reader', { keys: [...keys, rotated] })
          : house.store.registrations.byId(id),
    }
    const deps = { ...house.deps, registrations }
    const proof = createDpopProof(
      { method: 'POST', url: `${issuer}/token` },
      fixedKey('reader, rotated'),
      house,
    )
    const request = tokenRequest(activation, 'stock/read')
    await expectCode(issueToken({ ...request, proof }, shipping, deps), 'ERR_CHAIN_AGENT')
    await issueToken(request, shipping, deps)
  })
})

describe('the workflow of a token request', () => {
  attack('T6', 'is the one that the run is pinned to', async () => {
    const house = await openHouse()
    const activation = await (await startRun(house)).reach('look')
    const other = workflowFromSource({ ...shipping.source, version: '2.0.0' })
    const request = tokenRequest(activation, 'stock/read')
    await expectCode(issueToken(request, other, house.deps), 'ERR_WORKFLOW_CHANGED')
    await issueToken(tokenRequest(activation, 'stock/read'), shipping, house.deps)
  })

  it('is known to the authority only once a run was started or taken over under it', async () => {
    const house = await openHouse()
    const activation = await (await startRun(house)).reach('look')
    const later = createAuthority(house.deps)
    await expectCode(later.issue(tokenRequest(activation, 'stock/read')), 'ERR_WORKFLOW_UNKNOWN')
  })
})
