/** SingleUse in memory (the port: tokens/single-use.ts), for guards that are all in one process: a restart forgets. */
import { type Clock, nowSeconds, systemClock } from '../clock.js'
import { AgenticError } from '../errors.js'
import type { SingleUse } from '../tokens/single-use.js'

const maxKeyLength = 512

/** @param options.maxClaims claims held at once; beyond this many that have not ended it refuses, default 100,000
 * @throws TypeError when `maxClaims` is no positive integer */
export function createMemorySingleUse(
  options: { readonly clock?: Clock; readonly maxClaims?: number } = {},
): SingleUse {
  const { clock = systemClock, maxClaims = 100_000 } = options
  if (!Number.isSafeInteger(maxClaims) || maxClaims < 1)
    throw new TypeError('maxClaims: expected a positive integer')
  const claims = new Map<string, number>()
  return {
    async claim(key, expiresAt) {
      if (typeof key !== 'string' || key === '' || key.length > maxKeyLength)
        throw new TypeError(`a key to claim has 1 to ${maxKeyLength} characters`)
      if (!Number.isSafeInteger(expiresAt)) throw new TypeError('expiresAt is a NumericDate in whole seconds')
      const now = nowSeconds(clock)
      const known = claims.get(key)
      if (known !== undefined && known >= now) return false
      if (claims.size >= maxClaims) dropEnded(claims, now)
      if (claims.size >= maxClaims)
        throw new AgenticError('ERR_REPLAY_STORE', 'cannot tell whether a proof was used before: full')
      claims.set(key, expiresAt)
      return true
    },
  }
}

function dropEnded(claims: Map<string, number>, now: number): void {
  for (const [key, expiresAt] of claims) if (expiresAt < now) claims.delete(key)
}
