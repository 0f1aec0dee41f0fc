/** Times of a token (PROTOCOL 1): no leeway at the end, a little at the beginning. */
import { AgenticError } from '../errors.js'

/** How far in the future `iat` may lie, in seconds. */
export const maxFutureSkewSeconds = 30

/** Every comparison with a time that is not known is false, which would make each token fresh for ever.
 * @throws TypeError */
export function requireNow(now: number): void {
  if (!Number.isFinite(now)) throw new TypeError('now: expected NumericDate seconds')
}

/**
 * @param times NumericDate seconds, as read from the claims
 * @param now NumericDate seconds
 * @throws AgenticError ERR_TOKEN_FROM_FUTURE, ERR_TOKEN_EXPIRED, ERR_TOKEN_LIFETIME
 */
export function checkTimes(
  times: { readonly iat: number; readonly exp: number },
  now: number,
  maxLifetimeSeconds: number,
): void {
  requireNow(now)
  if (times.iat > now + maxFutureSkewSeconds) {
    throw new AgenticError('ERR_TOKEN_FROM_FUTURE', '"iat" lies in the future')
  }
  if (times.exp <= now) throw new AgenticError('ERR_TOKEN_EXPIRED', '"exp" has passed')
  if (times.exp <= times.iat) throw new AgenticError('ERR_TOKEN_LIFETIME', '"exp" must be later than "iat"')
  if (times.exp - times.iat > maxLifetimeSeconds) {
    throw new AgenticError('ERR_TOKEN_LIFETIME', `lifetime must be at most ${maxLifetimeSeconds} seconds`)
  }
}
