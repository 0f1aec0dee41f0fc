/** The engine's pen for a run's events: in order, one after the other, also from code that cannot wait. */
import type { Clock } from '../clock.js'
import type { JsonObject } from '../encoding/canonical-json.js'
import type { EventStore, RunEventType } from '../execution/events.js'

export interface RunEvents {
  /** Queues an event behind those before it. A failure shows at the next `written`. */
  add(type: RunEventType, data?: JsonObject, step?: string): void
  /** Resolves when everything added so far is durable. @throws the first failure to write */
  written(): Promise<void>
}

export function createRunEvents(executionId: string, store: EventStore, clock: Clock): RunEvents {
  let last: Promise<unknown> = Promise.resolve()
  return {
    add(type, data = {}, step) {
      const event = { executionId, at: clock.nowMs(), type, ...(step !== undefined && { step }), data }
      last = last.then(() => store.append(event))
      last.catch(() => undefined)
    },
    async written() {
      await last
    },
  }
}
