import { describe } from 'vitest'
import { attack } from '../support/attack.js'
import { type Changes, chainOf } from '../support/chain-builder.js'
import { type Base, everywhere, granted, longest, sweep, sweepAccepted, sweepLeaf } from './forged-chains.js'

const wildcard = { constraint_type: 'wildcard' }
const exact = (value: unknown) => ({ constraint_type: 'exact', value })
const range = (bounds: object) => ({ constraint_type: 'range', ...bounds })
const oneOf = (...values: unknown[]) => ({ constraint_type: 'one_of', values })
const notOneOf = (...excluded: unknown[]) => ({ constraint_type: 'not_one_of', excluded })
const contains = (...required: unknown[]) => ({ constraint_type: 'contains', required })
const subset = (...allowed: unknown[]) => ({ constraint_type: 'subset', allowed })
const all = (...constraints: object[]) => ({ constraint_type: 'all', constraints })
const any = (...constraints: object[]) => ({ constraint_type: 'any', constraints })
const within = (root: string) => ({ constraint_type: 'path_containment', root })
const pattern = (value: string) => ({ constraint_type: 'pattern', value })
const api = { constraint_type: 'url', scheme: 'https', host_suffix: 'example.com', port: 443, path: '/v1' }
const { path: _, ...apiWithoutPath } = api
const { host_suffix: __, ...apiWithoutSuffix } = api

/** For each type: what every hop holds, what widens it, and what narrows it. The first widening is tried with a
 * tail at every length, the others as the leaf. */
const types: Record<string, { held: object; wider: readonly object[]; narrower: readonly object[] }> = {
  exact: {
    held: exact('a'),
    wider: [exact('b'), exact('A'), exact(1), oneOf('a'), oneOf('a', 'b'), wildcard],
    narrower: [exact('a')],
  },
  range: {
    held: range({ min: 1, max: 9, min_inclusive: false, max_inclusive: false }),
    wider: [
      range({ min: 1, max: 10, min_inclusive: false, max_inclusive: false }),
      range({ min: 0, max: 9, min_inclusive: false, max_inclusive: false }),
      range({ min: 1, max: 9, min_inclusive: true, max_inclusive: false }),
      range({ min: 1, max: 9, min_inclusive: false, max_inclusive: true }),
      range({ min: 1, max: 9, min_inclusive: false }),
      range({ min: 1, min_inclusive: false }),
      range({ max: 9, max_inclusive: false }),
      range({}),
      exact(9),
      exact('5'),
      oneOf(5),
      wildcard,
    ],
    narrower: [range({ min: 1.5, max: 8.5 }), exact(5)],
  },
  oneOf: {
    held: oneOf('a', 'b', 1),
    wider: [oneOf('a', 'c'), oneOf('a', 'b', 1, '1'), exact('c'), exact('1'), notOneOf('c'), wildcard],
    narrower: [oneOf('a', 1), oneOf(), exact('b')],
  },
  notOneOf: {
    held: notOneOf('a', 'b'),
    wider: [notOneOf('a'), notOneOf(), notOneOf('b', 'c'), exact('c'), oneOf('c'), wildcard],
    narrower: [notOneOf('a', 'b', 'c')],
  },
  contains: {
    held: contains('a', 'b'),
    wider: [contains('a'), contains(), contains('a', 'c'), subset('a', 'b'), exact('a'), wildcard],
    narrower: [contains('c', 'b', 'a')],
  },
  subset: {
    held: subset('a', 'b'),
    wider: [subset('a', 'b', 'c'), subset('c'), contains('a'), oneOf('a'), wildcard],
    narrower: [subset('a'), subset()],
  },
  all: {
    held: all(range({ min: 1 }), range({ max: 9 })),
    wider: [
      all(range({ min: 1 })),
      all(range({ max: 9 }), range({ min: 0 })),
      all(range({ min: 1, max: 9 })),
      range({ min: 1, max: 9 }),
      any(range({ min: 1 }), range({ max: 9 })),
      wildcard,
    ],
    narrower: [all(range({ max: 8 }), oneOf(5), range({ min: 2 }))],
  },
  any: {
    held: any(exact('a'), oneOf('b', 'c')),
    wider: [
      any(exact('a'), oneOf('b', 'd')),
      any(exact('a'), exact('b'), exact('d')),
      any(exact('a'), wildcard),
      exact('a'),
      all(exact('a')),
      wildcard,
    ],
    narrower: [any(exact('c')), any(exact('b'), exact('c'), exact('a'))],
  },
  url: {
    held: api,
    wider: [
      { ...api, host_suffix: 'com' },
      { ...api, host_suffix: 'badexample.com' },
      { ...apiWithoutSuffix, host: 'badexample.com' },
      { ...apiWithoutSuffix, host: '127.0.0.1' },
      { ...api, scheme: 'http' },
      { ...api, port: 8443 },
      { ...api, path: '/' },
      { ...api, path: '/v10' },
      apiWithoutPath,
      exact('https://example.com/v2'),
      exact('https://example.com/v1/../v2'),
      oneOf('https://example.com/v1', 'https://evil.com/v1'),
      pattern('https://example.com/v1/*'),
      wildcard,
    ],
    narrower: [
      { ...apiWithoutSuffix, host: 'a.example.com' },
      { ...api, path: '/v1/a' },
      exact('https://example.com/v1/a'),
    ],
  },
  path: {
    held: within('/srv/a'),
    wider: [
      within('/srv'),
      within('/'),
      within('/srv/ab'),
      within('/Srv/a'),
      exact('/srv/b'),
      exact('/srv/a/../b'),
      oneOf('/srv/a', '/srv/b'),
      pattern('/srv/a/**'),
      wildcard,
    ],
    narrower: [within('/srv/a/b'), exact('/srv/a'), oneOf('/srv/a/b', '/srv/a/c')],
  },
  pattern: {
    held: pattern('/a/*'),
    wider: [
      pattern('/a/**'),
      pattern('/*'),
      pattern('*'),
      exact('/a/b/c'),
      exact('/a/..'),
      oneOf('/a/b', '/b'),
      wildcard,
    ],
    narrower: [pattern('/a/*'), exact('/a/b'), oneOf('/a/', '/a/b')],
  },
  wildcard: {
    held: wildcard,
    wider: [],
    narrower: [exact(1), all(wildcard), api, within('/'), pattern('*')],
  },
}

function holding(constraint: unknown): Changes {
  return { authorization_details: granted({ tool: { argument: constraint } }) }
}

function baseOf(held: object): Base {
  const says = () => holding(held)
  return { chain: chainOf(longest, says), says }
}

describe('an agent with its true key, at every place of chains of every length, cannot widen', () => {
  for (const [type, { held, wider, narrower }] of Object.entries(types)) {
    attack('T9', `a constraint of type ${type}`, async () => {
      const base = baseOf(held)
      const [first, ...others] = wider.map((constraint) => everywhere(holding(constraint)))
      if (first) await sweep('ERR_CHAIN_CONSTRAINT_WIDENED', first, undefined, base)
      for (const other of others) await sweepLeaf('ERR_CHAIN_CONSTRAINT_WIDENED', other, base)
      for (const constraint of [held, ...narrower]) sweepAccepted(everywhere(holding(constraint)), base)
    })
  }

  attack('T9', 'a constraint by one of a type that nobody knows, or that is none', async () => {
    const base = baseOf(wildcard)
    for (const none of [{ constraint_type: 'regex', value: '.*' }, {}, null, [], range({ min: '1' })]) {
      await sweepLeaf('ERR_CONSTRAINT_INVALID', everywhere(holding(none)), base)
    }
  })
})
