import { describe, expect, it } from 'vitest'
import { adapters, temporaryStore } from '../support/stores.js'

describe.each(adapters)('SaltStore on $name', ({ url }) => {
  it('gives an execution one salt of 32 bytes, also to callers at once', async () => {
    const { salts } = await temporaryStore(url())
    const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => salts.getOrCreate('one')))
    expect(first).toHaveLength(32)
    for (const other of others) expect(other).toEqual(first)
  })

  it('gives two executions different salts', async () => {
    const { salts } = await temporaryStore(url())
    expect(await salts.getOrCreate('one')).not.toEqual(await salts.getOrCreate('two'))
  })
})
