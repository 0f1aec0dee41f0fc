import { describe, expect, it } from 'vitest'
import { maxChainBytes, maxHops } from '../../runtime/delegation/assertion.js'
import {
  chainHeader,
  invocationMeta,
  maxChainHeaderBytes,
  parseChainHeader,
  parseInvocationMeta,
} from '../../runtime/delegation/carrying.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { maxInvocationProofBytes } from '../../runtime/tokens/invocation-proof.js'
import { attack } from '../support/attack.js'
import { chainOf } from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'

const chain = chainOf(3)
const carried = { token: 'header.claims.signature', chain, proof: 'head.body.sign' }

describe('the header of a chain', () => {
  it('holds the compact tokens root first, and gives them back', () => {
    expect(chainHeader(['a.b.c', 'd.e.f'])).toBe('a.b.c, d.e.f')
    for (const length of [1, 2, 3]) {
      const hops = chainOf(length)
      expect(parseChainHeader(chainHeader(hops) ?? '')).toEqual(hops)
    }
  })

  it('is left out when it would be longer than 8 KiB in all', () => {
    const half = 'x'.repeat(maxChainHeaderBytes / 2 - 1)
    expect(chainHeader([half, half])).toHaveLength(8192)
    expect(chainHeader([half, `${half}x`])).toBeUndefined()
  })

  it('is taken apart at ", " alone', () => {
    expect(parseChainHeader('a.b.c,d.e.f')).toEqual(['a.b.c,d.e.f'])
    expect(parseChainHeader('')).toEqual([''])
  })

  attack('X14', 'is one text, no longer than a chain may be', async () => {
    const header = (value: unknown) => () => parseChainHeader(value as string)
    for (const missing of [undefined, null]) await expectCode(header(missing), 'ERR_CHAIN_MISSING')
    for (const odd of [['a.b.c'], 7, { split: () => [] }])
      await expectCode(header(odd), 'ERR_TOKEN_MALFORMED')
    const separators = (maxHops - 1) * 2
    await expectCode(header('x'.repeat(maxChainBytes + separators + 1)), 'ERR_CHAIN_TOO_LONG')
    expect(header('x'.repeat(maxChainBytes + separators))()).toHaveLength(1)
  })
})

describe('the members of _meta', () => {
  it('are three, with the chain as an array, root first', () => {
    expect(invocationMeta(carried)).toEqual({
      'ajwt/token': carried.token,
      'ajwt/chain': chain,
      'ajwt/proof': carried.proof,
    })
  })

  it('are read back, beside members of others', () => {
    const meta = { progressToken: 7, 'io.modelcontextprotocol/related-task': {}, ...invocationMeta(carried) }
    expect(parseInvocationMeta(JSON.parse(JSON.stringify(meta)))).toEqual(carried)
  })

  it('may lie in an object without a prototype', () => {
    expect(parseInvocationMeta(Object.assign(Object.create(null), invocationMeta(carried)))).toEqual(carried)
  })

  attack('X18', 'are a copy: neither side changes the chain of the other', () => {
    const mine = [...chain]
    const meta = invocationMeta({ ...carried, chain: mine })
    const read = parseInvocationMeta(meta)
    mine.pop()
    expect(meta['ajwt/chain']).toEqual(chain)
    meta['ajwt/chain'].pop()
    expect(read.chain).toEqual(chain)
  })

  attack('X18', 'are read once each', () => {
    const reads: string[] = []
    const meta = new Proxy(invocationMeta(carried), {
      get: (target, name, receiver) => {
        reads.push(String(name))
        return Reflect.get(target, name, receiver) as unknown
      },
    })
    parseInvocationMeta(meta)
    expect(reads.sort()).toEqual(['ajwt/chain', 'ajwt/proof', 'ajwt/token'])
  })
})

describe('_meta without credentials', () => {
  it('is one without a token, whatever else it holds', async () => {
    const { 'ajwt/token': _, ...rest } = invocationMeta(carried)
    for (const meta of [undefined, {}, { progressToken: 1 }, rest, { ...rest, 'ajwt/token': undefined }]) {
      await expectCode(() => parseInvocationMeta(meta), 'ERR_CREDENTIALS_MISSING')
    }
    parseInvocationMeta({ ...rest, 'ajwt/token': 'x' })
  })

  it('is not one with a token and without a chain or a proof', async () => {
    const without = (name: string) =>
      Object.fromEntries(Object.entries(invocationMeta(carried)).filter(([key]) => key !== name))
    await expectCode(() => parseInvocationMeta(without('ajwt/chain')), 'ERR_CHAIN_MISSING')
    await expectCode(() => parseInvocationMeta(without('ajwt/proof')), 'ERR_PROOF_MISSING')
  })

  attack('X10', 'does not inherit them', async () => {
    const inherited = [
      Object.create(invocationMeta(carried)),
      JSON.parse(JSON.stringify({ proto: invocationMeta(carried) }).replace('proto', '__proto__')),
    ]
    await expectCode(() => parseInvocationMeta(inherited[0]), 'ERR_REQUEST_INVALID')
    await expectCode(() => parseInvocationMeta(inherited[1]), 'ERR_CREDENTIALS_MISSING')
    const polluted = Object.prototype as Record<string, unknown>
    try {
      Object.assign(polluted, invocationMeta(carried))
      await expectCode(() => parseInvocationMeta({}), 'ERR_CREDENTIALS_MISSING')
      await expectCode(() => parseInvocationMeta({ 'ajwt/token': 'x' }), 'ERR_CHAIN_MISSING')
    } finally {
      for (const name of Object.keys(invocationMeta(carried))) delete polluted[name]
    }
  })
})

describe('_meta of another shape', () => {
  it('is refused when it is no object', async () => {
    for (const meta of [null, 1, 'x', true, [], [invocationMeta(carried)], new Map(), () => carried]) {
      await expectCode(() => parseInvocationMeta(meta), 'ERR_REQUEST_INVALID')
    }
  })

  const notText: readonly unknown[] = [null, 1, true, {}, ['a.b.c'], { toString: () => 'a.b.c' }]
  it.each(['ajwt/token', 'ajwt/proof'])('is refused when "%s" is not text', async (name) => {
    for (const value of notText) {
      const meta = { ...invocationMeta(carried), [name]: value }
      await expectCode(() => parseInvocationMeta(meta), 'ERR_TOKEN_MALFORMED')
    }
  })

  it('is refused when the chain is not an array of text', async () => {
    const holed: string[] = [...chain]
    delete holed[1]
    const wrong = [null, 1, 'a.b.c', 'a.b.c, d.e.f', { 0: 'a.b.c', length: 1 }, holed, [chain]]
    for (const value of [...wrong, ...notText.map((hop) => [chain[0], hop])]) {
      const meta = { ...invocationMeta(carried), 'ajwt/chain': value }
      await expectCode(() => parseInvocationMeta(meta), 'ERR_TOKEN_MALFORMED')
    }
    await expectCode(
      () => parseInvocationMeta({ ...invocationMeta(carried), 'ajwt/chain': [] }),
      'ERR_CHAIN_EMPTY',
    )
  })
})

describe('_meta at its limits', () => {
  const kib16 = 'x'.repeat(16 * 1024)
  const cases: readonly [what: string, name: string, largest: unknown, over: unknown, ErrorCode][] = [
    ['a token of 16 KiB', 'ajwt/token', kib16, `${kib16}x`, 'ERR_TOKEN_TOO_LARGE'],
    [
      'a proof of 4 MiB',
      'ajwt/proof',
      'x'.repeat(maxInvocationProofBytes),
      'x'.repeat(maxInvocationProofBytes + 1),
      'ERR_TOKEN_TOO_LARGE',
    ],
    ['a hop of 16 KiB', 'ajwt/chain', [kib16], [`${kib16}x`], 'ERR_TOKEN_TOO_LARGE'],
    ['32 hops', 'ajwt/chain', Array(maxHops).fill('x'), Array(maxHops + 1).fill('x'), 'ERR_CHAIN_TOO_LONG'],
    [
      'a chain of 256 KiB',
      'ajwt/chain',
      Array(maxChainBytes / kib16.length).fill(kib16),
      [...Array(maxChainBytes / kib16.length).fill(kib16), 'x'],
      'ERR_CHAIN_TOO_LONG',
    ],
  ]
  for (const [what, name, largest, over, code] of cases) {
    attack('X14', `may hold ${what}, and no more`, async () => {
      parseInvocationMeta({ ...invocationMeta(carried), [name]: largest })
      await expectCode(() => parseInvocationMeta({ ...invocationMeta(carried), [name]: over }), code)
    })
  }

  attack('X14', 'says of a chain of millions that it is too long, and looks at none of it', async () => {
    let read = 0
    const endless = new Proxy(Array(5_000_000), {
      get: (target, name, receiver) => {
        if (name !== 'length') read++
        return Reflect.get(target, name, receiver) as unknown
      },
    })
    const meta = { ...invocationMeta(carried), 'ajwt/chain': endless }
    await expectCode(() => parseInvocationMeta(meta), 'ERR_CHAIN_TOO_LONG')
    expect(read).toBe(0)
  })

  attack('X16', 'repeats nothing of it in a refusal', async () => {
    const wrong = [
      { 'ajwt/token': `canary${kib16}` },
      { 'ajwt/token': 'x', 'ajwt/chain': [`canary${kib16}`] },
      { 'ajwt/token': 'x', 'ajwt/chain': 'canary' },
      { 'ajwt/token': 'x', 'ajwt/chain': ['x'], 'ajwt/proof': { canary: 'canary' } },
    ]
    for (const meta of wrong) {
      expect(() => parseInvocationMeta(meta)).toThrow(/^(?!.*canary)/)
    }
  })
})
