/**
 * Verification reveals nothing about where a signature is wrong: whichever byte of the signature or of the
 * payload is changed, code and message are the same, and no claim has been looked at.
 */
import { describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import { encodeBase64url } from '../../runtime/encoding/base64url.js'
import { parseJsonObject } from '../../runtime/encoding/strict-json.js'
import { AgenticError, codeOf } from '../../runtime/errors.js'
import { createDpopProof, verifyDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { mintIntentToken, verifyIntentToken } from '../../runtime/tokens/intent-token.js'
import { createInvocationProof, verifyInvocationProof } from '../../runtime/tokens/invocation-proof.js'
import { chainOf } from '../support/chain-builder.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey } from '../support/fixed-keys.js'
import { audience, intentClaims, issuer } from '../support/intent-claims.js'
import { keyrings } from '../support/keyrings.js'
import { signatureOf, withSignature } from '../support/raw-jws.js'
import { rememberingSingleUse } from '../support/single-uses.js'

const clock = fakeClock()
const now = nowSeconds(clock)
const [authority, scanner] = [fixedKey('authority'), fixedKey('scanner')]
const accessToken = 'header.claims.signature'
const invocation = { leafId: 'leaf-1', tool: 'repo/read', audience, args: { path: '/src' }, accessToken }
const chain = chainOf(2)

/** The token with another bit in one byte of its signature, for each byte. */
function* wrongSignatures(token: string): Generator<string> {
  const good = signatureOf(token)
  for (let at = 0; at < good.length; at++) {
    yield withSignature(
      token,
      good.map((byte, index) => (index === at ? byte ^ (1 << (at % 8)) : byte)),
    )
  }
}

/** The token with one byte of its payload changed, for each byte where the payload remains strict JSON. */
function* wrongPayloads(token: string): Generator<string> {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const bytes = Buffer.from(payload, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const changed = Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ 1 : byte))
    try {
      parseJsonObject(changed)
    } catch {
      continue
    }
    yield `${header}.${encodeBase64url(changed)}.${signature}`
  }
}

describe.each(keyrings)('a wrong signature on $backend', (keyring) => {
  // Some twenty times slower, so that it looks at every eighth byte.
  const step = keyring.backend === 'noble' ? 8 : 1
  const trust = { issuer, trustedKeys: [keyring.publicKey(authority.publicKey.jwk)], now, keyring }
  const key = keyring.publicKey(scanner.publicKey.jwk)
  const kinds: [kind: string, token: string, verify: (token: string) => unknown][] = [
    [
      'at+jwt',
      mintIntentToken(intentClaims(), authority, { clock }).token,
      (token) => verifyIntentToken(token, { ...trust, audience }),
    ],
    ['delegation+jwt at the root', chain[0] ?? '', (token) => verifyChain([token], trust)],
    ['delegation+jwt below it', chain[1] ?? '', (token) => verifyChain([chain[0] ?? '', token], trust)],
    [
      'dpop+jwt',
      createDpopProof({ method: 'GET', url: audience, accessToken }, scanner, { clock }),
      (token) =>
        verifyDpopProof(token, {
          ...{ method: 'GET', url: audience, accessToken, key, now, keyring },
          singleUse: rememberingSingleUse(),
        }),
    ],
    [
      'pop+jwt',
      createInvocationProof(invocation, scanner, { clock }),
      (token) => verifyInvocationProof(token, { ...invocation, key, now, singleUse: rememberingSingleUse() }),
    ],
  ]

  it.each(kinds)('of a %s has one answer, wherever the fault is', async (_kind, token, verify) => {
    await verify(token)
    const answers = new Set<string>()
    let faults = 0
    for (const wrong of [...wrongSignatures(token), ...wrongPayloads(token)]) {
      if (faults++ % step !== 0) continue
      const error = await Promise.resolve(wrong)
        .then(verify)
        .catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(AgenticError)
      const { message, cause } = error as AgenticError
      answers.add(JSON.stringify([codeOf(error), message, cause ?? null]))
    }
    expect(faults).toBeGreaterThan(64 + 100)
    expect([...answers]).toEqual([expect.stringContaining('["ERR_SIGNATURE_INVALID"')])
  })
})
