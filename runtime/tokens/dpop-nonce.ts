/**
 * Nonces that a server asks to see in DPoP proofs (RFC 9449 §8, §9): a proof made in advance, to be used
 * when its maker is gone, then lacks a value that nobody could know before.
 */
import { createHmac } from 'node:crypto'
import { type Clock, nowSeconds, systemClock } from '../clock.js'
import { equalConstantTime } from '../encoding/digest.js'

export interface DpopNonces {
  /** The nonce of this moment; the same for everybody who asks within a window. */
  issue(): string
  /** True for the nonces of the current and of the previous window. */
  accepts(nonce: string): boolean
}

const mac = createHmac

/** Keeps no state: servers that share the secret accept each other's nonces, also after a restart.
 * @param options.secret 32 bytes, copied; for this alone
 * @param options.clock default the system's
 * @param options.windowSeconds after one to two of these a nonce is refused; default 120
 * @throws TypeError for another secret, or a window that is no positive integer */
export function createDpopNonces(options: {
  readonly secret: Uint8Array
  readonly clock?: Clock
  readonly windowSeconds?: number
}): DpopNonces {
  // Without a prototype: a polluted `Object.prototype` must not stretch the window.
  const own: typeof options = Object.assign(Object.create(null), options)
  const { clock = systemClock, windowSeconds = 120 } = own
  // Of an array, Buffer would make 32 zeros.
  if (!(own.secret instanceof Uint8Array) || own.secret.length !== 32)
    throw new TypeError('secret: expected 32 bytes')
  if (!Number.isSafeInteger(windowSeconds) || windowSeconds < 1)
    throw new TypeError('windowSeconds: expected a positive integer')
  const secret = Buffer.alloc(32, own.secret)
  const nonceOf = (window: number) =>
    mac('sha256', secret).update(`dpop nonce v1 ${windowSeconds} ${window}`).digest('base64url')
  const now = () => Math.floor(nowSeconds(clock) / windowSeconds)
  return Object.freeze<DpopNonces>({
    issue: () => nonceOf(now()),
    accepts(nonce) {
      const window = now()
      // Both are always compared: the time does not tell which of them it was.
      const [current, previous] = [window, window - 1].map((one) => equalConstantTime(nonce, nonceOf(one)))
      return current === true || previous === true
    },
  })
}
