/** Receipts on their way from the end of a step to the transaction that commits its writes. */
import type { PendingReceipt } from './authority-port.js'
import type { PendingReceipts } from './checkpoint-port.js'

export interface ReceiptDesk extends PendingReceipts {
  /** @throws TypeError when the task has one already */
  put(taskId: string, receipt: PendingReceipt): void
}

export function createReceiptDesk(): ReceiptDesk {
  const waiting = new Map<string, PendingReceipt>()
  return {
    put(taskId, receipt) {
      if (waiting.has(taskId)) throw new TypeError('a task has one receipt')
      waiting.set(taskId, receipt)
    },
    take(taskId) {
      const receipt = waiting.get(taskId)
      waiting.delete(taskId)
      return receipt
    },
  }
}
