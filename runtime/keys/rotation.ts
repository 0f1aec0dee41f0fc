/**
 * When each key of an authority signs, verifies and is published: a pure function of a written schedule and the
 * time. Nothing is stored and keys are derived, so a restart, or a second process, comes to the same keys.
 *
 *              published   signs          verifies on, per kind of token
 *   epoch n    ........... |--------------|~~~~~~~~~~~~~~~~~|
 *   epoch n+1              ...............|--------------…
 *                          `from` − 330 s  `from`            `from` of n+1 + overlap
 *
 * An overlap lasts as long as the longest token of its kind may, and 330 s more (`settlingSeconds`). Roots live for
 * seven days, and every chain under one is verified with its signature: so an old key goes on verifying *roots* for
 * a week, but *intent tokens* for a quarter of an hour. A planned change therefore interrupts no run. It is no
 * answer to a key that was stolen, whose thief may date what he signs back: for that an epoch has `until`.
 */
import type { KeyAlgorithm } from './public-jwk.js'

export interface KeyEpoch {
  /** From 0, growing; the key is derived from it, so a number never comes back. */
  readonly epoch: number
  /** NumericDate, seconds: signs from here until the next epoch does. The first begins at 0, or was in use before. */
  readonly from: number
  /** NumericDate, seconds: from here on nothing the key signed is believed, whatever the overlap. Default: never. */
  readonly until?: number
  /** Default Ed25519. A schedule may pass from one to the other. */
  readonly algorithm?: KeyAlgorithm
}

/** What a key signed: each kind has its own longest life (PROTOCOL 1, 11). */
export type KeyUse = 'token' | 'approval' | 'root'

/** `max-age` of the published JWK Set (PROTOCOL 3), and how far two clocks may be apart (PROTOCOL 1), in seconds. */
export const jwkSetMaxAgeSeconds = 300
export const clockSkewSeconds = 30
const settlingSeconds = jwkSetMaxAgeSeconds + clockSkewSeconds

/** How long a key verifies after its successor began to sign, in seconds. */
export const overlapSeconds: Readonly<Record<KeyUse, number>> = Object.freeze({
  token: 600 + settlingSeconds,
  approval: 3600 + settlingSeconds,
  root: 7 * 86_400 + settlingSeconds,
})

/** Most epochs in a schedule: those long past are taken out of it. */
export const maxEpochs = 32

export type KeySchedule = readonly KeyEpoch[]

/** Checks a schedule and copies it, so that nobody moves a time later.
 * @throws TypeError when it is empty or too long, out of order, leaves a second without a key that signs, or has a
 *   key sign before every cache of the JWK Set can have it */
export function checkSchedule(epochs: readonly KeyEpoch[]): KeySchedule {
  if (epochs.length < 1 || epochs.length > maxEpochs)
    throw new TypeError(`key epochs: expected 1 to ${maxEpochs}, found ${epochs.length}`)
  for (const [index, { epoch, from, until, algorithm = 'Ed25519' }] of epochs.entries()) {
    const [before, after] = [epochs[index - 1], epochs[index + 1]]
    if (!isCount(epoch) || !isCount(from)) throw new TypeError('key epochs: expected integers from 0')
    if (algorithm !== 'Ed25519' && algorithm !== 'ES256')
      throw new TypeError('key epochs: expected algorithm Ed25519 or ES256')
    if (before && (epoch <= before.epoch || from < before.from + settlingSeconds))
      throw new TypeError(
        `key epochs: expected each later and ${settlingSeconds} seconds after the one before it`,
      )
    if (until !== undefined && (!isCount(until) || !after || until < after.from))
      throw new TypeError('key epochs: expected "until" not to come before the next epoch signs')
  }
  return Object.freeze(epochs.map((epoch) => Object.freeze({ ...epoch })))
}

/** @param now NumericDate, seconds
 * @returns the epoch that signs
 * @throws TypeError before the first of the schedule */
export function signingEpoch(schedule: KeySchedule, now: number): KeyEpoch {
  const epoch = schedule.findLast(({ from }) => from <= now)
  if (!epoch) throw new TypeError('key epochs: none of them has begun')
  return epoch
}

/** Those whose signatures are believed, the newest first. A key that has not begun to sign is none of them: before
 * its time nothing honest is signed with it, save by a clock that runs ahead.
 * @param now NumericDate, seconds */
export function verifyingEpochs(schedule: KeySchedule, use: KeyUse, now: number): readonly KeyEpoch[] {
  return between(schedule, now, clockSkewSeconds, overlapSeconds[use])
}

/** Those in the JWK Set, the newest first: early enough to be in every cache when they sign, until the last root
 * they signed is over. Who only has the set cannot tell a root's key from a token's, nor one that waits from one
 * that signs.
 * @param now NumericDate, seconds */
export function publishedEpochs(schedule: KeySchedule, now: number): readonly KeyEpoch[] {
  return between(schedule, now, settlingSeconds, overlapSeconds.root)
}

function between(schedule: KeySchedule, now: number, ahead: number, overlap: number): readonly KeyEpoch[] {
  return schedule
    .filter(({ from, until = Number.POSITIVE_INFINITY }, index) => {
      const next = schedule[index + 1]
      return from - ahead <= now && now < until && (!next || now < next.from + overlap)
    })
    .reverse()
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
