import { describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { createMemorySingleUse } from '../../runtime/store/memory-single-use.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { type FakeClock, fakeClock } from '../support/fake-clock.js'
import { withPolluted } from '../support/polluted.js'
import { adapters, temporaryStore } from '../support/stores.js'

const stored = adapters.map(({ name, url }) => ({
  name,
  open: async (clock?: FakeClock) => (await temporaryStore(url(), clock)).singleUse,
}))
const alone = {
  name: 'nothing but memory',
  open: async (clock?: FakeClock) => createMemorySingleUse(clock && { clock }),
}

describe.each([...stored, alone])('SingleUse on $name', ({ open }) => {
  it('gives a key once, and another key too', async () => {
    const clock = fakeClock()
    const singleUse = await open(clock)
    const soon = nowSeconds(clock) + 60
    expect(await singleUse.claim('jkt jti-1', soon)).toBe(true)
    expect(await singleUse.claim('jkt jti-1', soon)).toBe(false)
    expect(await singleUse.claim('jkt jti-1', soon + 600)).toBe(false)
    expect(await singleUse.claim('jkt jti-2', soon)).toBe(true)
  })

  it('holds a claim through its last second and not longer', async () => {
    const clock = fakeClock()
    const singleUse = await open(clock)
    await singleUse.claim('key', nowSeconds(clock) + 60)
    clock.advanceSeconds(60)
    expect(await singleUse.claim('key', nowSeconds(clock) + 60)).toBe(false)
    clock.advanceSeconds(1)
    expect(await singleUse.claim('key', nowSeconds(clock) + 60)).toBe(true)
    expect(await singleUse.claim('key', nowSeconds(clock) + 60)).toBe(false)
  })

  it('gives one of many callers at once the key', async () => {
    const clock = fakeClock()
    const singleUse = await open(clock)
    const claims = Array.from({ length: 25 }, () => singleUse.claim('key', nowSeconds(clock) + 60))
    expect((await Promise.all(claims)).filter((claimed) => claimed)).toHaveLength(1)
  })

  attack('T2', 'refuses a claim that has ended by its own clock: it would be forgotten at once', async () => {
    const clock = fakeClock()
    const singleUse = await open(clock)
    const now = nowSeconds(clock)
    await expectCode(singleUse.claim('key', now - 1), 'ERR_REPLAY_STORE')
    expect(await singleUse.claim('key', now)).toBe(true)
    expect(await singleUse.claim('key', now)).toBe(false)
  })

  it('refuses keys and times that cannot be right', async () => {
    const singleUse = await open()
    await expect(singleUse.claim('', 2_000_000_000)).rejects.toThrow(TypeError)
    await expect(singleUse.claim('k'.repeat(513), 2_000_000_000)).rejects.toThrow(TypeError)
    await expect(singleUse.claim('key', Number.NaN)).rejects.toThrow(TypeError)
    expect(await singleUse.claim('k'.repeat(512), 2_000_000_000)).toBe(true)
  })
})

it.each(adapters)('SingleUse on $name refuses to answer when it is closed', async ({ url }) => {
  const store = await temporaryStore(url())
  expect(await store.singleUse.claim('key', 2_000_000_000)).toBe(true)
  await store.close()
  await expectCode(store.singleUse.claim('other', 2_000_000_000), 'ERR_REPLAY_STORE')
})

describe('SingleUse on nothing but memory', () => {
  attack('X14', 'refuses when it is full, and makes room of what has ended', async () => {
    const clock = fakeClock()
    const singleUse = createMemorySingleUse({ clock, maxClaims: 2 })
    const now = nowSeconds(clock)
    expect(await singleUse.claim('first', now + 5)).toBe(true)
    expect(await singleUse.claim('second', now + 60)).toBe(true)
    clock.advanceSeconds(5)
    await expectCode(singleUse.claim('third', now + 60), 'ERR_REPLAY_STORE')
    expect(await singleUse.claim('first', now + 60)).toBe(false)
    clock.advanceSeconds(1)
    expect(await singleUse.claim('third', now + 60)).toBe(true)
    expect(await singleUse.claim('second', now + 60)).toBe(false)
  })

  attack('T2', 'does not say yes while it does not know the time', async () => {
    let now: unknown = 1_700_000_000_000
    const singleUse = createMemorySingleUse({ clock: { nowMs: () => now as number } })
    expect(await singleUse.claim('key', 1_700_000_060)).toBe(true)
    for (now of [Number.NaN, undefined, 'now', Infinity])
      await expect(singleUse.claim('key', 1_700_000_060)).rejects.toThrow(TypeError)
    now = 1_700_000_000_000
    expect(await singleUse.claim('key', 1_700_000_060)).toBe(false)
  })

  attack('T2', 'holds nothing by the clock that every object inherits', async () => {
    const singleUse = await withPolluted('maxClaims', 1, async () => createMemorySingleUse())
    expect(await singleUse.claim('first', 2_000_000_000)).toBe(true)
    expect(await singleUse.claim('second', 2_000_000_000)).toBe(true)
  })

  it.each([0, -1, 1.5, Number.NaN, 2 ** 24 + 1])('holds no %d claims', (maxClaims) => {
    expect(() => createMemorySingleUse({ maxClaims })).toThrow(TypeError)
  })
})
