import { describe, expect, it } from 'vitest'
import { createLinkCache } from '../../runtime/delegation/verified-links.js'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import { attack } from '../support/attack.js'
import {
  type Changes,
  chainOf,
  chainRules,
  chainTime,
  hopToken,
  rootToken,
} from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { forge } from '../support/forger.js'
import { issuer } from '../support/intent-claims.js'
import { granted, longest, places } from './forged-chains.js'

const chain = chainOf(longest)
const everyPlace = [0, ...places]
const stranger = fixedKey('stranger')
const cache = createLinkCache()
verifyChain(chain, chainRules({ cache }))

/** The one answer to every wrong signature: code and text alike, whatever was wrong and wherever. */
const answers = new Set<string>()
async function expectWrong(token: string, place: number, whole = false): Promise<void> {
  const tokens = chain.with(place, token)
  const rules = chainRules(whole ? {} : { cache })
  const error = await expectCode(() => verifyChain(tokens, rules), 'ERR_SIGNATURE_INVALID')
  answers.add(`${error.code} ${error.message} ${String(error.cause)}`)
  expect(answers.size).toBe(1)
}

const encode = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64url')
const decode = (segment: string | undefined) => Buffer.from(segment ?? '', 'base64url')

function segmentsOf(place: number): [string, string, Buffer] {
  const [head = '', claims = '', signature] = (chain[place] ?? '').split('.')
  return [head, claims, decode(signature)]
}

describe('a wrong signature is answered alike', () => {
  attack('X8', 'at every hop, for every byte of the signature', async () => {
    for (const place of everyPlace) {
      const [head, claims, signature] = segmentsOf(place)
      for (let byte = 0; byte < signature.length; byte++) {
        const other = Buffer.from(signature)
        other[byte] = (other[byte] ?? 0) ^ (1 << ((place + byte) % 8))
        await expectWrong(`${head}.${claims}.${encode(other)}`, place, byte === place)
      }
    }
  })

  attack('X8', 'at every hop, for a signature of another length, another scalar or none', async () => {
    const order = (1n << 252n) + 27742317777372353535851937790883648493n
    for (const place of everyPlace) {
      const [head, claims, signature] = segmentsOf(place)
      const scalar = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order
      const shifted = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse()
      const others = [
        Buffer.concat([signature.subarray(0, 32), shifted]), // the same value modulo the order
        signature.subarray(0, 63),
        Buffer.concat([signature, Buffer.of(0)]),
        Buffer.concat([signature, signature]),
        signature.subarray(0, 1),
        Buffer.alloc(64),
        Buffer.alloc(64, 255),
        Buffer.concat([Buffer.of(1), Buffer.alloc(63)]), // the neutral point, and nothing
        Buffer.from(signature).reverse(),
      ]
      for (const other of others) await expectWrong(`${head}.${claims}.${encode(other)}`, place)
    }
  })

  attack('X8', 'at every hop, for every byte of the claims that leaves them JSON', async () => {
    for (const place of [0, 1, 2, 16, 31]) {
      const [head, claims, signature] = segmentsOf(place)
      const bytes = decode(claims)
      let tried = 0
      for (let byte = 0; byte < bytes.length; byte++) {
        const other = Buffer.from(bytes)
        other[byte] = (other[byte] ?? 0) ^ 1
        if (!isUniqueJson(other.toString('latin1'))) continue
        tried++
        await expectWrong(`${head}.${encode(other)}.${encode(signature)}`, place)
      }
      expect(tried).toBeGreaterThan(bytes.length / 3)
    }
  })

  attack('X8', 'at every hop, for a header that says the same otherwise', async () => {
    for (const place of everyPlace) {
      const [head, claims, signature] = segmentsOf(place)
      const header = JSON.parse(decode(head).toString()) as Changes
      const others = [
        JSON.stringify(header, null, 1),
        JSON.stringify(Object.fromEntries(Object.entries(header).reverse())),
        // At the root the key is chosen by `kid`; below it, nobody reads one.
        ...(place === 0 ? [] : [JSON.stringify({ ...header, kid: 'x' })]),
      ]
      for (const other of others) await expectWrong(`${encode(other)}.${claims}.${encode(signature)}`, place)
    }
  })

  attack('X8', 'at every hop, whatever else its claims have against them', async () => {
    const faults: readonly Changes[] = [
      {},
      { iss: issuer },
      { par_hash: 'x' },
      { del_depth: 99 },
      { del_depth: undefined },
      { exp: chainTime - 1 },
      { exp: undefined },
      { iat: chainTime + 99 },
      { scope: 'admin' },
      { scope: undefined },
      { authorization_details: granted({ shell: {} }) },
      { authorization_details: 'none' },
      { 'cnf.jwk': { kty: 'oct', k: 'x' } },
      { cnf: undefined },
      { 'intent.execution_id': 'execution-2' },
      { intent: undefined },
    ]
    for (const place of everyPlace) {
      for (const fault of faults) {
        const signed =
          place === 0 ? rootToken(fault, stranger) : hopToken(chain[place - 1] ?? '', place, fault, stranger)
        const [, claims, signature] = signed.split('.')
        await expectWrong(`${segmentsOf(place)[0]}.${claims}.${signature}`, place)
      }
    }
  })

  attack('X8', 'at every hop, by whichever key it was made', async () => {
    for (const place of everyPlace) {
      const [head, claims] = segmentsOf(place)
      for (const name of [
        'stranger',
        'authority',
        'agent 0',
        'agent 1',
        'agent 30',
        'agent 31',
        'agent 15',
      ]) {
        const key = fixedKey(name)
        if (name === (place === 0 ? 'authority' : `agent ${place - 1}`)) continue
        const signature = key.sign(`${head}.${claims}`)
        await expectWrong(`${head}.${claims}.${encode(signature)}`, place)
      }
    }
  })

  it('and of two hops, only the upper one is reached', async () => {
    const unsigned = (place: number) => {
      const [head, claims] = segmentsOf(place)
      return `${head}.${claims}.${encode(Buffer.alloc(64))}`
    }
    const fault = forge({ typ: 'delegation+jwt' }, '[]', stranger) // no claims set at all
    for (const place of everyPlace.slice(0, -1)) {
      await expectWrong(unsigned(place), place)
      const tokens = chain.with(place, unsigned(place)).with(place + 1, fault)
      await expectCode(() => verifyChain(tokens, chainRules({ cache })), 'ERR_SIGNATURE_INVALID')
    }
    verifyChain(chain, chainRules())
  })
})

/** True for JSON that no reader refuses; a changed byte can also make two members one. */
function isUniqueJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return JSON.stringify(value).length === text.length && !/[^\x20-\x7e]/.test(text)
  } catch {
    return false
  }
}
