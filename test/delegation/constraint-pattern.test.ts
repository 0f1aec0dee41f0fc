import { describe, expect, it } from 'vitest'
import { checkConstraint } from '../../runtime/delegation/check-constraint.js'
import { parseConstraint } from '../../runtime/delegation/constraint.js'
import { matchesPattern } from '../../runtime/delegation/constraint-pattern.js'
import { subsumes } from '../../runtime/delegation/subsumes.js'
import { expectCode } from '../support/expect-code.js'

const pattern = (value: string) => parseConstraint({ constraint_type: 'pattern', value })

const cases: readonly [pattern: string, matches: readonly string[], others: readonly string[]][] = [
  ['abc', ['abc'], ['ab', 'abcd', 'xabc', 'ABC', '']],
  ['*', ['', 'abc', 'a b'], ['a/b', '/']],
  ['**', ['', 'abc', 'a/b/c', '/'], []],
  ['/src/*', ['/src/', '/src/a.ts'], ['/src', '/src/a/b', 'x/src/a']],
  ['/src/**', ['/src/', '/src/a', '/src/a/b'], ['/src', '/srcs/a']],
  ['/src/**/*.ts', ['/src/a/b.ts', '/src/a/b/c.ts', '/src//b.ts'], ['/src/b.ts', '/src/a/b.js']],
  ['*.*', ['a.b', 'a.', 'a.b.c'], ['ab', 'a/b.c']],
  ['a*b*c', ['abc', 'aXbXc', 'abbcc'], ['ab', 'acb', 'a/bc']],
  ['a?[b]{c,d}(e)+$^|.', ['a?[b]{c,d}(e)+$^|.'], ['aXbc']],
]

describe('pattern', () => {
  for (const [text, matches, others] of cases) {
    it(`"${text}" matches as written`, () => {
      for (const value of matches) expect(checkConstraint(pattern(text), value), value).toBe(true)
      for (const value of others) expect(checkConstraint(pattern(text), value), value).toBe(false)
    })
  }

  it('matches only text', () => {
    for (const value of [null, 1, ['a'], { a: 1 }, true]) {
      expect(checkConstraint(pattern('**'), value)).toBe(false)
    }
  })

  it('matches no text that a reader would resolve to another one', () => {
    for (const value of ['/data/../etc', '/data/./a', '/data/..', '..', '/data/a\\..\\b', '/data/a\0']) {
      expect(checkConstraint(pattern('**'), value), JSON.stringify(value)).toBe(false)
    }
    expect(checkConstraint(pattern('/data/**'), '/data/..a/b..')).toBe(true)
  })

  it('ends soon for patterns that make backtracking explode', () => {
    const text = 'a'.repeat(5_000)
    expect(matchesPattern(text, `${'a*'.repeat(50)}b`)).toBe(false)
    expect(matchesPattern(text, `${'a**'.repeat(50)}b`)).toBe(false)
    expect(matchesPattern(text, 'a*'.repeat(50))).toBe(true)
  })

  it('refuses what is no pattern', async () => {
    for (const value of ['', 'a***', 'x'.repeat(1025), 1, null, undefined]) {
      await expectCode(() => pattern(value as string), 'ERR_CONSTRAINT_INVALID')
    }
    expect(pattern('x'.repeat(1024))).toMatchObject({ constraint_type: 'pattern' })
  })

  it('subsumes itself, and values that all match', () => {
    expect(subsumes(pattern('/a/*'), pattern('/a/*'))).toBe(true)
    expect(subsumes(pattern('/a/**'), pattern('/a/*'))).toBe(false)
    expect(subsumes(pattern('/a/*'), { constraint_type: 'exact', value: '/a/b' })).toBe(true)
    expect(subsumes(pattern('/a/*'), { constraint_type: 'exact', value: '/a/b/c' })).toBe(false)
    expect(subsumes(pattern('/a/*'), { constraint_type: 'one_of', values: ['/a/b', '/a/c'] })).toBe(true)
    expect(subsumes(pattern('/a/*'), { constraint_type: 'one_of', values: ['/a/b', '/b'] })).toBe(false)
  })
})
