/** Where time comes from. Passed in everywhere, so that a test owns it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number
}

export const systemClock: Clock = { nowMs: () => Date.now() }

/** NumericDate (RFC 7519 §2): whole seconds since the epoch. */
export function nowSeconds(clock: Clock): number {
  return Math.floor(clock.nowMs() / 1000)
}
