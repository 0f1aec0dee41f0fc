import { describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { createDpopNonces } from '../../runtime/tokens/dpop-nonce.js'
import { createDpopProof, verifyDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { withPolluted } from '../support/polluted.js'
import { rememberingSingleUse } from '../support/single-uses.js'

const key = fixedKey('scanner')
const url = 'https://repo.example/files'

function house(windowSeconds?: number, secret = Buffer.alloc(32, 7)) {
  const clock = fakeClock(1_800_000_000_000)
  const nonces = createDpopNonces({ secret, clock, ...(windowSeconds !== undefined && { windowSeconds }) })
  const singleUse = rememberingSingleUse()
  const proof = (nonce?: string) =>
    createDpopProof({ method: 'GET', url, ...(nonce !== undefined && { nonce }) }, key, { clock })
  const verify = (text: string) =>
    verifyDpopProof(text, { method: 'GET', url, nonces, now: nowSeconds(clock), keyring, singleUse })
  return { clock, nonces, proof, verify, singleUse }
}

describe('a server that asks for a nonce', () => {
  attack('T2', 'refuses proofs without it, with another one, and with another server’s', async () => {
    const { nonces, proof, verify, singleUse } = house()
    await expectCode(() => verify(proof()), 'ERR_PROOF_NONCE')
    await expectCode(() => verify(proof('made-up')), 'ERR_PROOF_NONCE')
    const other = house(undefined, Buffer.alloc(32, 8)).nonces.issue()
    await expectCode(() => verify(proof(other)), 'ERR_PROOF_NONCE')
    // What was only too early is not spent.
    expect(singleUse.claimed.size).toBe(0)
    await verify(proof(nonces.issue()))
  })

  attack('T2', 'refuses a proof made in advance, once its nonce is two windows old', async () => {
    const { clock, nonces, proof, verify } = house(120)
    // The clock starts on the edge of a window.
    const nonce = nonces.issue()
    clock.advanceSeconds(239)
    await verify(proof(nonce))
    clock.advanceSeconds(1)
    await expectCode(() => verify(proof(nonce)), 'ERR_PROOF_NONCE')
    await verify(proof(nonces.issue()))
  })

  it('gives one nonce per window, the same on every server with that secret', () => {
    const [one, two] = [house(), house()]
    expect(one.nonces.issue()).toBe(two.nonces.issue())
    one.clock.advanceSeconds(120)
    expect(one.nonces.issue()).not.toBe(two.nonces.issue())
    expect(one.nonces.issue()).toMatch(/^[\w-]{43}$/)
  })

  it('is not made with a short secret or a window that is none', () => {
    const clock = fakeClock()
    expect(() => createDpopNonces({ secret: Buffer.alloc(31), clock })).toThrow(TypeError)
    for (const windowSeconds of [0, -1, 1.5, Number.NaN])
      expect(() => createDpopNonces({ secret: Buffer.alloc(32), clock, windowSeconds })).toThrow(TypeError)
  })

  attack('T2', 'is made with a secret of bytes alone: of others Buffer makes zeros', () => {
    const clock = fakeClock()
    for (const secret of [Array(32).fill(9), 'x'.repeat(32), { length: 32 }, new Uint16Array(32), undefined])
      expect(() => createDpopNonces({ secret: secret as Uint8Array, clock })).toThrow(TypeError)
    const guessed = createDpopNonces({ secret: new Uint8Array(32), clock })
    expect(createDpopNonces({ secret: Buffer.alloc(32, 9), clock }).accepts(guessed.issue())).toBe(false)
  })

  it('goes by the system’s clock where none is given, and by a window that was', () => {
    const secret = Buffer.alloc(32, 9)
    const nonces = createDpopNonces({ secret })
    expect(nonces.accepts(nonces.issue())).toBe(true)
    const clock = fakeClock()
    const { issue } = createDpopNonces({ secret, clock })
    const inherited = withPolluted('windowSeconds', 1e9, () => createDpopNonces({ secret, clock }))
    expect(inherited.issue()).toBe(issue())
  })
})
