/** SingleUse in memory (the port: tokens/single-use.ts), for guards that are all in one process: a restart forgets. */
import { type Clock, nowSeconds, systemClock } from '../clock.js'
import { AgenticError } from '../errors.js'
import type { SingleUse } from '../tokens/single-use.js'

const maxKeyLength = 512
/** More than this many a Map does not hold. */
const mostClaims = 2 ** 24

/** A claim ends by the clock given here, which must be the one that proofs are verified by (`now`), and must not be set
 * back: what had ended is forgotten.
 * @param options.maxClaims claims held at once; beyond this many that have not ended it refuses, default 100,000
 * @throws TypeError when `maxClaims` is no integer from 1 to 2^24 */
export function createMemorySingleUse(
  options: { readonly clock?: Clock; readonly maxClaims?: number } = {},
): SingleUse {
  // Without a prototype: the options are the caller's own.
  const { clock = systemClock, maxClaims = 100_000 } = Object.assign(
    Object.create(null),
    options,
  ) as typeof options
  if (!Number.isSafeInteger(maxClaims) || maxClaims < 1 || maxClaims > mostClaims)
    throw new TypeError(`maxClaims: expected an integer from 1 to ${mostClaims}`)
  const claims = new Map<string, number>()
  return {
    async claim(key, expiresAt) {
      if (typeof key !== 'string' || key === '' || key.length > maxKeyLength)
        throw new TypeError(`a key to claim has 1 to ${maxKeyLength} characters`)
      if (!Number.isSafeInteger(expiresAt)) throw new TypeError('expiresAt is a NumericDate in whole seconds')
      const now = nowSeconds(clock)
      // Every comparison with a time that is not known is false: nothing would be held.
      if (!Number.isSafeInteger(now)) throw new TypeError('clock: expected milliseconds since the epoch')
      if (expiresAt < now)
        throw new AgenticError(
          'ERR_REPLAY_STORE',
          'cannot tell whether a proof was used before: it has ended',
        )
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
