/** One question to a chat model: with a time limit, and with patience for a provider that is overloaded. */
import type { AIMessage, BaseMessage } from '@langchain/core/messages'
import { AgenticError, isAgenticError } from '../errors.js'
import { silentCallbacks } from './silence.js'

/** Time, so that a test owns it. */
export interface Timers {
  setTimeout(run: () => void, ms: number): unknown
  clearTimeout(timer: unknown): void
}

export const systemTimers: Timers = {
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
}

export interface CallLimits {
  readonly callTimeoutMs: number
  /** How often an overloaded provider is asked again. */
  readonly maxRetries: number
}

/** A chat model with its tools bound. */
export interface BoundModel {
  invoke(messages: BaseMessage[], options: { signal: AbortSignal; callbacks: unknown[] }): Promise<AIMessage>
}

const firstWaitMs = 1000
const longestWaitMs = 60_000

/**
 * @throws AgenticError ERR_MODEL_FAILED (the provider's own text only as `cause`), or the reason of `signal`
 */
export async function callModel(
  model: BoundModel,
  messages: readonly BaseMessage[],
  limits: CallLimits,
  signal: AbortSignal,
  timers: Timers,
): Promise<AIMessage> {
  for (let retry = 0; ; retry += 1) {
    try {
      return await askOnce(model, messages, limits.callTimeoutMs, signal, timers)
    } catch (error) {
      if (isAgenticError(error)) throw error
      const waitMs = waitBefore(error, retry)
      if (waitMs === undefined || retry >= limits.maxRetries) throw modelFailed(error)
      await within(signal, timers, waitMs, () => new Promise<never>(() => undefined))
    }
  }
}

async function askOnce(
  model: BoundModel,
  messages: readonly BaseMessage[],
  timeoutMs: number,
  signal: AbortSignal,
  timers: Timers,
): Promise<AIMessage> {
  const call = new AbortController()
  try {
    const answer = await within(signal, timers, timeoutMs, () =>
      model.invoke([...messages], { signal: call.signal, callbacks: silentCallbacks() }),
    )
    if (answer === undefined)
      throw new AgenticError('ERR_MODEL_FAILED', `the model did not answer within ${timeoutMs} ms`)
    return answer
  } finally {
    call.abort()
  }
}

/** Runs something until it ends, until the time is over (then undefined), or until the step is cancelled. */
function within<T>(
  signal: AbortSignal,
  timers: Timers,
  ms: number,
  run: () => Promise<T>,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = timers.setTimeout(() => settle(() => resolve(undefined)), ms)
    const cancel = () => settle(() => reject(cancelled(signal)))
    const settle = (end: () => void): void => {
      timers.clearTimeout(timer)
      signal.removeEventListener('abort', cancel)
      end()
    }
    if (signal.aborted) return cancel()
    signal.addEventListener('abort', cancel, { once: true })
    run().then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    )
  })
}

function cancelled(signal: AbortSignal): AgenticError {
  const reason: unknown = signal.reason
  return isAgenticError(reason) ? reason : new AgenticError('ERR_CANCELLED', 'the step was cancelled')
}

/** How long to wait before asking again, in ms; undefined when asking again would not help. */
function waitBefore(error: unknown, retry: number): number | undefined {
  const status = statusOf(error)
  if (status === undefined || (status !== 429 && status < 500) || isOutOfQuota(error)) return undefined
  const asked = retryAfterMs(error)
  if (asked !== undefined) return asked <= longestWaitMs ? asked : undefined
  return Math.min(firstWaitMs * 2 ** retry, longestWaitMs)
}

function modelFailed(cause: unknown): AgenticError {
  const status = statusOf(cause)
  const said = status === undefined ? 'the model could not be asked' : `the model provider answered ${status}`
  return new AgenticError('ERR_MODEL_FAILED', said, { cause })
}

function statusOf(error: unknown): number | undefined {
  const { status, response } = fields(error)
  const found = status ?? fields(response).status
  return typeof found === 'number' ? found : undefined
}

function isOutOfQuota(error: unknown): boolean {
  const { code, error: inner } = fields(error)
  return code === 'insufficient_quota' || fields(inner).code === 'insufficient_quota'
}

/** The header `Retry-After` in seconds (RFC 9110 §10.2.3); a date is taken as no answer. */
function retryAfterMs(error: unknown): number | undefined {
  const { headers, response } = fields(error)
  const source = headers ?? fields(response).headers
  const text = source instanceof Headers ? source.get('retry-after') : fields(source)['retry-after']
  const seconds = typeof text === 'string' && text !== '' ? Number(text) : Number.NaN
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
