import { describe, expect, it } from 'vitest'
import { maxChainBytes, maxHops } from '../../runtime/delegation/assertion.js'
import { deriveAssertion } from '../../runtime/delegation/derive.js'
import { maxConstraints, maxTools, parseToolGrants } from '../../runtime/delegation/tools.js'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { attack } from '../support/attack.js'
import {
  agentKey,
  type Changes,
  chainOf,
  chainRules,
  grown,
  hopToken,
  type Profile,
  rootToken,
} from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { granted, longest } from './forged-chains.js'

const maxTokenBytes = 16 * 1024
const wildcard = { constraint_type: 'wildcard' }
const all = (...constraints: object[]) => ({ constraint_type: 'all', constraints })
/** First, second, middle, last. */
const somePlaces = [0, 1, 2, 16, 31]

function refused(chain: readonly string[], code: ErrorCode) {
  return expectCode(() => verifyChain(chain, chainRules()), code)
}

function accepted(chain: readonly string[]): void {
  expect(verifyChain(chain, chainRules()).hops).toHaveLength(chain.length)
}

/** A token with so many characters, by a claim that nobody reads; undefined where base64url has no such length. */
function padded(make: (changes: Changes) => string, length: number): string | undefined {
  const bare = make({ pad: '' }).length
  const pads = [0, 1, 2].map((more) => Math.floor(((length - bare) * 3) / 4) + more - 1)
  return pads.map((pad) => make({ pad: 'x'.repeat(pad) })).find((token) => token.length === length)
}

describe('a chain', () => {
  attack('X14', 'has 32 hops and not 33, whatever the 33rd says', async () => {
    const chain = chainOf(maxHops)
    accepted(chain)
    for (const changes of [{}, { del_depth: 31 }, { del_depth: 32, del_max_depth: 32 }]) {
      const last = hopToken(chain[31] ?? '', 32, changes)
      await refused([...chain, last], 'ERR_CHAIN_TOO_LONG')
    }
    await refused([...chain, chain[31] ?? ''], 'ERR_CHAIN_TOO_LONG')
  })

  it('of 32 hops cannot be passed on, and of 31 it can', async () => {
    const request = {
      delegatee: agentKey(99).publicKey,
      tools: parseToolGrants({}),
      scope: [],
      agentProof: { agentChecksum: `sha256:${'4'.repeat(64)}`, registrationId: 'registration-1' },
      intent: { workflowStep: 'step-1', activationId: 'activation-1' },
    }
    const derive = (chain: readonly string[]) =>
      deriveAssertion({ chain }, request, agentKey(chain.length - 1), { clock: fakeClock() })
    const chain = chainOf(maxHops)
    await expectCode(() => derive(chain), 'ERR_CHAIN_DEPTH')
    accepted([...chain.slice(0, 31), derive(chain.slice(0, 31))])
  })

  /** So many hops of about the same size, so many characters together. */
  function chainOfBytes(hops: number, bytes: number): string[] {
    for (const more of [0, 1, 2, 3]) {
      const pad = 'x'.repeat(Math.floor(((bytes / hops - 1300) * 3) / 4) + more)
      const begun = chainOf(hops - 1, () => ({ pad }))
      const left = bytes - begun.join('').length
      const last = padded((changes) => hopToken(begun.at(-1) ?? '', hops - 1, changes), left)
      if (last !== undefined) return [...begun, last]
    }
    throw new Error(`no chain has ${bytes} characters`)
  }

  attack('X14', 'has 256 KiB and not a character more, in 18 hops or in 32', async () => {
    for (const hops of [18, maxHops]) {
      const largest = chainOfBytes(hops, maxChainBytes)
      expect(largest.join('')).toHaveLength(maxChainBytes)
      accepted(largest)
      const over = chainOfBytes(hops, maxChainBytes + 1)
      expect(over.join('')).toHaveLength(maxChainBytes + 1)
      await refused(over, 'ERR_CHAIN_TOO_LONG')
    }
  })
})

describe('an assertion, at every place,', () => {
  attack('X14', 'has 16 KiB and not a character more', async () => {
    for (const place of [0, 1, 2, 10]) {
      const before = chainOf(11).slice(0, place)
      const make = (changes: Changes) =>
        place === 0 ? rootToken(changes) : hopToken(before[place - 1] ?? '', place, changes)
      const [largest, over] = [
        [maxTokenBytes, maxTokenBytes - 1],
        [maxTokenBytes + 1, maxTokenBytes + 2],
      ].map((lengths) => lengths.map((length) => padded(make, length)).find((token) => token !== undefined))
      accepted(grown([...before, largest ?? ''], place + 2, () => ({})))
      await refused([...before, over ?? ''], 'ERR_TOKEN_TOO_LARGE')
    }
  })

  const tools =
    (count: number): Profile =>
    () => ({
      authorization_details: granted(
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`tool-${index}`, {}])),
      ),
    })

  attack('X14', `has ${maxTools} tools and not one more`, async () => {
    const chain = chainOf(longest, tools(maxTools))
    accepted(chain)
    for (const place of somePlaces) {
      const more = tools(maxTools + 1)
      const over = place === 0 ? [rootToken(more(0))] : grown(chain.slice(0, place), place + 1, more)
      await refused(over, 'ERR_CONSTRAINT_INVALID')
    }
  })

  attack('X14', 'nests 32 constraints and not one more', async () => {
    const nested =
      (depth: number): Profile =>
      () => {
        let constraint: object = wildcard
        for (let level = 1; level < depth; level++) constraint = all(constraint)
        return { authorization_details: granted({ tool: { argument: constraint } }) }
      }
    const chain = chainOf(longest, nested(32))
    accepted(chain)
    for (const place of somePlaces) {
      const over =
        place === 0 ? [rootToken(nested(33)(0))] : grown(chain.slice(0, place), place + 1, nested(33))
      await refused(over, 'ERR_CONSTRAINT_INVALID')
    }
  })
})

describe('constraints', () => {
  // 16 KiB hold some 400 of them, so that this limit is met by what is granted before it is signed.
  attack('X14', `are at most ${maxConstraints}, in one tool, over tools, and nested`, async () => {
    const wide = (count: number) => ({
      tool: Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, wildcard])),
    })
    const spread = (count: number) =>
      Object.fromEntries(
        Array.from({ length: 256 }, (_, tool) => [
          `t${tool}`,
          Object.fromEntries(
            Array.from({ length: Math.floor(count / 256) + (tool < count % 256 ? 1 : 0) }, (_, index) => [
              `a${index}`,
              wildcard,
            ]),
          ),
        ]),
      )
    const deep = (count: number) => ({
      tool: { a: { constraint_type: 'any', constraints: Array(count - 1).fill(wildcard) } },
    })
    for (const shape of [wide, spread, deep]) {
      expect(Object.keys(parseToolGrants(shape(maxConstraints)))).not.toHaveLength(0)
      await expectCode(() => parseToolGrants(shape(maxConstraints + 1)), 'ERR_CONSTRAINT_INVALID')
    }
  })
})
