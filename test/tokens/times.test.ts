import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../runtime/errors.js'
import { checkTimes } from '../../runtime/tokens/times.js'
import { expectCode } from '../support/expect-code.js'

const now = 1_000_000

describe('the times of a token', () => {
  const accepted: [what: string, iat: number, exp: number][] = [
    ['the last second of its life', now - 599, now + 1],
    ['a clock 30 seconds ahead', now + 30, now + 31],
    ['the longest life', now, now + 600],
  ]
  it.each(accepted)('accept %s', (_what, iat, exp) => checkTimes({ iat, exp }, now, 600))

  const refused: [what: string, iat: number, exp: number, code: ErrorCode][] = [
    ['the second of `exp`', now - 10, now, 'ERR_TOKEN_EXPIRED'],
    ['a clock 31 seconds ahead', now + 31, now + 40, 'ERR_TOKEN_FROM_FUTURE'],
    ['a life one second too long', now, now + 601, 'ERR_TOKEN_LIFETIME'],
    ['an end that is the beginning', now + 5, now + 5, 'ERR_TOKEN_LIFETIME'],
    ['an end before the beginning', now + 6, now + 5, 'ERR_TOKEN_LIFETIME'],
  ]
  it.each(refused)('refuse %s', async (_what, iat, exp, code) => {
    await expectCode(() => checkTimes({ iat, exp }, now, 600), code)
  })
  it('mean nothing to a verifier that does not know the time', () => {
    for (const unknown of [undefined, null, Number.NaN, Number.POSITIVE_INFINITY, String(now)]) {
      const verify = () => checkTimes({ iat: now, exp: now + 1 }, unknown as number, 600)
      expect(verify).toThrow(TypeError)
    }
  })
})
