import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import { digestOf } from '../../runtime/encoding/digest.js'
import {
  answerApproval,
  approvalSeconds,
  askApproval,
  consumeApproval,
} from '../../runtime/execution/approval.js'
import type { ApprovalRow } from '../../runtime/execution/records.js'
import { attack } from '../support/attack.js'
import { activationRow, approvalRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { changed, claimsOf, forge } from '../support/forger.js'
import { snapshotOf, written } from '../support/snapshots.js'

const authority = fixedKey('authority')
const gate = activationRow({ activationId: 'gate-1', step: 'approve', checkpoint: 'sha256:gate' })
const opened = activationRow({ activationId: 'opened-1', step: 'write', state: 'reserved' })
const args: JsonObject = { item: 'apples', count: 3 }
const question = { gate, opened, tool: 'stock/write', args, newId: 'approval-1', nowMs: 1_000 }
const asked = askApproval(snapshotOf(), question).result
const nowMs = 2_000_000
const answer = { approver: 'os:1000', auth: { method: 'terminal', time: 2_000 } }

function answered(decision: 'approved' | 'denied', row = asked): ApprovalRow {
  const request = {
    approvalId: row.approvalId,
    answer: { ...answer, decision },
    authorityKey: authority,
    nowMs,
  }
  return answerApproval(snapshotOf({ approvals: [row] }), request).result
}

function consume(approvals: readonly ApprovalRow[], at = nowMs, activation = opened) {
  const request = { activation, tool: 'stock/write', authorityKeys: [authority.publicKey], nowMs: at }
  return consumeApproval(snapshotOf({ approvals }), request)
}

describe('a question', () => {
  it('names the tool, its whole arguments, and the activation it opens', () => {
    expect(asked).toEqual(
      approvalRow({
        gate: 'approve',
        gateActivationId: 'gate-1',
        opens: 'write',
        activationId: 'opened-1',
        tool: 'stock/write',
        args,
        argsDigest: digestOf(args),
        checkpoint: 'sha256:gate',
        requestedAt: 1_000,
      }),
    )
  })

  attack('X3', 'is asked once, and anew for whatever differs', () => {
    const snapshot = snapshotOf({ approvals: [asked] })
    expect(askApproval(snapshot, { ...question, newId: 'x' })).toEqual({ changes: [], result: asked })
    const others = [
      { ...question, args: { item: 'apples', count: 4 } },
      { ...question, tool: 'stock/count' },
      { ...question, gate: { ...gate, activationId: 'gate-2' } },
      { ...question, opened: { ...opened, activationId: 'opened-2' } },
    ]
    for (const other of others) {
      expect(askApproval(snapshot, { ...other, newId: 'x' }).result).toMatchObject({
        approvalId: 'x',
        state: 'pending',
      })
    }
  })

  it('is asked by the writer of now, in a run that goes on', async () => {
    await expectCode(() => askApproval(snapshotOf({}, { epoch: 2 }), question), 'ERR_EPOCH_STALE')
    await expectCode(() => askApproval(snapshotOf({}, { status: 'failed' }), question), 'ERR_EXECUTION_ENDED')
  })
})

describe('an answer', () => {
  it('is signed over exactly the question', () => {
    const row = answered('approved')
    expect(row).toMatchObject({ ...asked, state: 'approved', decidedAt: nowMs })
    expect(claimsOf(row.jws ?? '')).toEqual({
      id: 'approval-1',
      execution_id: 'execution-1',
      activation_id: 'opened-1',
      tool: 'stock/write',
      args_digest: digestOf(args),
      checkpoint: 'sha256:gate',
      decision: 'approved',
      approver: 'os:1000',
      auth: { method: 'terminal', time: 2_000 },
      iat: 2_000,
      exp: 2_000 + approvalSeconds,
    })
  })

  it('may give a reason', () => {
    const withReason = { ...answer, decision: 'denied' as const, reason: 'not today' }
    const request = { approvalId: 'approval-1', answer: withReason, authorityKey: authority, nowMs }
    const { result } = answerApproval(snapshotOf({ approvals: [asked] }), request)
    expect(claimsOf(result.jws ?? '')).toMatchObject({ decision: 'denied', reason: 'not today' })
  })

  attack('X3', 'is given once', async () => {
    for (const decision of ['approved', 'denied'] as const) {
      await expectCode(() => answered('approved', answered(decision)), 'ERR_APPROVAL_USED')
    }
    const consumed = consume([answered('approved')]).result
    await expectCode(() => answered('approved', consumed), 'ERR_APPROVAL_USED')
  })

  it('is to a question of this run, and while it goes on', async () => {
    const request = {
      approvalId: 'x',
      answer: { ...answer, decision: 'approved' as const },
      authorityKey: authority,
      nowMs,
    }
    await expectCode(
      () => answerApproval(snapshotOf({ approvals: [asked] }), request),
      'ERR_APPROVAL_UNKNOWN',
    )
    const ended = snapshotOf({ approvals: [asked] }, { status: 'completed' })
    await expectCode(
      () => answerApproval(ended, { ...request, approvalId: 'approval-1' }),
      'ERR_EXECUTION_ENDED',
    )
  })
})

describe('an approval that is used', () => {
  it('opens the tool once, and is consumed', () => {
    const row = answered('approved')
    const decision = consume([row])
    expect(decision.result).toEqual({ ...row, state: 'consumed' })
    expect(written(decision, 'approval')).toEqual([decision.result])
  })

  attack('X3', 'opens nothing a second time, when it was denied, or before it is given', async () => {
    await expectCode(() => consume([consume([answered('approved')]).result]), 'ERR_APPROVAL_USED')
    await expectCode(() => consume([answered('denied')]), 'ERR_APPROVAL_DENIED')
    await expectCode(() => consume([asked]), 'ERR_APPROVAL_REQUIRED')
    await expectCode(() => consume([]), 'ERR_APPROVAL_REQUIRED')
  })

  attack('X3', 'opens no other activation, and no other tool', async () => {
    const row = answered('approved')
    const retry = { ...opened, activationId: 'opened-2' }
    await expectCode(() => consume([row], nowMs, retry), 'ERR_APPROVAL_REQUIRED')
    const otherTool = { activation: opened, tool: 'stock/count', authorityKeys: [authority.publicKey], nowMs }
    await expectCode(
      () => consumeApproval(snapshotOf({ approvals: [row] }), otherTool),
      'ERR_APPROVAL_REQUIRED',
    )
  })

  it('has ended in the very second of its `exp`', async () => {
    const row = answered('approved')
    consume([row], nowMs + approvalSeconds * 1000 - 1)
    await expectCode(() => consume([row], nowMs + approvalSeconds * 1000), 'ERR_APPROVAL_EXPIRED')
    const { jws = '' } = row
    for (const exp of [undefined, '9999999999']) {
      const endless = {
        ...row,
        jws: forge(
          { typ: 'approval+jwt', kid: authority.publicKey.thumbprint },
          changed(claimsOf(jws), { exp }),
          authority,
        ),
      }
      await expectCode(() => consume([endless]), 'ERR_APPROVAL_EXPIRED')
    }
  })
})

describe('an approval whose row was edited', () => {
  const row = answered('approved')
  const other = answered('approved', { ...asked, approvalId: 'approval-2' })
  const edits: [what: string, changes: Partial<ApprovalRow>][] = [
    ['the arguments', { args: { item: 'apples', count: 90 } }],
    ['the digest of the arguments', { argsDigest: digestOf({ item: 'apples', count: 90 }) }],
    ['both', { args: { item: 'apples', count: 90 }, argsDigest: digestOf({ item: 'apples', count: 90 }) }],
    ['the checkpoint', { checkpoint: 'sha256:other' }],
    ['the id', { approvalId: 'approval-2' }],
    ['the run', { executionId: 'execution-2' }],
    ['the decision of another question', { jws: other.jws ?? '' }],
    ['a denial turned round', { jws: answered('denied').jws ?? '' }],
    [
      'a decision that an agent signed',
      { jws: forge({ typ: 'approval+jwt' }, claimsOf(row.jws ?? ''), fixedKey('writer')) },
    ],
    [
      'a decision of another type',
      { jws: forge({ typ: 'receipt+jwt' }, claimsOf(row.jws ?? ''), authority) },
    ],
  ]
  for (const [what, changes] of edits) {
    attack(['X3', 'X6'], `opens nothing: ${what}`, async () => {
      await expectCode(() => consume([{ ...row, ...changes }]), 'ERR_APPROVAL_INVALID')
      consume([row])
    })
  }

  attack(['X3', 'X6'], 'opens nothing for an activation or a tool written into the row', async () => {
    const moved = { ...row, activationId: 'opened-2' }
    const retry = { ...opened, activationId: 'opened-2' }
    await expectCode(() => consume([moved], nowMs, retry), 'ERR_APPROVAL_INVALID')
    const renamed = { ...answered('approved', { ...asked, tool: 'stock/count' }), tool: 'stock/write' }
    await expectCode(() => consume([renamed]), 'ERR_APPROVAL_INVALID')
  })

  attack('X6', 'opens nothing without a decision at all', async () => {
    const { jws: _, ...unsigned } = row
    await expectCode(() => consume([unsigned]), 'ERR_APPROVAL_INVALID')
    await expectCode(() => consume([{ ...asked, state: 'approved' }]), 'ERR_APPROVAL_INVALID')
  })
})
