import { describe, expect, it } from 'vitest'
import { checkConstraint } from '../../runtime/delegation/check-constraint.js'
import { parseConstraint } from '../../runtime/delegation/constraint.js'
import { matchesPattern } from '../../runtime/delegation/constraint-pattern.js'
import { subsumes } from '../../runtime/delegation/subsumes.js'
import { attack } from '../support/attack.js'
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

  // Each of these keeps hundreds of ways through the pattern open at every character of the text.
  const hostile = ['a*', 'a**', '*a', '**a', '*a**a', 'aa*'].map((unit) =>
    unit.repeat(Math.floor(1023 / unit.length)),
  )
  for (const text of hostile) {
    attack('X14', `ends soon for 1,024 characters of "${text.slice(0, 5)}…" over 200,000`, () => {
      const long = 'a'.repeat(200_000)
      const start = performance.now()
      expect(matchesPattern(long, `${text}b`)).toBe(false)
      expect(matchesPattern(`${long}b`, `${text}b`)).toBe(text.startsWith('*') || text.endsWith('*'))
      expect(matchesPattern(long, text)).toBe(true)
      // Some 50 ms here; state by state it takes 10 s, by backtracking for ever.
      expect(performance.now() - start).toBeLessThan(3_000)
    })
  }

  it('reads patterns of more parts than a machine word has bits, at every length', () => {
    for (let length = 1; length <= 140; length++) {
      const literal = 'x'.repeat(length - 1)
      expect(matchesPattern(`${literal}/ab`, `${literal}**b`), String(length)).toBe(true)
      expect(matchesPattern(`${literal}ab`, `${literal}*b`), String(length)).toBe(true)
      expect(matchesPattern(`${literal}/ab`, `${literal}*b`), String(length)).toBe(false)
      expect(matchesPattern(`${literal}y`, `${literal}yz`), String(length)).toBe(false)
      expect(matchesPattern(`ab${literal}`, `*b${literal}`), String(length)).toBe(true)
      expect(matchesPattern(`a/b${literal}`, `*b${literal}`), String(length)).toBe(false)
    }
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
