/**
 * X14, X16: whatever bytes arrive, every reader answers with a value or a coded error, and no error repeats
 * what it was given. The inputs are random, nearly right, and right ones with a few places changed.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseNote, signNote } from '../../runtime/audit/note.js'
import { nowSeconds } from '../../runtime/clock.js'
import { decodeAssertion } from '../../runtime/delegation/assertion.js'
import { parseConstraint } from '../../runtime/delegation/constraint.js'
import { parseToolGrants } from '../../runtime/delegation/tools.js'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import { decodeBase64url, encodeBase64url } from '../../runtime/encoding/base64url.js'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import { decodeJws } from '../../runtime/encoding/compact-jws.js'
import { parseJson, parseJsonObject } from '../../runtime/encoding/strict-json.js'
import { codeOf } from '../../runtime/errors.js'
import { parseScope } from '../../runtime/tokens/claims.js'
import { createDpopProof, verifyDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { mintIntentToken, verifyIntentToken } from '../../runtime/tokens/intent-token.js'
import { createInvocationProof, verifyInvocationProof } from '../../runtime/tokens/invocation-proof.js'
import { fromWire } from '../../runtime/tokens/wire.js'
import { chainOf, chainTools } from '../support/chain-builder.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { claimsOf, forge } from '../support/forger.js'
import { audience, intentClaims, issuer } from '../support/intent-claims.js'
import { rememberingSingleUse } from '../support/single-uses.js'

const clock = fakeClock()
const now = nowSeconds(clock)
const [authority, scanner] = [fixedKey('authority'), fixedKey('scanner')]
const trust = { issuer, trustedKeys: [authority.publicKey], now, keyring }
const accessToken = 'header.claims.signature'
const invocation = { leafId: 'leaf-1', tool: 'repo/read', audience, args: { a: 1 }, accessToken }

const token = mintIntentToken(intentClaims(), authority, { clock }).token
const dpop = createDpopProof({ method: 'GET', url: audience, accessToken }, scanner, { clock })
const pop = createInvocationProof(invocation, scanner, { clock })
const chain = chainOf(3)
const note = signNote('authority.example\n2\nAAAA\n', 'authority.example', authority)

const verifyDpop = (proof: string) =>
  verifyDpopProof(proof, {
    ...{ method: 'GET', url: audience, accessToken, now, keyring, singleUse: rememberingSingleUse() },
  })
const verifyPop = (proof: string) =>
  verifyInvocationProof(proof, {
    ...{ ...invocation, key: scanner.publicKey, now, singleUse: rememberingSingleUse() },
  })

/** Readers of text, each with a text that it accepts. */
const readers: Record<string, [read: (text: string) => unknown, good: string]> = {
  decodeJws: [(text) => decodeJws(text, { typ: 'at+jwt' }), token],
  verifyIntentToken: [(text) => verifyIntentToken(text, { ...trust, audience }), token],
  verifyDpopProof: [verifyDpop, dpop],
  verifyInvocationProof: [verifyPop, pop],
  decodeAssertion: [decodeAssertion, chain[1] ?? ''],
  'verifyChain, its leaf': [(text) => verifyChain([...chain.slice(0, 2), text], trust), chain[2] ?? ''],
  'verifyChain, a header': [(text) => verifyChain(text.split(', '), trust), chain.join(', ')],
  decodeBase64url: [decodeBase64url, encodeBase64url('bytes')],
  parseJson: [parseJson, JSON.stringify(claimsOf(token))],
  parseJsonObject: [parseJsonObject, JSON.stringify(claimsOf(token))],
  parseScope: [parseScope, 'repo:read repo:write'],
  parseNote: [parseNote, note],
}

const key = fixedKey('scanner').publicKey.jwk
/** Readers of a JSON value that the gate has let in. */
const valueReaders: Record<string, [read: (value: unknown) => unknown, good: unknown]> = {
  'the claims of an intent token': [(value) => fromWire(value as JsonObject), claimsOf(token)],
  parseConstraint: [
    parseConstraint,
    { constraint_type: 'all', constraints: [{ constraint_type: 'wildcard' }] },
  ],
  parseToolGrants: [(value) => parseToolGrants(value as JsonObject), chainTools],
  'keyring.publicKey': [keyring.publicKey, { ...key, use: 'sig', key_ops: ['verify'] }],
}

/** Runs a reader; anything but a value or a coded error fails. @returns whether it accepted */
async function answers(read: (input: never) => unknown, input: unknown): Promise<boolean> {
  try {
    await read(input as never)
    return true
  } catch (error) {
    expect(codeOf(error), `${error}`).toBeDefined()
    const { message } = error as Error
    // Nothing longer than a name is repeated: no input of a reader may come back in its message.
    if (typeof input === 'string' && input.length > 24) expect(message).not.toContain(input.slice(0, 24))
    return false
  }
}

const syntax = ['.', '..', '=', ' ', ',', '"', '{', '}', '[', ']', ':', '\\u', '\n', '\0', '\ud800', '\u00e9']
const scraps = [
  ...syntax,
  'e30',
  'W10',
  'bnVsbA',
  '1e999',
  '-0',
  '__proto__',
  'constructor',
  'null',
  '— a AAAA',
]
/** A good text with up to three places replaced, removed, doubled or filled in. */
const mutated = (good: string) =>
  fc
    .array(fc.tuple(fc.nat(good.length), fc.nat(6), fc.constantFrom(...scraps)), {
      minLength: 1,
      maxLength: 3,
    })
    .map((changes) =>
      changes.reduce(
        (text, [at, length, scrap]) => text.slice(0, at) + scrap + text.slice(at + length),
        good,
      ),
    )
const anyText = (good: string) =>
  fc.oneof(
    { weight: 3, arbitrary: mutated(good) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 80 }) },
    {
      weight: 1,
      arbitrary: fc.array(fc.constantFrom(...scraps), { maxLength: 12 }).map((all) => all.join('')),
    },
    { weight: 1, arbitrary: fc.nat(good.length).map((length) => good.slice(0, length)) },
  )

describe('every reader of text', () => {
  it.each(Object.entries(readers))('%s answers with a value or a code', async (_name, [read, good]) => {
    expect(await answers(read, good)).toBe(true)
    await fc.assert(
      fc.asyncProperty(anyText(good), async (text) => {
        await answers(read, text)
      }),
      { seed: 7519, numRuns: 400 },
    )
  })

  it('parseJson answers to bytes, too', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      mutated(JSON.stringify(claimsOf(token))).map((text) => new Uint8Array(Buffer.from(text, 'latin1'))),
    )
    return fc.assert(
      fc.asyncProperty(bytes, async (input) => {
        await answers(parseJsonObject, input)
      }),
      { seed: 8259, numRuns: 1000 },
    )
  })
})

/** A value with one member anywhere replaced by something else. */
const replaced = (good: unknown) => {
  const paths = pathsOf(good)
  const foreign = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>(undefined, -1, 2 ** 53, '', ' ', '\ud800', 'x'.repeat(300), [], {}),
  )
  return fc.tuple(fc.constantFrom(...paths), foreign).map(([path, value]) => {
    const copy = structuredClone({ top: good }) as Record<string, unknown>
    let place = copy
    for (const name of path.slice(0, -1)) place = place[name] as Record<string, unknown>
    place[path.at(-1) ?? ''] = value
    return copy['top']
  })
}

function pathsOf(value: unknown, path: string[] = ['top']): string[][] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([name, member]) => pathsOf(member, [...path, name]))]
}

describe('every reader of a value', () => {
  const arbitrary = (good: unknown) => fc.oneof(replaced(good), fc.jsonValue({ maxDepth: 4 }))

  it.each(Object.entries(valueReaders))('%s answers with a value or a code', async (_name, [read, good]) => {
    expect(await answers(read, good)).toBe(true)
    const isObject = (value: unknown) => typeof value === 'object' && value !== null
    await fc.assert(
      fc.asyncProperty(arbitrary(good), async (value) => {
        if (isObject(value)) await answers(read, value)
      }),
      { seed: 9396, numRuns: 500 },
    )
  })

  it('a verifier answers to any claims that are truly signed', async () => {
    const kid = authority.publicKey.thumbprint
    type Signed = [read: (text: string) => unknown, good: object, sign: (claims: string) => string]
    const verifiers: Signed[] = [
      [
        (text) => verifyIntentToken(text, { ...trust, audience }),
        claimsOf(token),
        (claims) => forge({ typ: 'at+jwt', kid }, claims, authority),
      ],
      [verifyDpop, claimsOf(dpop), (claims) => forge({ typ: 'dpop+jwt', jwk: key }, claims, scanner)],
      [verifyPop, claimsOf(pop), (claims) => forge({ typ: 'pop+jwt' }, claims, scanner)],
      [
        (text) => verifyChain([text], trust),
        claimsOf(chain[0] ?? ''),
        (claims) => forge({ typ: 'delegation+jwt', kid }, claims, authority),
      ],
    ]
    for (const [read, good, sign] of verifiers) {
      expect(await answers(read, sign(JSON.stringify(good)))).toBe(true)
      await fc.assert(
        fc.asyncProperty(arbitrary(good), async (claims) => {
          await answers(read, sign(JSON.stringify(claims) ?? ''))
        }),
        { seed: 7523, numRuns: 200 },
      )
    }
  })
})
