import { describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { adapters, temporaryStore } from '../support/stores.js'

describe.each(adapters)('SingleUse on $name', ({ url }) => {
  it('gives a key once, and another key too', async () => {
    const clock = fakeClock()
    const { singleUse } = await temporaryStore(url(), clock)
    const soon = nowSeconds(clock) + 60
    expect(await singleUse.claim('jkt jti-1', soon)).toBe(true)
    expect(await singleUse.claim('jkt jti-1', soon)).toBe(false)
    expect(await singleUse.claim('jkt jti-1', soon + 600)).toBe(false)
    expect(await singleUse.claim('jkt jti-2', soon)).toBe(true)
  })

  it('holds a claim through its last second and not longer', async () => {
    const clock = fakeClock()
    const { singleUse } = await temporaryStore(url(), clock)
    await singleUse.claim('key', nowSeconds(clock) + 60)
    clock.advanceSeconds(60)
    expect(await singleUse.claim('key', nowSeconds(clock) + 60)).toBe(false)
    clock.advanceSeconds(1)
    expect(await singleUse.claim('key', nowSeconds(clock) + 60)).toBe(true)
    expect(await singleUse.claim('key', nowSeconds(clock) + 60)).toBe(false)
  })

  it('gives one of many callers at once the key', async () => {
    const clock = fakeClock()
    const { singleUse } = await temporaryStore(url(), clock)
    const claims = Array.from({ length: 25 }, () => singleUse.claim('key', nowSeconds(clock) + 60))
    expect((await Promise.all(claims)).filter((claimed) => claimed)).toHaveLength(1)
  })

  it('refuses to answer when it is closed', async () => {
    const store = await temporaryStore(url())
    expect(await store.singleUse.claim('key', 2_000_000_000)).toBe(true)
    await store.close()
    await expectCode(store.singleUse.claim('other', 2_000_000_000), 'ERR_REPLAY_STORE')
  })

  it('refuses keys and times that cannot be right', async () => {
    const { singleUse } = await temporaryStore(url())
    await expect(singleUse.claim('', 2_000_000_000)).rejects.toThrow(TypeError)
    await expect(singleUse.claim('k'.repeat(513), 2_000_000_000)).rejects.toThrow(TypeError)
    await expect(singleUse.claim('key', Number.NaN)).rejects.toThrow(TypeError)
    expect(await singleUse.claim('k'.repeat(512), 2_000_000_000)).toBe(true)
  })
})
