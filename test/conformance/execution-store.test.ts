import { describe, expect, it } from 'vitest'
import type { ExecutionChange } from '../../runtime/execution/store.js'
import { activationRow, approvalRow, executionRow, receiptRow, tokenRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { adapters, temporaryStore } from '../support/stores.js'

describe.each(adapters)('ExecutionStore on $name', ({ url }) => {
  async function started() {
    const { executions } = await temporaryStore(url())
    await executions.create(executionRow())
    const write = (...changes: ExecutionChange[]) =>
      executions.decide('execution-1', [], () => ({ changes, result: undefined }))
    return { executions, write }
  }

  it('gives back what was created', async () => {
    const { executions } = await started()
    const snapshot = await executions.snapshot('execution-1')
    expect(snapshot).toEqual({ execution: executionRow(), activations: [], receipts: [], approvals: [] })
  })

  it('refuses a second execution of the same id, and keeps the first', async () => {
    const { executions } = await started()
    await expectCode(executions.create(executionRow({ status: 'failed' })), 'ERR_STORE_CONFLICT')
    await executions.create(executionRow({ executionId: 'execution-2' }))
    expect((await executions.snapshot('execution-1')).execution.status).toBe('running')
  })

  it('does not know an execution that was not created', async () => {
    const { executions } = await started()
    const nothing = () => ({ changes: [], result: 'decided' })
    await expectCode(executions.snapshot('execution-2'), 'ERR_EXECUTION_UNKNOWN')
    await expectCode(executions.decide('execution-2', [], nothing), 'ERR_EXECUTION_UNKNOWN')
    expect(await executions.decide('execution-1', [], nothing)).toBe('decided')
  })

  it('writes every kind of row, and replaces a row by its identifier', async () => {
    const { executions, write } = await started()
    await write(
      { kind: 'activation', row: activationRow() },
      { kind: 'receipt', row: receiptRow() },
      { kind: 'approval', row: approvalRow() },
      { kind: 'token', row: tokenRow() },
    )
    const ended = executionRow({ status: 'completed', endedAt: 2, result: ['done'], epoch: 4 })
    await write(
      { kind: 'execution', row: ended },
      { kind: 'activation', row: activationRow({ state: 'completed', endedAt: 3 }) },
      { kind: 'receipt', row: receiptRow({ at: 4 }) },
      { kind: 'approval', row: approvalRow({ state: 'approved' }) },
      { kind: 'token', row: tokenRow({ exp: 5 }) },
    )
    expect(await executions.snapshot('execution-1')).toEqual({
      execution: ended,
      activations: [activationRow({ state: 'completed', endedAt: 3 })],
      receipts: [receiptRow({ at: 4 })],
      approvals: [approvalRow({ state: 'approved' })],
    })
    expect(await executions.tokens('execution-1')).toEqual([tokenRow({ exp: 5 })])
  })

  it('shows a decision the steps it asked for, and a gate under both of its steps', async () => {
    const { executions, write } = await started()
    await write(
      { kind: 'activation', row: activationRow() },
      { kind: 'activation', row: activationRow({ activationId: 'activation-2', step: 'review' }) },
      { kind: 'receipt', row: receiptRow() },
      { kind: 'approval', row: approvalRow() },
    )
    const look = (steps: readonly string[]) =>
      executions.decide('execution-1', steps, (snapshot) => ({
        changes: [],
        result: {
          activations: snapshot.activations.map((row) => row.activationId),
          receipts: snapshot.receipts.length,
          approvals: snapshot.approvals.length,
        },
      }))
    expect(await look([])).toEqual({ activations: [], receipts: 0, approvals: 0 })
    expect(await look(['scan'])).toEqual({ activations: ['activation-1'], receipts: 1, approvals: 0 })
    expect(await look(['review'])).toEqual({ activations: ['activation-2'], receipts: 0, approvals: 1 })
    expect(await look(['patch'])).toEqual({ activations: [], receipts: 0, approvals: 1 })
    expect(await look(['scan', 'review', 'patch'])).toMatchObject({ receipts: 1, approvals: 1 })
    expect((await executions.snapshot('execution-1')).activations).toHaveLength(2)
  })

  it('keeps the order in which rows were first written', async () => {
    const { executions, write } = await started()
    for (const activationId of ['c', 'a', 'b']) {
      await write({ kind: 'activation', row: activationRow({ activationId }) })
    }
    await write({ kind: 'activation', row: activationRow({ activationId: 'a', state: 'completed' }) })
    const { activations } = await executions.snapshot('execution-1', ['scan'])
    expect(activations.map((row) => row.activationId)).toEqual(['c', 'a', 'b'])
  })

  it('writes nothing when a decision throws, and throws the same error', async () => {
    const { executions, write } = await started()
    const refusal = new Error('refused')
    const decide = executions.decide('execution-1', ['scan'], () => {
      throw refusal
    })
    await expect(decide).rejects.toBe(refusal)
    const half = write(
      { kind: 'activation', row: activationRow() },
      {
        kind: 'activation',
        row: activationRow({ activationId: 'activation-2', executionId: 'execution-2' }),
      },
    )
    await expect(half).rejects.toThrow(TypeError)
    expect((await executions.snapshot('execution-1')).activations).toEqual([])
  })

  it('refuses to write rows of another execution', async () => {
    const { executions, write } = await started()
    await executions.create(executionRow({ executionId: 'execution-2' }))
    const foreign = activationRow({ executionId: 'execution-2' })
    await expect(write({ kind: 'activation', row: foreign })).rejects.toThrow(TypeError)
    await write({ kind: 'activation', row: activationRow() })
    await executions.decide('execution-2', [], () => ({
      changes: [{ kind: 'activation', row: foreign }],
      result: undefined,
    }))
    // The same identifier in two executions is two rows.
    expect((await executions.snapshot('execution-1')).activations).toEqual([activationRow()])
    expect((await executions.snapshot('execution-2')).activations).toEqual([foreign])
  })

  it('refuses a row that has no exact JSON form', async () => {
    const { executions, write } = await started()
    await expectCode(
      write({ kind: 'execution', row: executionRow({ result: 2 ** 53 }) }),
      'ERR_JSON_NOT_CANONICAL',
    )
    await write({ kind: 'execution', row: executionRow({ result: 2 ** 53 - 1 }) })
    expect((await executions.snapshot('execution-1')).execution.result).toBe(2 ** 53 - 1)
  })

  it('gives out copies of its own', async () => {
    const { executions } = await started()
    const first = await executions.snapshot('execution-1')
    Object.assign(first.execution.input, { repo: 'changed by a caller' })
    expect((await executions.snapshot('execution-1')).execution.input).toEqual({ repo: 'shop' })
  })

  it('lets no two decisions see the same state', async () => {
    const { executions } = await started()
    const raise = () =>
      executions.decide('execution-1', [], ({ execution }) => ({
        changes: [{ kind: 'execution', row: { ...execution, epoch: execution.epoch + 1 } }],
        result: execution.epoch + 1,
      }))
    const epochs = await Promise.all(Array.from({ length: 20 }, raise))
    expect(epochs).toEqual(Array.from({ length: 20 }, (_, index) => index + 2))
  })

  it('lists the newest first, as many as asked for', async () => {
    const { executions } = await started()
    await executions.create(executionRow({ executionId: 'older', startedAt: 1 }))
    await executions.create(executionRow({ executionId: 'newer', startedAt: 2_000_000_000_000 }))
    const ids = async (limit?: number) => (await executions.list(limit)).map((row) => row.executionId)
    expect(await ids()).toEqual(['newer', 'execution-1', 'older'])
    expect(await ids(2)).toEqual(['newer', 'execution-1'])
  })
})
