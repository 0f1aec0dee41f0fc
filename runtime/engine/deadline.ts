/** A signal that fires when the run is cancelled or a step's time is over, and a race against it. */
import { AgenticError } from '../errors.js'
import type { Timers } from './model-call.js'

export interface Deadline {
  readonly signal: AbortSignal
  /** Resolves with the work, or rejects when the signal fires first; the work is then left to itself. */
  race<T>(work: Promise<T>): Promise<T>
  /** @throws AgenticError ERR_CANCELLED, ERR_STEP_TIMEOUT */
  requireTime(): void
  clear(): void
}

export function createDeadline(
  step: string,
  timeoutMs: number | undefined,
  outer: AbortSignal | undefined,
  timers: Timers,
): Deadline {
  const controller = new AbortController()
  const cancel = () => controller.abort(new AgenticError('ERR_CANCELLED', `step "${step}" was cancelled`))
  const expire = () =>
    controller.abort(new AgenticError('ERR_STEP_TIMEOUT', `step "${step}" took longer than ${timeoutMs} ms`))
  const timer = timeoutMs === undefined ? undefined : timers.setTimeout(expire, timeoutMs)
  if (outer?.aborted) cancel()
  else outer?.addEventListener('abort', cancel, { once: true })
  const { signal } = controller

  return {
    signal,
    race<T>(work: Promise<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        const stop = () => reject(signal.reason)
        if (signal.aborted) stop()
        signal.addEventListener('abort', stop, { once: true })
        work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
      })
    },
    requireTime: () => signal.throwIfAborted(),
    clear() {
      if (timer !== undefined) timers.clearTimeout(timer)
      outer?.removeEventListener('abort', cancel)
    },
  }
}
