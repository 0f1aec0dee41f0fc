import { describe, expect, it } from 'vitest'
import { sha256Base64url } from '../../runtime/encoding/digest.js'
import { signReceipt, verifyReceipt } from '../../runtime/execution/receipt.js'
import type { ReceiptRow } from '../../runtime/execution/records.js'
import { attack } from '../support/attack.js'
import { activationRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { claimsOf, forge } from '../support/forger.js'

const engine = fixedKey('engine')
const call = {
  tool: 'repo/read',
  argsDigest: 'sha256:a',
  resultDigest: 'sha256:r',
  idempotencyKey: 'sha256:k',
}
const facts = {
  activation: activationRow({ parents: ['receipt-0'] }),
  inputDigest: 'sha256:i',
  outputDigest: 'sha256:o',
  tokens: ['token-1'],
  calls: [call],
  checkpoint: 'sha256:c',
  skipped: false,
  endedAt: 1_767_225_609_500,
}
const receipt = signReceipt(facts, engine)

describe('a receipt', () => {
  it('says what PROTOCOL 6 names', () => {
    expect(claimsOf(receipt.jws)).toEqual({
      execution_id: 'execution-1',
      activation_id: 'activation-1',
      step: 'scan',
      iteration: 0,
      item: 0,
      attempt: 1,
      epoch: 1,
      registration_id: 'registration-1',
      agent_checksum: `sha256:${'1'.repeat(64)}`,
      input_digest: 'sha256:i',
      output_digest: 'sha256:o',
      tokens: ['token-1'],
      calls: [
        {
          tool: 'repo/read',
          args_digest: 'sha256:a',
          result_digest: 'sha256:r',
          idempotency_key: 'sha256:k',
        },
      ],
      checkpoint: 'sha256:c',
      parents: ['receipt-0'],
      started_at: 1_767_225_601,
      ended_at: 1_767_225_609,
    })
    expect(claimsOf(signReceipt({ ...facts, skipped: true }, engine).jws).skipped).toBe(true)
  })

  it('leaves out the agent where there is none, as at a gate', () => {
    const { registrationId: _r, agentChecksum: _c, ...gate } = facts.activation
    const claims = claimsOf(signReceipt({ ...facts, activation: gate }, engine).jws)
    expect(claims).not.toHaveProperty('registration_id')
    expect(claims).not.toHaveProperty('agent_checksum')
  })

  it('is believed under the engine’s key', () => {
    expect(verifyReceipt(receipt, engine.publicKey)).toMatchObject({ step: 'scan' })
    expect(receipt.receiptHash).toBe(sha256Base64url(receipt.jws))
  })

  attack('X5', 'is not believed under another key, nor as another kind of token', async () => {
    await expectCode(() => verifyReceipt(receipt, fixedKey('scanner').publicKey), 'ERR_RECEIPT_INVALID')
    const jws = forge({ typ: 'approval+jwt' }, claimsOf(receipt.jws), engine)
    const retyped = { ...receipt, jws, receiptHash: sha256Base64url(jws) }
    await expectCode(() => verifyReceipt(retyped, engine.publicKey), 'ERR_RECEIPT_INVALID')
    await expectCode(() => verifyReceipt({ ...receipt, jws: '' }, engine.publicKey), 'ERR_RECEIPT_INVALID')
  })

  const edits: Partial<ReceiptRow>[] = [
    { executionId: 'execution-2' },
    { activationId: 'activation-2' },
    { step: 'approve' },
    { iteration: 1 },
    { item: 1 },
    { checkpoint: 'sha256:d' },
    { receiptHash: 'receipt-2' },
  ]
  for (const edit of edits) {
    attack('X6', `whose row says another ${Object.keys(edit)[0]} is not believed`, async () => {
      await expectCode(() => verifyReceipt({ ...receipt, ...edit }, engine.publicKey), 'ERR_RECEIPT_INVALID')
    })
  }

  it('may be larger than a token, up to a mebibyte', async () => {
    const many = (count: number) => signReceipt({ ...facts, calls: Array(count).fill(call) }, engine)
    verifyReceipt(many(1_000), engine.publicKey)
    await expectCode(() => verifyReceipt(many(10_000), engine.publicKey), 'ERR_RECEIPT_INVALID')
  })
})
