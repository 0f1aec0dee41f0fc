import type { Timers } from '../../runtime/engine/model-call.js'

export interface FakeTimers extends Timers {
  /** What was asked to be waited for, in ms. */
  readonly waits: number[]
}

/**
 * Timers whose time passes at once for those up to `passesUpToMs`, and never for longer ones.
 */
export function fakeTimers(passesUpToMs: number): FakeTimers {
  const waits: number[] = []
  const cleared = new Set<unknown>()
  return {
    waits,
    setTimeout(run, ms) {
      const timer = { ms }
      waits.push(ms)
      if (ms <= passesUpToMs) {
        setImmediate(() => {
          if (!cleared.has(timer)) run()
        })
      }
      return timer
    },
    clearTimeout: (timer) => {
      cleared.add(timer)
    },
  }
}
