import { describe, it } from 'vitest'
import { createLinkCache } from '../../runtime/delegation/verified-links.js'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { attack } from '../support/attack.js'
import {
  agentKey,
  agentUri,
  type Changes,
  chainOf,
  chainRules,
  grown,
  hashOf,
  hopToken,
  type Profile,
  rootToken,
} from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { longest, places } from './forged-chains.js'

const links = createLinkCache()
const lengths = [1, ...places.map((place) => place + 1)]

function accept(chain: readonly string[]): void {
  verifyChain(chain, chainRules({ cache: links }))
}

async function expectRefused(chain: readonly string[], code: ErrorCode): Promise<void> {
  await expectCode(() => verifyChain(chain, chainRules({ cache: links })), code)
  if (chain.length === longest) await expectCode(() => verifyChain(chain, chainRules()), code)
}

/** Puts the beginning of one chain before the end of another, at each place of each length, both ways. */
async function expectUnspliced(one: readonly string[], other: readonly string[], from = 1): Promise<void> {
  for (const length of lengths) {
    accept(one.slice(0, length))
    accept(other.slice(0, length))
    for (let place = from; place < length; place++) {
      for (const [begin, end] of [
        [one, other],
        [other, one],
      ] as const) {
        await expectRefused([...begin.slice(0, place), ...end.slice(place, length)], 'ERR_CHAIN_LINK')
      }
    }
  }
}

describe('two chains of the same agents, with the same keys,', () => {
  const chain = chainOf(longest)
  const alike: readonly [what: string, changes: Changes][] = [
    ['of two runs', { 'intent.execution_id': 'execution-2' }],
    ['of two workflows', { 'intent.workflow_id': 'deploying' }],
    ['of two intents', { 'intent.intent_hash': `sha256:${'9'.repeat(64)}` }],
  ]
  for (const [what, changes] of alike) {
    attack(['T11', 'X1'], `${what} are not spliced, at any place`, async () => {
      await expectUnspliced(
        chain,
        chainOf(longest, () => changes),
      )
    })
  }

  attack(['T11', 'X1'], 'of one run under two roots are not spliced, though they say the same', async () => {
    await expectUnspliced(chain, chainOf(longest, { 0: { jti: 'another-root' } }))
  })

  attack(
    ['T11', 'X1'],
    'of two activations are not spliced below where they part, at any place',
    async () => {
      for (const parting of [1, 2, 15, 30]) {
        const profile: Profile = (place) =>
          place >= parting ? { 'intent.activation_id': `retry-${place}`, jti: `retry-${place}` } : {}
        const retry = grown(chain.slice(0, parting), longest, profile)
        await expectUnspliced(chain, retry, parting + 1)
      }
    },
  )

  attack(
    ['T11', 'X1'],
    'do not meet in a hop that names the parent in one and serves the other',
    async () => {
      for (const [, changes] of alike) {
        for (const place of places) {
          const crossed = grown(chain.slice(0, place), longest, () => changes)
          await expectRefused(crossed, 'ERR_CHAIN_INTENT')
          await expectRefused(crossed.slice(0, place + 1), 'ERR_CHAIN_INTENT')
        }
      }
    },
  )
})

/** One agent narrows for itself, 31 times: no signature tells one of its hops from another. */
const own: Profile = (place) => ({
  'cnf.jwk': { ...agentKey(0).publicKey.jwk },
  ...(place > 0 && { iss: agentUri(0) }),
})
function ownHop(parent: string, place: number, changes: Changes = {}): string {
  return hopToken(parent, place, { ...own(place), ...changes }, agentKey(0))
}
function ownChain(changes: Profile = () => ({})): string[] {
  const chain = [rootToken({ ...own(0), ...changes(0) })]
  for (const place of places) chain.push(ownHop(chain[place - 1] ?? '', place, changes(place)))
  return chain
}

describe('a chain whose hops one agent signed, at every place and length,', () => {
  const chain = ownChain()
  const manipulations: readonly [what: string, apply: (chain: string[], place: number) => string[]][] = [
    ['cannot lose a hop', (hops, place) => hops.toSpliced(place, 1)],
    [
      'cannot have two hops change places',
      (hops, place) => hops.toSpliced(place, 2, hops[place + 1] ?? '', hops[place] ?? ''),
    ],
    ['cannot have a hop twice', (hops, place) => hops.toSpliced(place, 0, hops[place] ?? '')],
    [
      'cannot get a hop between',
      (hops, place) => hops.toSpliced(place, 0, ownHop(hops[place - 1] ?? '', place, { jti: 'between' })),
    ],
    [
      'cannot have a hop exchanged',
      (hops, place) => hops.with(place, ownHop(hops[place - 1] ?? '', place, { jti: 'exchanged' })),
    ],
  ]
  for (const [what, apply] of manipulations) {
    attack('T11', what, async () => {
      for (const length of lengths.slice(0, -1)) {
        const hops = chain.slice(0, length)
        for (let place = 1; place < length - 1; place++)
          await expectRefused(apply(hops, place), 'ERR_CHAIN_LINK')
      }
      accept(chain)
    })
  }

  attack(['T11', 'X1'], 'is not spliced with its twin of another run', async () => {
    await expectUnspliced(
      chain,
      ownChain(() => ({ 'intent.execution_id': 'execution-2' })),
    )
  })

  attack('T11', 'has each assertion once, wherever its `jti` comes again', async () => {
    for (const second of places) {
      for (const first of [0, 1, second - 1].filter((place) => place < second)) {
        const hop = ownHop(chain[second - 1] ?? '', second, { jti: `hop-${first}` })
        await expectRefused([...chain.slice(0, second), hop], 'ERR_CHAIN_DUPLICATE')
      }
    }
  })

  it('verifies', () => {
    for (const length of lengths) accept(chain.slice(0, length))
  })

  attack('T11', 'cannot have a hop grafted that was signed for a root of the same claims', async () => {
    const twin = rootToken({ ...own(0), jti: 'twin' })
    const graft = ownHop(twin, 1)
    accept([twin, graft])
    await expectRefused([chain[0] ?? '', graft], 'ERR_CHAIN_LINK')
    await expectRefused(
      [chain[0] ?? '', ownHop(twin, 1, { par_hash: hashOf(chain[1] ?? '') })],
      'ERR_CHAIN_LINK',
    )
  })
})
