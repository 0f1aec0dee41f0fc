/** A run's events as they are written: what has happened is replayed, what happens is followed. */
import type { EventStore, RunEvent } from './events.js'

export interface EventFeed extends EventStore {
  /** Replays from the first event, then follows until `ended` settles and nothing more is stored. */
  follow(executionId: string, ended: Promise<unknown>): AsyncIterable<RunEvent>
}

export function createEventFeed(store: EventStore): EventFeed {
  const waiting = new Set<() => void>()
  const wake = () => {
    for (const resume of [...waiting]) resume()
  }
  return {
    async append(event) {
      const stored = await store.append(event)
      wake()
      return stored
    },
    events: (executionId, after) => store.events(executionId, after),
    async *follow(executionId, ended) {
      let isOver = false
      const over = () => {
        isOver = true
        wake()
      }
      ended.then(over, over)
      let last = 0
      for (;;) {
        // Asked before reading: what is stored until the end is read in this turn.
        const wasOver = isOver
        const next = wasOver ? undefined : nextWake(waiting)
        const events = await store.events(executionId, last)
        for (const event of events) {
          last = event.seq
          yield event
        }
        if (wasOver) return
        if (events.length === 0) await next?.woken
        next?.forget()
      }
    },
  }
}

/** Registered before the store is read, so that nothing written in between is slept through. */
function nextWake(waiting: Set<() => void>): { readonly woken: Promise<void>; forget(): void } {
  let resume: () => void = () => {}
  const woken = new Promise<void>((resolve) => {
    resume = resolve
  })
  waiting.add(resume)
  return { woken, forget: () => waiting.delete(resume) }
}
