import { describe, expect, it } from 'vitest'
import { newUuid } from '../../runtime/encoding/uuid.js'
import { fakeClock } from '../support/fake-clock.js'

describe('UUIDv7 (RFC 9562 §5.7)', () => {
  it('has the layout of the example in appendix A.6', () => {
    const clock = fakeClock(0x017f22e279b0)
    expect(newUuid(clock, () => '00000000-0000-4cc3-98c4-dc0c0c07398f')).toBe(
      '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
    )
  })

  it('carries version 7, the variant and the clock’s time', () => {
    const clock = fakeClock()
    const id = newUuid(clock)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(clock.nowMs())
  })

  it('sorts by time and does not repeat within a millisecond', () => {
    const clock = fakeClock()
    const ids = new Set(Array.from({ length: 1000 }, () => newUuid(clock)))
    expect(ids.size).toBe(1000)
    clock.advanceSeconds(0.001)
    const later = newUuid(clock)
    for (const id of ids) expect(id < later).toBe(true)
  })
})
