import type { PendingReceipt } from '../../runtime/engine/authority-port.js'
import type { PendingReceipts } from '../../runtime/engine/checkpoint-port.js'
import { receiptRow } from './execution-rows.js'

/** What the engine does: a receipt is put here when a node has returned, and taken with its writes. */
export class Receipts extends Map<string, PendingReceipt> implements PendingReceipts {
  take(taskId: string): PendingReceipt | undefined {
    const found = this.get(taskId)
    this.delete(taskId)
    return found
  }
}

/** A receipt of a step that is committed, unless it is changed to be refused. */
export function receiptOf(step: string, changes: Partial<PendingReceipt> = {}): PendingReceipt {
  const row = receiptRow({ receiptHash: `receipt of ${step}`, step })
  return {
    steps: [step],
    decide: () => ({ changes: [{ kind: 'receipt', row }], result: undefined }),
    committed: async () => {},
    ...changes,
  }
}

/** One receipt for whatever task comes first. */
export function takes(receipt: PendingReceipt): PendingReceipts {
  let left: PendingReceipt | undefined = receipt
  return {
    take: () => {
      const taken = left
      left = undefined
      return taken
    },
  }
}
