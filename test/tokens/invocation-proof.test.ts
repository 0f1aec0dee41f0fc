import { describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { sha256Base64url } from '../../runtime/encoding/digest.js'
import type { ErrorCode } from '../../runtime/errors.js'
import {
  createInvocationProof,
  type InvocationProofRules,
  verifyInvocationProof,
} from '../../runtime/tokens/invocation-proof.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey } from '../support/fixed-keys.js'
import { changed, claimsOf, forge } from '../support/forger.js'
import { failingSingleUse, rememberingSingleUse } from '../support/single-uses.js'

const clock = fakeClock()
const now = nowSeconds(clock)
const key = fixedKey('scanner')
const invocation = {
  leafId: 'leaf-1',
  tool: 'advisories/match',
  audience: 'urn:tools',
  args: { packages: ['left-pad'], limit: 3 },
  accessToken: 'header.claims.signature',
}

function verify(proof: string, changes: Partial<InvocationProofRules> = {}) {
  const singleUse = rememberingSingleUse()
  return verifyInvocationProof(proof, { ...invocation, key: key.publicKey, now, singleUse, ...changes })
}

const good = createInvocationProof({ ...invocation, ordinal: 2 }, key, { clock })

function reproved(changes: Record<string, unknown>): string {
  return forge({ typ: 'pop+jwt' }, changed(claimsOf(good), changes), key)
}

describe('an invocation proof', () => {
  it('says what PROTOCOL 8 names', () => {
    expect(claimsOf(good)).toEqual({
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      iat: now,
      aat_id: 'leaf-1',
      aat_tool: 'advisories/match',
      aat_aud: 'urn:tools',
      hta: { limit: 3, packages: ['left-pad'] },
      ath: sha256Base64url(invocation.accessToken),
      ajwt_ord: 2,
    })
  })

  it('verifies, and tells `jti` and ordinal', async () => {
    expect(await verify(good)).toEqual({ jti: claimsOf(good).jti, ordinal: 2 })
    expect((await verify(reproved({ ajwt_ord: undefined }))).ordinal).toBe(0)
    expect((await verify(createInvocationProof(invocation, key, { clock }))).ordinal).toBe(0)
  })

  attack('T1', 'a proof by another key than the token’s is refused', async () => {
    const other = fixedKey('other')
    await expectCode(verify(forge({ typ: 'pop+jwt' }, claimsOf(good), other)), 'ERR_SIGNATURE_INVALID')
    await verify(good)
  })

  const refusals: [what: string, claims: Record<string, unknown>, code: ErrorCode][] = [
    ['another leaf', { aat_id: 'leaf-2' }, 'ERR_PROOF_LEAF'],
    ['another tool', { aat_tool: 'advisories/delete' }, 'ERR_PROOF_TOOL'],
    ['another tool server', { aat_aud: 'urn:others' }, 'ERR_PROOF_AUDIENCE'],
    ['another token', { ath: sha256Base64url('other') }, 'ERR_PROOF_TOKEN'],
    ['no `ath`', { ath: undefined }, 'ERR_PROOF_TOKEN'],
    ['other arguments', { 'hta.limit': 4 }, 'ERR_PROOF_ARGUMENTS'],
    ['one argument more', { 'hta.force': true }, 'ERR_PROOF_ARGUMENTS'],
    ['one argument less', { 'hta.limit': undefined }, 'ERR_PROOF_ARGUMENTS'],
    ['an argument of another type', { 'hta.limit': '3' }, 'ERR_PROOF_ARGUMENTS'],
    ['no arguments', { hta: undefined }, 'ERR_CLAIM_INVALID'],
    ['a list of arguments', { hta: [3] }, 'ERR_CLAIM_INVALID'],
    ['no leaf', { aat_id: undefined }, 'ERR_CLAIM_INVALID'],
    ['no tool', { aat_tool: undefined }, 'ERR_CLAIM_INVALID'],
    ['no tool server', { aat_aud: undefined }, 'ERR_CLAIM_INVALID'],
    ['no `jti`', { jti: undefined }, 'ERR_CLAIM_INVALID'],
    ['no `iat`', { iat: undefined }, 'ERR_CLAIM_INVALID'],
    ['a negative ordinal', { ajwt_ord: -1 }, 'ERR_CLAIM_INVALID'],
  ]
  for (const [what, claims, code] of refusals) {
    attack('T2', `a proof with ${what} is refused`, async () => {
      await expectCode(verify(reproved(claims)), code)
      await verify(reproved({}))
    })
  }

  it('does not mind the order of arguments', async () => {
    await verify(reproved({ hta: { packages: ['left-pad'], limit: 3 } }))
    await verify(good, { args: { packages: ['left-pad'], limit: 3 } })
  })

  it('accepts an `iat` within 30 seconds, both ways', async () => {
    for (const iat of [now - 30, now + 30]) await verify(reproved({ iat }))
    for (const iat of [now - 31, now + 31]) await expectCode(verify(reproved({ iat })), 'ERR_PROOF_STALE')
  })

  attack('T2', 'a verifier that does not know the time accepts no proof', async () => {
    for (const unknown of [undefined, Number.NaN, String(now)]) {
      await expect(verify(good, { now: unknown as number })).rejects.toThrow(TypeError)
    }
  })
})

describe('single use of an invocation proof', () => {
  attack('T2', 'the same `jti` by the same key is refused the second time', async () => {
    const singleUse = rememberingSingleUse()
    await verify(good, { singleUse })
    await expectCode(verify(good, { singleUse }), 'ERR_PROOF_REPLAYED')
    await verify(reproved({ jti: 'another' }), { singleUse })
  })

  it('remembers a proof for as long as its `iat` could be accepted', async () => {
    const singleUse = rememberingSingleUse()
    await verify(reproved({ iat: now + 30 }), { singleUse })
    const forgottenAfter = [...singleUse.claimed.values()][0] ?? 0
    expect(forgottenAfter).toBe(now + 60)
    await verify(reproved({ iat: now + 30 }), { now: forgottenAfter })
    await expectCode(verify(reproved({ iat: now + 30 }), { now: forgottenAfter + 1 }), 'ERR_PROOF_STALE')
  })

  it('spends nothing for a proof that is refused', async () => {
    const singleUse = rememberingSingleUse()
    for (const [, claims] of [
      ['tool', { aat_tool: 'x' }],
      ['arguments', { hta: {} }],
      ['token', { ath: 'x' }],
    ] as const) {
      await verify(reproved(claims), { singleUse }).catch(() => undefined)
    }
    expect(singleUse.claimed.size).toBe(0)
  })

  attack('X14', 'a store that fails refuses the proof', async () => {
    await expectCode(verify(good, { singleUse: failingSingleUse }), 'ERR_REPLAY_STORE')
  })
})

describe('the size of an invocation proof', () => {
  it('leaves room for 2 MiB of arguments, and not for 4', async () => {
    const args = { text: 'x'.repeat(2 * 1024 * 1024 - 32) }
    await verify(createInvocationProof({ ...invocation, args }, key, { clock }), { args })
    const more = { text: 'x'.repeat(4 * 1024 * 1024) }
    const tooLong = createInvocationProof({ ...invocation, args: more }, key, { clock })
    await expectCode(verify(tooLong, { args: more }), 'ERR_TOKEN_TOO_LARGE')
  })
})
