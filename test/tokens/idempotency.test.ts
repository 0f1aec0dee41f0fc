import { describe, expect, it } from 'vitest'
import { idempotencyKey } from '../../runtime/tokens/idempotency.js'

const call = { activationId: 'activation-1', tool: 'repo/write', argsDigest: 'sha256:00', ordinal: 0 }

describe('the key of an effect', () => {
  it('is the same for the same call, and another for another', () => {
    expect(idempotencyKey({ ...call })).toBe(idempotencyKey(call))
    const others = [
      { ...call, activationId: 'activation-2' },
      { ...call, tool: 'repo/read' },
      { ...call, argsDigest: 'sha256:01' },
      { ...call, ordinal: 1 },
    ]
    expect(new Set([call, ...others].map(idempotencyKey)).size).toBe(5)
  })
})
