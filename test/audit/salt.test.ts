import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSaltedDigests } from '../../runtime/audit/salt.js'
import { expectCode } from '../support/expect-code.js'

const digests = createSaltedDigests()
const salt = new Uint8Array(32).fill(1)

describe('a payload digest', () => {
  it('is the HMAC of the canonical JSON under the salt', () => {
    const expected = createHmac('sha256', salt).update('{"a":1,"b":[2]}').digest('hex')
    expect(digests.payloadDigest(salt, { b: [2], a: 1 })).toBe(`hmac-sha256:${expected}`)
  })

  it('differs with the salt, so that equal payloads of two executions do not show', () => {
    const other = digests.newSalt()
    expect(digests.payloadDigest(other, 'yes')).not.toBe(digests.payloadDigest(salt, 'yes'))
    expect(digests.payloadDigest(other, 'yes')).toBe(digests.payloadDigest(other, 'yes'))
  })

  it('needs a salt of 16 bytes', () => {
    expect(() => digests.payloadDigest(new Uint8Array(15), 'yes')).toThrow(TypeError)
    expect(digests.payloadDigest(new Uint8Array(16), 'yes')).toMatch(/^hmac-sha256:[0-9a-f]{64}$/)
  })

  it('is refused for a payload without canonical form', async () => {
    await expectCode(() => digests.payloadDigest(salt, Number.NaN), 'ERR_JSON_NOT_CANONICAL')
  })

  it('takes its salts from the random source it was given', () => {
    const fixed = createSaltedDigests({ random: (bytes) => new Uint8Array(bytes).fill(9) })
    expect(fixed.newSalt()).toEqual(new Uint8Array(32).fill(9))
    expect(digests.newSalt()).not.toEqual(digests.newSalt())
  })
})
