import { describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import {
  type KeyProofRules,
  type KeyProofSubject,
  signKeyProof,
  verifyKeyProof,
} from '../../runtime/keys/key-proof.js'
import { createInvocationProof, verifyInvocationProof } from '../../runtime/tokens/invocation-proof.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { changed, claimsOf, forge } from '../support/forger.js'
import { rememberingSingleUse } from '../support/single-uses.js'

const clock = fakeClock()
const now = nowSeconds(clock)
const fresh = keyring.generate()
const old = fixedKey('scanner')
const subject: KeyProofSubject = {
  issuer: 'https://authority.example',
  agentId: 'scanner',
  agentChecksum: `sha256:${'0'.repeat(64)}`,
  epoch: 3,
  key: fresh.publicKey,
}
const good = signKeyProof(subject, fresh, { clock })

function verify(proof: string, changes: Partial<KeyProofRules> = {}) {
  return verifyKeyProof(proof, { ...subject, now, ...changes })
}

/** Signed by the new key's holder: only the named claims are wrong. */
function reproved(changes: Record<string, unknown>, header: Record<string, unknown> = { typ: 'pop+jwt' }) {
  return forge(header, changed(claimsOf(good), changes), fresh)
}

describe('a proof about a new key', () => {
  it('says for whom the key is, and nothing else', () => {
    expect(claimsOf(good)).toEqual({
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      iat: now,
      aud: subject.issuer,
      sub: 'scanner',
      agent_checksum: subject.agentChecksum,
      epoch: 3,
      cnf: { jkt: fresh.publicKey.thumbprint },
    })
  })

  it('verifies, and tells what is needed to spend it', () => {
    expect(verify(good)).toEqual({ jti: claimsOf(good)['jti'], expiresAt: now + 31 })
  })

  it('may be an old key’s word about the new one, where that is demanded', async () => {
    const endorsement = signKeyProof(subject, old, { clock })
    expect(verify(endorsement, { signer: old.publicKey }).expiresAt).toBe(now + 31)
    await expectCode(() => verify(endorsement), 'ERR_SIGNATURE_INVALID')
    await expectCode(() => verify(good, { signer: old.publicKey }), 'ERR_SIGNATURE_INVALID')
  })

  attack('T1', 'who does not hold the new key cannot have it registered', async () => {
    await expectCode(() => verify(signKeyProof(subject, old, { clock })), 'ERR_SIGNATURE_INVALID')
    expect(() => verify(signKeyProof(subject, fresh, { clock }))).not.toThrow()
  })

  attack('X17', 'a proof is good for one authority, agent, checksum, epoch and key alone', async () => {
    const other = keyring.generate()
    const rewritten = [
      ['ERR_KEY_PROOF_ISSUER', { aud: 'https://authority.example/' }],
      ['ERR_KEY_PROOF_AGENT', { sub: 'scanner2' }],
      ['ERR_KEY_PROOF_CHECKSUM', { agent_checksum: `sha256:${'0'.repeat(63)}1` }],
      ['ERR_KEY_PROOF_EPOCH', { epoch: 4 }],
      ['ERR_KEY_PROOF_KEY', { 'cnf.jkt': other.publicKey.thumbprint }],
    ] as const
    for (const [code, changes] of rewritten) await expectCode(() => verify(reproved(changes)), code)
    expect(() => verify(reproved({}))).not.toThrow()
    // The old key's word about another key than the one that is presented.
    const endorsement = signKeyProof({ ...subject, key: other.publicKey }, old, { clock })
    await expectCode(() => verify(endorsement, { signer: old.publicKey }), 'ERR_KEY_PROOF_KEY')
  })

  attack('T2', 'a proof is refused 31 seconds from its time, either way, and not at 30', async () => {
    for (const at of [now - 30, now + 30]) expect(() => verify(good, { now: at })).not.toThrow()
    for (const at of [now - 31, now + 31])
      await expectCode(() => verify(good, { now: at }), 'ERR_PROOF_STALE')
    for (const unknown of [undefined, Number.NaN])
      await expectCode(() => verify(good, { now: unknown as number }), 'ERR_PROOF_STALE')
  })

  attack('X8', 'an invocation proof is no key proof, and a key proof no invocation proof', async () => {
    const call = { leafId: 'leaf-1', tool: 'read', audience: subject.issuer, args: {}, accessToken: 'a.b.c' }
    const invocation = createInvocationProof(call, fresh, { clock })
    await expectCode(() => verify(invocation), 'ERR_CLAIM_INVALID')
    const rules = { ...call, key: fresh.publicKey, now, singleUse: rememberingSingleUse() }
    await expectCode(verifyInvocationProof(good, rules), 'ERR_CLAIM_INVALID')
    // Nor when one token carries the claims of both.
    const both = forge({ typ: 'pop+jwt' }, { ...claimsOf(invocation), ...claimsOf(good) }, fresh)
    await expectCode(() => verify(both), 'ERR_CLAIM_INVALID')
    await expectCode(() => verify(reproved({}, { typ: 'dpop+jwt' })), 'ERR_TYP_MISMATCH')
  })

  it.each([
    ['no jti', { jti: undefined }],
    ['a jti of 129 characters', { jti: 'j'.repeat(129) }],
    ['a jti with a line break', { jti: 'a\nb' }],
    ['several audiences', { aud: [subject.issuer] }],
    ['no sub', { sub: undefined }],
    ['no agent_checksum', { agent_checksum: undefined }],
    ['no iat', { iat: undefined }],
    ['a fractional iat', { iat: now + 0.5 }],
    ['iat as text', { iat: String(now) }],
    ['a negative epoch', { epoch: -1 }],
    ['no cnf', { cnf: undefined }],
    ['a cnf with a key in it', { cnf: { jkt: fresh.publicKey.thumbprint, jwk: fresh.publicKey.jwk } }],
    ['a jkt that is no text', { 'cnf.jkt': 1 }],
    ['another claim', { exp: now + 30 }],
  ])('%s is refused', async (_what, changes) => {
    await expectCode(() => verify(reproved(changes)), 'ERR_CLAIM_INVALID')
  })

  it('is not signed for a subject that is incomplete', () => {
    for (const wrong of [
      { issuer: '' },
      { agentId: '' },
      { agentChecksum: '' },
      { epoch: -1 },
      { epoch: 0.5 },
    ])
      expect(() => signKeyProof({ ...subject, ...wrong }, fresh, { clock })).toThrow(TypeError)
  })
})
