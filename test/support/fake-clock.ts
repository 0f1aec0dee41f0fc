import type { Clock } from '../../runtime/clock.js'

export interface FakeClock extends Clock {
  advanceSeconds(seconds: number): void
}

/** A clock that stands still until it is moved; starts at 2026-01-01T00:00:00Z. */
export function fakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let now = startMs
  return {
    nowMs: () => now,
    advanceSeconds: (seconds) => {
      now += seconds * 1000
    },
  }
}
