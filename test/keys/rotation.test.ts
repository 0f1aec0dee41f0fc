import { describe, expect, it } from 'vitest'
import { maxRootSeconds } from '../../runtime/delegation/assertion.js'
import { approvalSeconds } from '../../runtime/execution/approval.js'
import { createAuthorityKeys } from '../../runtime/keys/authority-keys.js'
import {
  checkSchedule,
  clockSkewSeconds,
  jwkSetMaxAgeSeconds,
  type KeyEpoch,
  type KeyUse,
  maxEpochs,
  overlapSeconds,
  publishedEpochs,
  signingEpoch,
  verifyingEpochs,
} from '../../runtime/keys/rotation.js'
import { maxIntentTokenSeconds } from '../../runtime/tokens/intent-token.js'
import { maxFutureSkewSeconds } from '../../runtime/tokens/times.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey } from '../support/fixed-keys.js'

const day = 86_400
/** When epoch 1 begins to sign. */
const turn = 100 * day
const schedule = checkSchedule([
  { epoch: 0, from: 0 },
  { epoch: 1, from: turn, algorithm: 'ES256' },
  { epoch: 4, from: turn + 30 * day },
])
const numbers = (epochs: readonly KeyEpoch[]) => epochs.map(({ epoch }) => epoch)
const verifying = (use: KeyUse, now: number) => numbers(verifyingEpochs(schedule, use, now))
const uses = ['token', 'approval', 'root'] as const

describe('a schedule of key epochs', () => {
  it('has one epoch sign at every second, changing in exactly the second of `from`', () => {
    const signing = (now: number) => signingEpoch(schedule, now).epoch
    expect([0, turn - 1, turn, turn + 30 * day - 1, turn + 30 * day, 10 ** 11].map(signing)).toEqual([
      0, 0, 1, 1, 4, 4,
    ])
    const late = checkSchedule([{ epoch: 0, from: 10 }])
    expect(() => signingEpoch(late, 9)).toThrow(TypeError)
    expect(signingEpoch(late, 10).epoch).toBe(0)
  })

  it('overlaps for the longest life of each kind of token, the cache of the JWK Set, and the skew', () => {
    expect(clockSkewSeconds).toBe(maxFutureSkewSeconds)
    expect(jwkSetMaxAgeSeconds).toBe(300)
    expect(overlapSeconds).toEqual({
      token: maxIntentTokenSeconds + 330,
      approval: approvalSeconds + 330,
      root: maxRootSeconds + 330,
    })
  })

  it.each(uses)('believes the predecessor’s %s through the overlap and not a second longer', (use) => {
    const end = turn + overlapSeconds[use]
    expect(verifying(use, turn)).toEqual([1, 0])
    expect(verifying(use, end - 1)).toEqual([1, 0])
    expect(verifying(use, end)).toEqual([1])
  })

  it.each(uses)('believes no successor’s %s before its time, save for the skew of a clock', (use) => {
    expect(verifying(use, turn - 31)).toEqual([0])
    expect(verifying(use, turn - 30)).toEqual([1, 0])
  })

  it('publishes the successor before it signs, the predecessor until the last root is over', () => {
    const published = (now: number) => numbers(publishedEpochs(schedule, now))
    expect(published(turn - 331)).toEqual([0])
    expect(published(turn - 330)).toEqual([1, 0])
    const end = turn + 7 * day + 330
    expect(published(end - 1)).toEqual([1, 0])
    expect(published(end)).toEqual([1])
    expect(published(turn + 30 * day)).toEqual([4, 1])
  })

  it('publishes everything that verifies, at every boundary', () => {
    for (const use of uses) {
      for (const from of [turn, turn + 30 * day]) {
        for (const offset of [
          -331,
          -330,
          -31,
          -30,
          -1,
          0,
          929,
          930,
          3929,
          3930,
          7 * day + 329,
          7 * day + 330,
        ]) {
          const published = numbers(publishedEpochs(schedule, from + offset))
          for (const epoch of verifying(use, from + offset)) expect(published).toContain(epoch)
          expect(verifying(use, from + offset)).toContain(signingEpoch(schedule, from + offset).epoch)
        }
      }
    }
  })

  it('ends a stolen key at once, in every use', () => {
    const stolen = checkSchedule([
      { epoch: 0, from: 0, until: turn + 60 },
      { epoch: 1, from: turn },
    ])
    for (const use of uses) {
      expect(numbers(verifyingEpochs(stolen, use, turn + 59))).toEqual([1, 0])
      expect(numbers(verifyingEpochs(stolen, use, turn + 60))).toEqual([1])
    }
    expect(numbers(publishedEpochs(stolen, turn + 59))).toEqual([1, 0])
    expect(numbers(publishedEpochs(stolen, turn + 60))).toEqual([1])
  })

  it.each<[string, readonly KeyEpoch[]]>([
    ['none', []],
    ['too many', Array.from({ length: maxEpochs + 1 }, (_, epoch) => ({ epoch, from: epoch * 1000 }))],
    ['a negative epoch', [{ epoch: -1, from: 0 }]],
    ['half an epoch', [{ epoch: 0.5, from: 0 }]],
    ['half a second', [{ epoch: 0, from: 0.5 }]],
    ['no time', [{ epoch: 0, from: Number.NaN }]],
    ['an unknown algorithm', [{ epoch: 0, from: 0, algorithm: 'ES384' as 'ES256' }]],
    [
      'one epoch twice',
      [
        { epoch: 0, from: 0 },
        { epoch: 0, from: 1000 },
      ],
    ],
    [
      'a lower epoch',
      [
        { epoch: 1, from: 0 },
        { epoch: 0, from: 1000 },
      ],
    ],
    [
      'an earlier time',
      [
        { epoch: 0, from: 1000 },
        { epoch: 1, from: 0 },
      ],
    ],
    [
      'a change before every cache has the key',
      [
        { epoch: 0, from: 0 },
        { epoch: 1, from: 329 },
      ],
    ],
    ['a last epoch that ends', [{ epoch: 0, from: 0, until: 5 }]],
    [
      'an end before the next begins',
      [
        { epoch: 0, from: 0, until: 999 },
        { epoch: 1, from: 1000 },
      ],
    ],
    [
      'an end that is no time',
      [
        { epoch: 0, from: 0, until: Number.NaN },
        { epoch: 1, from: 1000 },
      ],
    ],
  ])('with %s is refused', (_what, epochs) => {
    expect(() => checkSchedule(epochs)).toThrow(TypeError)
  })

  it('may be as long and as close as that allows, and is a copy', () => {
    const epochs = Array.from({ length: maxEpochs }, (_, epoch) => ({ epoch, from: epoch * 330 }))
    const checked = checkSchedule(epochs)
    epochs[1] = { epoch: 9, from: 5 }
    Object.assign(epochs[0] ?? {}, { from: 77 })
    expect(checked.slice(0, 2)).toEqual([
      { epoch: 0, from: 0 },
      { epoch: 1, from: 330 },
    ])
    expect(Object.isFrozen(checked) && checked.every(Object.isFrozen)).toBe(true)
  })
})

describe('the keys of an authority', () => {
  const start = fakeClock().nowMs() / 1000
  const epochs = [
    { epoch: 0, from: 0 },
    { epoch: 1, from: start + 1000 },
  ]
  const setting = () => {
    const clock = fakeClock()
    const made: number[] = []
    const keyAt = ({ epoch }: KeyEpoch) => {
      made.push(epoch)
      return fixedKey(`authority ${epoch}`)
    }
    return { clock, made, keys: createAuthorityKeys({ epochs, keyAt, clock }) }
  }
  const [first, second] = [0, 1].map((epoch) => fixedKey(`authority ${epoch}`).publicKey.thumbprint)

  it('follow the clock', () => {
    const { clock, keys } = setting()
    const seen = () => ({
      signs: keys.signingKey().publicKey.thumbprint,
      tokens: keys.trustedKeys('token').map((key) => key.thumbprint),
      roots: keys.trustedKeys('root').map((key) => key.thumbprint),
      published: keys.jwkSet().keys.map(({ kid }) => kid),
    })
    expect(seen()).toEqual({ signs: first, tokens: [first], roots: [first], published: [first] })
    clock.advanceSeconds(1000 - 330)
    expect(seen()).toEqual({ signs: first, tokens: [first], roots: [first], published: [second, first] })
    clock.advanceSeconds(330)
    const both = [second, first]
    expect(seen()).toEqual({ signs: second, tokens: both, roots: both, published: both })
    clock.advanceSeconds(930)
    expect(seen()).toEqual({ signs: second, tokens: [second], roots: both, published: both })
    clock.advanceSeconds(7 * day)
    expect(seen()).toEqual({ signs: second, tokens: [second], roots: [second], published: [second] })
  })

  it('are made once each, and only when they are needed', () => {
    const { clock, keys, made } = setting()
    expect(made).toEqual([])
    for (let times = 0; times < 3; times++) {
      keys.signingKey()
      keys.trustedKeys('root')
    }
    expect(made).toEqual([0])
    clock.advanceSeconds(1000)
    keys.jwkSet()
    expect(made).toEqual([0, 1])
  })

  it('do not begin without one that signs', () => {
    const late = [{ epoch: 0, from: start + 1 }]
    const options = { epochs: late, keyAt: () => fixedKey('authority') }
    const clock = fakeClock()
    expect(() => createAuthorityKeys({ ...options, clock })).toThrow(TypeError)
    clock.advanceSeconds(1)
    expect(() => createAuthorityKeys({ ...options, clock })).not.toThrow()
  })
})
