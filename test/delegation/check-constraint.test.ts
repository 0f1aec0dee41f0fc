import { describe, expect, it } from 'vitest'
import { checkConstraint } from '../../runtime/delegation/check-constraint.js'
import { type Constraint, parseConstraint } from '../../runtime/delegation/constraint.js'

const cases: readonly [constraint: Constraint, passes: readonly unknown[], fails: readonly unknown[]][] = [
  [{ constraint_type: 'exact', value: 'a' }, ['a'], ['A', 'a ', ['a'], null, undefined]],
  [{ constraint_type: 'exact', value: 1 }, [1, 1.0], ['1', true, [1], 1.0000001]],
  [{ constraint_type: 'exact', value: 0 }, [0, -0], ['', false, null]],
  [{ constraint_type: 'exact', value: null }, [null], [undefined, 0, 'null']],
  [{ constraint_type: 'exact', value: false }, [false], [0, '', 'false', null]],
  [{ constraint_type: 'range', min: 1, max: 2 }, [1, 1.5, 2], [0.999, 2.001, '1', null, [1], Number.NaN]],
  [
    { constraint_type: 'range', min: 1, max: 2, min_inclusive: false, max_inclusive: false },
    [1.5],
    [1, 2, Number.POSITIVE_INFINITY],
  ],
  [{ constraint_type: 'range', min: 0 }, [0, 1e21], [-1e-9, 'x']],
  [{ constraint_type: 'range' }, [0, -5], ['0', {}]],
  [
    { constraint_type: 'one_of', values: ['a', { x: 1, y: 2 }] },
    ['a', { y: 2, x: 1 }],
    ['b', { x: 1 }, ['a']],
  ],
  [{ constraint_type: 'one_of', values: [] }, [], ['a', null, undefined]],
  [{ constraint_type: 'not_one_of', excluded: ['a', 1] }, ['b', '1', null, ['a']], ['a', 1, undefined]],
  [
    { constraint_type: 'contains', required: ['a'] },
    [['a'], ['b', 'a']],
    [[], ['A'], 'a', { 0: 'a', length: 1 }],
  ],
  [{ constraint_type: 'contains', required: [] }, [[], [1]], ['a', null]],
  [
    { constraint_type: 'subset', allowed: ['a', 'b'] },
    [[], ['a', 'a'], ['b', 'a']],
    [['c'], 'a', [['a']], null],
  ],
  [{ constraint_type: 'wildcard' }, [null, 0, '', [], {}], [undefined, Number.NaN, () => 1, '\ud800']],
  [
    {
      constraint_type: 'all',
      constraints: [
        { constraint_type: 'range', min: 1 },
        { constraint_type: 'range', max: 3 },
      ],
    },
    [1, 3],
    [0, 4],
  ],
  [
    {
      constraint_type: 'any',
      constraints: [
        { constraint_type: 'exact', value: 1 },
        { constraint_type: 'exact', value: 3 },
      ],
    },
    [1, 3],
    [2],
  ],
]

describe('checkConstraint', () => {
  for (const [constraint, passes, fails] of cases) {
    it(`judges by ${JSON.stringify(constraint)}`, () => {
      const parsed = parseConstraint(constraint)
      for (const value of passes) expect(checkConstraint(parsed, value), show(value)).toBe(true)
      for (const value of fails) expect(checkConstraint(parsed, value), show(value)).toBe(false)
    })
  }

  it('denies a type that came past the parser', () => {
    expect(checkConstraint({ constraint_type: 'regex' } as unknown as Constraint, 'a')).toBe(false)
  })

  it('refuses a value that answers differently each time', () => {
    let reads = 0
    const value = {
      get x() {
        return reads++
      },
    }
    expect(checkConstraint({ constraint_type: 'wildcard' }, value)).toBe(false)
    expect(reads).toBe(0)
  })
})

function show(value: unknown): string {
  return `${typeof value} ${String(JSON.stringify(value))}`
}
