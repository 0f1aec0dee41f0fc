import { describe, expect, it } from 'vitest'
import { checkConstraint } from '../../runtime/delegation/check-constraint.js'
import { parseConstraint } from '../../runtime/delegation/constraint.js'
import { subsumes } from '../../runtime/delegation/subsumes.js'
import { expectCode } from '../support/expect-code.js'

const within = (root: string) => parseConstraint({ constraint_type: 'path_containment', root })

describe('path_containment', () => {
  it('admits the root and what is below it, and nothing beside it', () => {
    const repo = within('/srv/repo')
    for (const path of ['/srv/repo', '/srv/repo/a', '/srv/repo/a/b c', '/srv/repo/..a', '/srv/repo/a...']) {
      expect(checkConstraint(repo, path), path).toBe(true)
    }
    for (const path of ['/work', '/', '/srv/repository', '/srv/repo2/a', '/Work/repo/a', '/work/Repo']) {
      expect(checkConstraint(repo, path), path).toBe(false)
    }
  })

  it('refuses what would have to be resolved', () => {
    const repo = within('/srv/repo')
    const bypasses = [
      '/srv/repo/../secret',
      '/srv/repo/a/../../secret',
      '/srv/repo/./a',
      '/srv/repo/..',
      '/srv/repo/.',
      '/srv/repo//a',
      '//srv/repo/a',
      '/srv/repo/',
      '/srv/repo/a\0.txt',
      '/srv/repo/a\\..\\..\\secret',
      'work/repo/a',
      './srv/repo/a',
      '~/srv/repo/a',
      'file:///srv/repo/a',
      '',
      ' /srv/repo/a',
      ['/srv/repo/a'],
      null,
    ]
    for (const path of bypasses) expect(checkConstraint(repo, path), JSON.stringify(path)).toBe(false)
  })

  it('leaves percent signs alone: they mean themselves in a path', () => {
    expect(checkConstraint(within('/r'), '/r/%2e%2e/a')).toBe(true)
  })

  it('refuses a path that is not NFC, whose twin on disk may be another file', () => {
    expect(checkConstraint(within('/r'), '/r/caf\u00e9')).toBe(true)
    expect(checkConstraint(within('/r'), '/r/cafe\u0301')).toBe(false)
  })

  it('admits every plain path below "/"', () => {
    expect(checkConstraint(within('/'), '/')).toBe(true)
    expect(checkConstraint(within('/'), '/a/b')).toBe(true)
    expect(checkConstraint(within('/'), '/a/../b')).toBe(false)
  })

  it('refuses a root that is not plain', async () => {
    for (const root of ['', 'a', '/a/', '/a//b', '/a/../b', '/a\\b', '/e\u0301', undefined, 1]) {
      await expectCode(() => within(root as string), 'ERR_CONSTRAINT_INVALID')
    }
  })

  it('subsumes a root at or below it, and exact values within', () => {
    expect(subsumes(within('/a'), within('/a'))).toBe(true)
    expect(subsumes(within('/a'), within('/a/b'))).toBe(true)
    expect(subsumes(within('/'), within('/a'))).toBe(true)
    expect(subsumes(within('/a/b'), within('/a'))).toBe(false)
    expect(subsumes(within('/a'), within('/ab'))).toBe(false)
    expect(subsumes(within('/a'), { constraint_type: 'exact', value: '/a/b' })).toBe(true)
    expect(subsumes(within('/a'), { constraint_type: 'exact', value: '/a/../b' })).toBe(false)
    expect(subsumes(within('/a'), { constraint_type: 'one_of', values: ['/a/b', '/a'] })).toBe(true)
    expect(subsumes(within('/a'), { constraint_type: 'one_of', values: ['/a/b', '/b'] })).toBe(false)
    expect(subsumes(within('/a'), { constraint_type: 'pattern', value: '/a/*' })).toBe(false)
  })
})
