import fc from 'fast-check'
import semver from 'semver'
import { describe, expect, it } from 'vitest'
import { admits, lowestOf, raiseRange } from '../../agents/dependencies/range.js'
import { parseSpec } from '../../agents/dependencies/spec.js'

describe('a raised range', () => {
  it.each([
    ['1.2.3', '1.2.9', '1.2.9'],
    ['=1.2.3', '1.2.9', '=1.2.9'],
    ['v1.2.3', '1.2.9', 'v1.2.9'],
    ['^1.2.3', '1.4.0', '^1.4.0'],
    ['^1', '1.4.0', '^1.4.0'],
    ['~1.2.3', '1.2.9', '~1.2.9'],
    ['~1.2', '1.3.0', '~1.3.0'],
    ['1.x', '1.4.0', '^1.4.0'],
    ['1', '2.1.0', '^2.1.0'],
    ['1.2.x', '1.2.9', '~1.2.9'],
    ['1.2', '1.3.1', '~1.3.1'],
    ['*', '1.4.0', '>=1.4.0'],
    ['', '1.4.0', '>=1.4.0'],
    ['x', '1.4.0', '>=1.4.0'],
    ['>=1.2.3', '1.4.0', '>=1.4.0'],
    ['>1.2.3', '1.4.0', '>=1.4.0'],
    ['>=1.2.3 <2', '1.4.0', '>=1.4.0 <2'],
    ['>= 1.2.3 < 2', '1.4.0', '>=1.4.0 <2'],
    ['>=1.2.3 <2.0.0', '2.1.0', '^2.1.0'],
    ['<2.0.0', '1.4.0', '>=1.4.0 <2.0.0'],
    ['1.0.0 - 1.9.9', '1.4.0', '1.4.0 - 1.9.9'],
    ['1.0.0 - 1.3.0', '1.4.0', '^1.4.0'],
    ['^1.0.0 || ^2.0.0', '1.4.0', '^1.4.0 || ^2.0.0'],
    ['^1.0.0 || ^2.0.0', '2.4.0', '^2.4.0'],
    ['^1.0.0 || ^2.0.0', '3.0.1', '^3.0.1'],
    ['^3.0.0-beta.1', '3.0.0-beta.9', '^3.0.0-beta.9'],
    ['3.0.0-beta.1', '3.0.0-beta.9', '3.0.0-beta.9'],
    ['^5.0.0-alpha.1', '5.0.0', '^5.0.0'],
    ['^0.0.8', '0.2.4', '^0.2.4'],
  ])('of "%s" for %s is "%s"', (range, version, raised) => {
    expect(raiseRange(range, version)).toBe(raised)
  })

  it('admits the version and nothing lower, for any range', () => {
    const number = fc.nat(4)
    const version = fc.tuple(number, number, number).map((parts) => parts.join('.'))
    const simple = fc
      .tuple(
        fc.constantFrom('', '^', '~', '>=', '>', '<=', '<', '='),
        version,
        fc.constantFrom('', '.x', ' <9.0.0'),
      )
      .map(([operator, text, end]) => (end === '.x' ? text.replace(/\.\d+$/, '.x') : operator + text + end))
    const range = fc.array(simple, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(' || '))
    fc.assert(
      fc.property(range, version, (before, to) => {
        fc.pre(semver.validRange(before) !== null)
        const raised = raiseRange(before, to)
        expect(admits(raised, to)).toBe(true)
        expect(lowestOf(raised)).toBe(to)
      }),
      { seed: 5, numRuns: 1000 },
    )
  })
})

describe('a declaration', () => {
  it.each([
    ['^1.0.0', { kind: 'range', name: 'key', range: '^1.0.0', alias: false }],
    ['', { kind: 'range', name: 'key', range: '', alias: false }],
    ['>=1 <3 || 5.x', { kind: 'range', name: 'key', range: '>=1 <3 || 5.x', alias: false }],
    ['npm:@s/real@~1.2.0', { kind: 'range', name: '@s/real', range: '~1.2.0', alias: true }],
    ['npm:real', { kind: 'range', name: 'real', range: '', alias: true }],
    ['npm:real@latest', { kind: 'tag' }],
    ['latest', { kind: 'tag' }],
    ['workspace:^1.0.0', { kind: 'workspace' }],
    ['file:../x', { kind: 'file' }],
    ['../x', { kind: 'file' }],
    ['x-1.0.0.tgz', { kind: 'file' }],
    ['https://example.com/x.tgz', { kind: 'tarball' }],
    ['https://example.com/x.git#v1', { kind: 'git' }],
    ['git+ssh://git@example.com/x.git', { kind: 'git' }],
    ['git@example.com:x/y.git', { kind: 'git' }],
    ['github:x/y#semver:^1', { kind: 'git' }],
    ['x/y#main', { kind: 'git' }],
  ])('"%s" is read as npm does', (text, spec) => {
    expect(parseSpec('key', text)).toEqual(spec)
  })
})
