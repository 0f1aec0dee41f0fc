import { describe, expect } from 'vitest'
import { answerApproval, askApproval, consumeApproval } from '../../runtime/execution/approval.js'
import type { ApprovalRow } from '../../runtime/execution/records.js'
import { attack } from '../support/attack.js'
import { activationRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { snapshotOf } from '../support/snapshots.js'

const authority = fixedKey('authority')
const gate = activationRow({ activationId: 'gate-1', step: 'approve' })
const opened = activationRow({ activationId: 'opened-1', step: 'write', state: 'reserved' })
const answer = { approver: 'os:1000', auth: { method: 'terminal', time: 1 } }

function ask(newId: string, count: number): ApprovalRow {
  const question = { gate, opened, tool: 'stock/write', args: { count }, newId, nowMs: 1_000 }
  return askApproval(snapshotOf(), question).result
}

function answered(row: ApprovalRow, decision: 'approved' | 'denied'): ApprovalRow {
  const request = {
    approvalId: row.approvalId,
    answer: { ...answer, decision },
    authorityKey: authority,
    nowMs: 2_000,
  }
  return answerApproval(snapshotOf({ approvals: [row] }), request).result
}

function consume(...approvals: ApprovalRow[]) {
  const request = {
    activation: opened,
    tool: 'stock/write',
    authorityKeys: [authority.publicKey],
    nowMs: 3_000,
  }
  return consumeApproval(snapshotOf({ approvals }), request).result
}

describe('an approval after which the gate asked again', () => {
  const first = answered(ask('first', 3), 'approved')

  attack('X3', 'is void: the arguments have changed, whether or not they were approved', async () => {
    expect(consume(first).approvalId).toBe('first')
    await expectCode(() => consume(first, ask('second', 4)), 'ERR_APPROVAL_REQUIRED')
    await expectCode(() => consume(first, answered(ask('second', 4), 'denied')), 'ERR_APPROVAL_DENIED')
    expect(consume(first, answered(ask('second', 4), 'approved')).approvalId).toBe('second')
  })

  attack('X3', 'does not come back when the later one is used', async () => {
    const used = consume(first, answered(ask('second', 4), 'approved'))
    await expectCode(() => consume(first, used), 'ERR_APPROVAL_USED')
  })
})
