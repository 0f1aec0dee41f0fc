import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkConstraint } from '../../runtime/delegation/check-constraint.js'
import { type Constraint, parseConstraint } from '../../runtime/delegation/constraint.js'
import { subsumes } from '../../runtime/delegation/subsumes.js'

const exact = (value: string | number): Constraint => ({ constraint_type: 'exact', value })
const oneOf = (...values: (string | number)[]): Constraint => ({ constraint_type: 'one_of', values })
const notOneOf = (...excluded: string[]): Constraint => ({ constraint_type: 'not_one_of', excluded })
const range = (bounds: object): Constraint => parseConstraint({ constraint_type: 'range', ...bounds })
const contains = (...required: string[]): Constraint => ({ constraint_type: 'contains', required })
const subset = (...allowed: string[]): Constraint => ({ constraint_type: 'subset', allowed })
const all = (...constraints: Constraint[]): Constraint => ({ constraint_type: 'all', constraints })
const any = (...constraints: Constraint[]): Constraint => ({ constraint_type: 'any', constraints })
const wildcard: Constraint = { constraint_type: 'wildcard' }

const allowed: readonly [parent: Constraint, child: Constraint][] = [
  [wildcard, wildcard],
  [wildcard, exact('a')],
  [wildcard, all(exact('a'))],
  [exact('a'), exact('a')],
  [range({ min: 1, max: 3 }), exact(2)],
  [range({ min: 1 }), exact(1)],
  [oneOf('a', 'b'), exact('a')],
  [oneOf('a', 'b'), oneOf('b')],
  [oneOf('a', 'b'), oneOf()],
  [notOneOf('a'), notOneOf('a', 'b')],
  [range({ min: 1, max: 3 }), range({ min: 1, max: 3 })],
  [range({ min: 1, max: 3 }), range({ min: 1, max: 3, min_inclusive: false })],
  [range({ min: 1, max: 3, max_inclusive: false }), range({ min: 2, max: 3, max_inclusive: false })],
  [range({ min: 1, max: 3, max_inclusive: false }), range({ min: 1, max: 2 })],
  [range({}), range({ max: 5 })],
  [contains('a'), contains('a', 'b')],
  [subset('a', 'b'), subset('a')],
  [subset('a'), subset()],
  [all(range({ min: 1 }), range({ max: 9 })), all(range({ max: 5 }), range({ min: 2 }), oneOf(3))],
  [any(exact('a'), exact('b'), exact('c')), any(exact('c'), exact('a'))],
  [any(oneOf('a', 'b')), any(exact('a'), exact('b'))],
]

const refused: readonly [parent: Constraint, child: Constraint][] = [
  [exact('a'), wildcard],
  [exact('a'), exact('b')],
  [exact(1), exact('1')],
  [exact('a'), oneOf('a')],
  [range({ min: 1, max: 3 }), exact(4)],
  [range({ min: 1, max: 3 }), exact('2')],
  [range({ min: 1, min_inclusive: false }), exact(1)],
  [range({ min: 1, max: 3 }), range({ min: 1 })],
  [range({ min: 1, max: 3 }), range({ max: 3 })],
  [range({ min: 1, max: 3 }), range({ min: 0, max: 3 })],
  [range({ min: 1, max: 3, min_inclusive: false }), range({ min: 1, max: 3 })],
  [range({ min: 1, max: 3, max_inclusive: false }), range({ min: 1, max: 3 })],
  [range({ min: 1, max: 3 }), oneOf(2)],
  [oneOf('a'), notOneOf('b')],
  [oneOf('a'), oneOf('a', 'b')],
  [notOneOf('a', 'b'), notOneOf('a')],
  [notOneOf('a'), exact('b')],
  [contains('a', 'b'), contains('a')],
  [contains('a'), subset('a')],
  [subset('a'), subset('a', 'b')],
  [all(range({ min: 1 }), range({ max: 9 })), all(range({ min: 1 }))],
  [all(range({ min: 1 })), range({ min: 1 })],
  [any(exact('a'), exact('b')), any(exact('a'), exact('d'))],
  [any(exact('a')), exact('a')],
  [any(exact('a')), wildcard],
  // One child clause may not serve two parent clauses.
  [all(range({ min: 1 }), range({ min: 1 })), all(range({ min: 1 }), range({ max: 1 }))],
]

describe('subsumes', () => {
  for (const [parent, child] of allowed) {
    it(`${JSON.stringify(child)} narrows ${JSON.stringify(parent)}`, () => {
      expect(subsumes(parent, child)).toBe(true)
    })
  }
  for (const [parent, child] of refused) {
    it(`${JSON.stringify(child)} does not narrow ${JSON.stringify(parent)}`, () => {
      expect(subsumes(parent, child)).toBe(false)
    })
  }

  it('matches the clauses of `all` where taking the first that fits would fail', () => {
    const parent = all(wildcard, oneOf('a', 'b'), exact('a'))
    expect(subsumes(parent, all(exact('a'), exact('a'), exact('b')))).toBe(true)
    expect(subsumes(parent, all(exact('a'), exact('b'), exact('c')))).toBe(true)
    expect(subsumes(parent, all(exact('b'), exact('b'), exact('c')))).toBe(false)
  })

  it('ends soon where backtracking would try every order', () => {
    const parents = Array.from({ length: 40 }, () => range({ min: 1 }))
    const children = [
      ...Array.from({ length: 39 }, () => range({ min: 2 })),
      ...Array(40).fill(range({ max: 2 })),
    ]
    expect(subsumes(all(...parents), all(...children))).toBe(false)
    expect(subsumes(all(...parents.slice(1)), all(...children))).toBe(true)
  })

  it('denies types that came past the parser', () => {
    const unknown = { constraint_type: 'regex', value: 'a' } as unknown as Constraint
    expect(subsumes(unknown, unknown)).toBe(false)
    expect(subsumes(unknown, exact('a'))).toBe(false)
  })
})

describe('subsumes, against an oracle', () => {
  const atoms = ['a', 'b', 'c', 0, 1, 2, true, null] as const
  const paths = ['/a', '/a/b', '/a/b/c', '/ab', '/b']
  const hosts = ['x.com', 'a.x.com', 'b.a.x.com', 'ax.com']
  const lists = [[], ['a'], ['b'], ['a', 'b'], ['a', 'b', 'c'], ['c', 1]]
  const urls = hosts.flatMap((host) => ['', '/v', '/v/w', '/vw'].map((path) => `https://${host}${path}`))
  const values: readonly unknown[] = [
    ...atoms,
    ...paths,
    ...lists,
    ...urls,
    -1,
    0.5,
    1.5,
    3,
    '',
    '/',
    '/a/..',
    '/a/b/../c',
    { a: 1 },
    {},
    false,
    'https://x.com:8443/v',
    'http://x.com/v',
    'aa',
    'a/b',
  ]
  const atom = fc.constantFrom(...atoms, ...paths)
  const some = fc.array(atom, { maxLength: 4 })
  const bound = fc.constantFrom(0, 0.5, 1, 2, 3)
  const leaf = fc.oneof(
    atom.map((value) => ({ constraint_type: 'exact', value })),
    fc
      .record(
        { min: bound, max: bound, min_inclusive: fc.boolean(), max_inclusive: fc.boolean() },
        { requiredKeys: [] },
      )
      .map((bounds) => ({ constraint_type: 'range', ...bounds })),
    some.map((list) => ({ constraint_type: 'one_of', values: list })),
    some.map((list) => ({ constraint_type: 'not_one_of', excluded: list })),
    some.map((list) => ({ constraint_type: 'contains', required: list })),
    some.map((list) => ({ constraint_type: 'subset', allowed: list })),
    fc.constant({ constraint_type: 'wildcard' }),
    fc.constantFrom('/', ...paths).map((root) => ({ constraint_type: 'path_containment', root })),
    fc
      .constantFrom('*', '**', '/a/*', '/a/**', '/*', 'a', '*/b')
      .map((value) => ({ constraint_type: 'pattern', value })),
    fc
      .record({
        host: fc.oneof(
          fc.constantFrom(...hosts).map((host) => ({ host })),
          fc.constantFrom('x.com', 'a.x.com', 'com').map((host_suffix) => ({ host_suffix })),
        ),
        path: fc.constantFrom({}, { path: '/v' }, { path: '/v/w' }, { path: '/' }),
        port: fc.constantFrom(443, 8443),
        scheme: fc.constantFrom('https', 'http'),
      })
      .map(({ host, path, port, scheme }) => ({ constraint_type: 'url', scheme, port, ...host, ...path })),
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc
        .tuple(fc.constantFrom('all', 'any'), fc.array(tie('tree'), { minLength: 1, maxLength: 3 }))
        .map(([constraint_type, constraints]) => ({ constraint_type, constraints })),
    ),
  }))
  const constraint = tree.map(parseConstraint)

  it('never holds when some value passes the child and fails the parent', () => {
    let held = 0
    fc.assert(
      fc.property(constraint, constraint, (parent, child) => {
        if (!subsumes(parent, child)) return
        held++
        const counterexample = values.find((v) => checkConstraint(child, v) && !checkConstraint(parent, v))
        expect(counterexample).toBeUndefined()
      }),
      { seed: 5_4, numRuns: 15_000 },
    )
    expect(held).toBeGreaterThan(500) // the property was not true for want of cases
  })

  it('holds for every constraint and itself, and is transitive', () => {
    fc.assert(
      fc.property(constraint, constraint, constraint, (a, b, c) => {
        expect(subsumes(a, a)).toBe(true)
        if (subsumes(a, b) && subsumes(b, c)) expect(subsumes(a, c)).toBe(true)
      }),
      { seed: 5_4, numRuns: 4_000 },
    )
  })
})
