import { describe, expect, it } from 'vitest'
import { countConstraints, maxConstraintDepth, parseConstraint } from '../../runtime/delegation/constraint.js'
import { expectCode } from '../support/expect-code.js'

const refusals: readonly [what: string, refused: unknown, allowed: unknown][] = [
  ['an unknown type', { constraint_type: 'regex', value: 'a' }, { constraint_type: 'exact', value: 'a' }],
  ['a type that objects inherit', { constraint_type: 'toString' }, { constraint_type: 'wildcard' }],
  ['a missing type', { value: 'a' }, { constraint_type: 'exact', value: 'a' }],
  ['an array', [{ constraint_type: 'wildcard' }], { constraint_type: 'wildcard' }],
  ['null', null, { constraint_type: 'exact', value: null }],
  ['a member its type lacks', { constraint_type: 'wildcard', value: 1 }, { constraint_type: 'wildcard' }],
  ['a misspelt bound', { constraint_type: 'range', maximum: 1 }, { constraint_type: 'range', max: 1 }],
  ['a bound that is text', { constraint_type: 'range', max: '1' }, { constraint_type: 'range', max: 1 }],
  ['a bound that is not finite', { constraint_type: 'range', max: Infinity }, { constraint_type: 'range' }],
  [
    'a flag that is text',
    { constraint_type: 'range', max: 1, max_inclusive: 'false' },
    { constraint_type: 'range', max: 1, max_inclusive: false },
  ],
  ['exact without a value', { constraint_type: 'exact' }, { constraint_type: 'exact', value: '' }],
  ['exact of an object', { constraint_type: 'exact', value: {} }, { constraint_type: 'exact', value: 0 }],
  [
    'values that are no array',
    { constraint_type: 'one_of', values: 'ab' },
    { constraint_type: 'one_of', values: ['ab'] },
  ],
  [
    'excluded under another name',
    { constraint_type: 'not_one_of', values: [] },
    { constraint_type: 'not_one_of', excluded: [] },
  ],
  ['required missing', { constraint_type: 'contains' }, { constraint_type: 'contains', required: [] }],
  ['allowed missing', { constraint_type: 'subset' }, { constraint_type: 'subset', allowed: [] }],
  [
    'all without clauses',
    { constraint_type: 'all', constraints: [] },
    { constraint_type: 'all', constraints: [{ constraint_type: 'wildcard' }] },
  ],
  [
    'any without clauses',
    { constraint_type: 'any', constraints: [] },
    { constraint_type: 'any', constraints: [{ constraint_type: 'wildcard' }] },
  ],
  [
    'an unknown type inside any',
    { constraint_type: 'any', constraints: [{ constraint_type: 'wildcard' }, { constraint_type: 'x' }] },
    { constraint_type: 'any', constraints: [{ constraint_type: 'wildcard' }] },
  ],
  [
    'a value without canonical JSON',
    { constraint_type: 'one_of', values: [Number.NaN] },
    { constraint_type: 'one_of', values: [0] },
  ],
  ['an undefined member', { constraint_type: 'range', max: undefined }, { constraint_type: 'range' }],
]

describe('parseConstraint', () => {
  for (const [what, refused, allowed] of refusals) {
    it(`refuses ${what}`, async () => {
      await expectCode(() => parseConstraint(refused), 'ERR_CONSTRAINT_INVALID')
      expect(parseConstraint(allowed)).toEqual(allowed)
    })
  }

  it('reads 32 levels and refuses the 33rd', async () => {
    expect(countConstraints(parseConstraint(nested(maxConstraintDepth)))).toBe(32)
    await expectCode(() => parseConstraint(nested(maxConstraintDepth + 1)), 'ERR_CONSTRAINT_INVALID')
    await expectCode(() => parseConstraint(nested(100_000)), 'ERR_CONSTRAINT_INVALID')
  })

  it('copies and freezes: a later change of the original has no effect', () => {
    const values = ['a', { deep: [1] }]
    const parsed = parseConstraint({ constraint_type: 'one_of', values })
    values.push('b')
    expect(parsed).toEqual({ constraint_type: 'one_of', values: ['a', { deep: [1] }] })
    expect(Object.isFrozen(parsed)).toBe(true)
    expect(() => (parsed as unknown as { values: unknown[] }).values.push('c')).toThrow(TypeError)
  })

  it('refuses a getter, which could answer differently the second time', async () => {
    const tricky = {
      constraint_type: 'exact',
      get value() {
        return 'a'
      },
    }
    await expectCode(() => parseConstraint(tricky), 'ERR_CONSTRAINT_INVALID')
  })

  it('takes no member from a polluted prototype', async () => {
    Object.defineProperty(Object.prototype, 'root', { value: '/', configurable: true, writable: true })
    try {
      await expectCode(
        () => parseConstraint({ constraint_type: 'path_containment' }),
        'ERR_CONSTRAINT_INVALID',
      )
    } finally {
      Reflect.deleteProperty(Object.prototype, 'root')
    }
    expect(parseConstraint({ constraint_type: 'path_containment', root: '/' })).toMatchObject({ root: '/' })
  })

  it('counts nested constraints', () => {
    expect(
      countConstraints(parseConstraint({ constraint_type: 'all', constraints: [nested(3), nested(1)] })),
    ).toBe(5)
  })
})

function nested(depth: number): unknown {
  let constraint: unknown = { constraint_type: 'wildcard' }
  for (let level = 1; level < depth; level++)
    constraint = { constraint_type: 'all', constraints: [constraint] }
  return constraint
}
