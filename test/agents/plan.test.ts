import { describe, expect, it } from 'vitest'
import { embeddedAdvisories } from '../../agents/advisories/load.js'
import { requireVersionChanges } from '../../agents/dependencies/allowed-edits.js'
import { takeInventory } from '../../agents/dependencies/inventory.js'
import { type Plan, type PlanOptions, planFixes } from '../../agents/dependencies/plan.js'
import type { Project } from '../../agents/dependencies/project.js'
import { findVulnerable } from '../../agents/dependencies/scan.js'
import { canonicalize, type JsonObject } from '../../runtime/index.js'
import { advisoriesOf, type Ranges } from '../support/advisories.js'
import { fixtureFolder, lockVersions, projectIn, shopFolder } from '../support/fixture-project.js'
import { type Files, lockOf, patched, projectOf } from '../support/memory-project.js'

interface Outcome {
  readonly plan: Plan
  readonly after: Project
  readonly manifest: JsonObject
  readonly lock: { readonly packages: Record<string, Record<string, unknown>> }
}

async function planFor(
  files: Files,
  packages: Record<string, Ranges>,
  options?: PlanOptions,
): Promise<Outcome> {
  const project = await projectOf(files)
  const advisories = advisoriesOf(packages)
  const plan = planFixes(project, findVulnerable(takeInventory(project), advisories), advisories, options)
  const after = patched(project, plan.changes)
  requireVersionChanges(plan.changes)
  return {
    plan,
    after,
    manifest: JSON.parse(after.manifest.text),
    lock: JSON.parse(after.lock?.text ?? '{}'),
  }
}

/** A project that declares `a`, which asks for `b`. */
function chain(range: string, more: object = {}, manifest: object = {}): Files {
  const root = { dependencies: { a: '^1.0.0' }, ...manifest }
  return {
    'package.json': root,
    'package-lock.json': lockOf({
      '': root,
      'node_modules/a': { version: '1.0.0', dependencies: { b: range } },
      'node_modules/b': {
        version: '1.0.0',
        resolved: 'https://registry.npmjs.org/b/-/b-1.0.0.tgz',
        integrity: 'sha512-b',
      },
      ...more,
    }),
  }
}

describe.each(lockVersions)('a plan for a lock file of version %d', (version) => {
  it('moves every instance, in both forms of the file, and leaves nothing that is fixable', async () => {
    const project = await projectIn(fixtureFolder(version))
    const advisories = await embeddedAdvisories()
    const plan = planFixes(project, findVulnerable(takeInventory(project), advisories), advisories)
    expect(plan.unfixable).toEqual([])
    expect(
      plan.fixes.map(
        (fix) => `${fix.package} ${fix.from} → ${fix.to} ${fix.how.join('+')} ${fix.paths.join(' ')}`,
      ),
    ).toEqual([
      'ansi-regex 5.0.0 → 5.0.1 range+lock node_modules/ansi-regex',
      'lodash 4.17.11 → 4.17.21 range+lock node_modules/old-lodash',
      'lodash 4.17.15 → 4.17.21 range+lock node_modules/lodash',
      'minimist 0.0.8 → 0.2.4 override+lock node_modules/mkdirp/node_modules/minimist',
      'minimist 0.2.0 → 0.2.4 range+lock packages/a/node_modules/minimist',
      'minimist 1.2.5 → 1.2.6 range+lock node_modules/minimist',
      'ws 7.4.4 → 7.5.10 range+lock node_modules/ws',
    ])
    const after = patched(project, plan.changes)
    expect(findVulnerable(takeInventory(after), advisories)).toEqual([])
    expect(takeInventory(after).notes).toEqual([])
    const lock = after.lock?.text ?? ''
    for (const old of ['4.17.11', '4.17.15', '0.2.0"', '7.4.4']) expect(lock).not.toContain(old)
    expect(lock.match(/lodash-4\.17\.21\.tgz/g)).toHaveLength(version === 2 ? 4 : 2)
    // What mkdirp asks for is mkdirp's to say: the override answers it.
    expect(lock).toContain('"minimist": "0.0.8"')
    expect(() => requireVersionChanges(plan.changes)).not.toThrow()
    expect(canonicalize(plan)).toContain('sha256:')
  })
})

describe('the sample project', () => {
  it('has every trap, and is patched but for the package without a fix', async () => {
    const project = await projectIn(shopFolder)
    const advisories = await embeddedAdvisories()
    const findings = findVulnerable(takeInventory(project), advisories)
    const plan = planFixes(project, findings, advisories)
    expect(
      plan.fixes.map((fix) => `${fix.package} ${fix.to} ${fix.how[0]}${fix.breaking ? ' breaking' : ''}`),
    ).toEqual([
      '@babel/traverse 7.23.2 range',
      'axios 0.28.0 range breaking',
      'express 4.20.0 range',
      'jsonwebtoken 9.0.0 range breaking',
      'lodash 4.17.21 range',
      'minimist 0.2.4 override breaking',
      'minimist 1.2.6 range',
      'node-fetch 3.0.0-beta.9 range',
      'path-to-regexp 0.1.10 override',
      'qs 6.7.3 override',
      'semver 5.7.2 lock',
      'ws 7.5.10 range',
    ])
    expect(plan.unfixable.map((one) => `${one.package}: ${one.reason}`)).toEqual([
      'lodash.template: no fixed version is known',
    ])
    const left = findVulnerable(takeInventory(patched(project, plan.changes)), advisories)
    expect(left.map((finding) => finding.package)).toEqual(['lodash.template'])
    expect(project.lock?.text).not.toMatch(/"resolved": "(?!https:\/\/registry\.npmjs\.org\/|packages\/)/)
    expect(() => requireVersionChanges(plan.changes)).not.toThrow()
  })

  it('gives the same plan again, and none once it is patched', async () => {
    const project = await projectIn(shopFolder)
    const advisories = await embeddedAdvisories()
    const plan = (of: Project) => planFixes(of, findVulnerable(takeInventory(of), advisories), advisories)
    expect(canonicalize(plan(project))).toBe(canonicalize(plan(project)))
    const again = plan(patched(project, plan(project).changes))
    expect([again.changes, again.fixes]).toEqual([[], []])
  })
})

describe('a vulnerable package that only others need', () => {
  it('moves in the lock file alone when their ranges admit the fix', async () => {
    const { plan, lock } = await planFor(chain('^1.0.0'), { b: [['0', '1.0.1']] })
    expect(plan.changes.map((change) => change.file)).toEqual(['package-lock.json'])
    expect(lock.packages['node_modules/b']).toEqual({
      version: '1.0.1',
      resolved: 'https://registry.npmjs.org/b/-/b-1.0.1.tgz',
    })
  })

  it('is overridden, for exactly the range that keeps it back, when one does not', async () => {
    const { plan, manifest, lock } = await planFor(chain('1.0.0'), { b: [['0', '1.0.1']] })
    expect(manifest['overrides']).toEqual({ 'b@1.0.0': '1.0.1' })
    expect(lock.packages['node_modules/b']?.['version']).toBe('1.0.1')
    expect(plan.notes).toContain('"overrides" need npm 8.3 or later')
  })

  it('stays when the fix is a new major version, unless that is allowed', async () => {
    const vulnerable = { b: [['0', '2.0.0']] as Ranges }
    const refused = await planFor(chain('^1.0.0'), vulnerable)
    expect(refused.plan.changes).toEqual([])
    expect(refused.plan.unfixable[0]?.reason).toBe(
      'needs a major upgrade to 2.0.0, which is not forced on a dependency of a dependency: a 1.0.0 asks for "^1.0.0"',
    )
    const admitted = await planFor(chain('>=1.0.0'), vulnerable)
    expect(admitted.plan.fixes.map((fix) => [fix.to, fix.breaking, fix.how])).toEqual([
      ['2.0.0', true, ['lock']],
    ])
    const allowed = await planFor(chain('^1.0.0'), vulnerable, { allowMajor: true })
    expect(allowed.manifest['overrides']).toEqual({ 'b@^1.0.0': '2.0.0' })
  })

  it('raises an override of the project that keeps it back', async () => {
    const files = chain('^1.0.0', {}, { overrides: { b: '1.0.0' } })
    const { plan, manifest } = await planFor(files, { b: [['0', '1.0.1']] })
    expect(manifest['overrides']).toEqual({ b: '1.0.1' })
    expect(plan.fixes).toHaveLength(1)
  })

  it('is left alone under overrides that are not read here', async () => {
    for (const overrides of [{ a: { b: '1.0.0' } }, { b: '$b' }, { b: { '.': '1.0.0' } }]) {
      const { plan } = await planFor(chain('^1.0.0', {}, { overrides }), { b: [['0', '1.0.1']] })
      expect(plan.changes).toEqual([])
      expect(plan.unfixable[0]?.reason).toBe(
        'package.json overrides this package in a way that is not changed here',
      )
    }
    const others = await planFor(chain('1.0.0', {}, { overrides: { a: { c: '1' } } }), {
      b: [['0', '1.0.1']],
    })
    expect(others.manifest['overrides']).toEqual({ a: { c: '1' }, 'b@1.0.0': '1.0.1' })
  })

  it('is not overridden when the override would hit another range too', async () => {
    const other = {
      'node_modules/c': { version: '1.0.0', dependencies: { b: '^1.0.0' } },
      'node_modules/c/node_modules/b': { version: '1.5.0' },
    }
    const hit = await planFor(chain('1.0.0', other), { b: [['0', '1.0.1']] })
    expect(hit.plan.unfixable[0]?.reason).toBe(
      'range conflict: an override would also hit c, which asks for "^1.0.0" and has 1.5.0',
    )
    const apart = structuredClone(other)
    apart['node_modules/c'].dependencies.b = '^1.5.0'
    expect((await planFor(chain('1.0.0', apart), { b: [['0', '1.0.1']] })).plan.fixes).toHaveLength(1)
  })

  it('takes the checksum of the new version from another place where it is installed', async () => {
    const resolved = 'https://registry.npmjs.org/b/-/b-1.0.1.tgz'
    const other = { 'node_modules/c/node_modules/b': { version: '1.0.1', resolved, integrity: 'sha512-c' } }
    const { lock } = await planFor(chain('^1.0.0', other), { b: [['0', '1.0.1']] })
    expect(lock.packages['node_modules/b']).toEqual({ version: '1.0.1', resolved, integrity: 'sha512-c' })
  })
})

describe('a vulnerable package that the project declares', () => {
  function declared(range: string, version = '1.0.0', field = 'dependencies', more: object = {}): Files {
    const root = { [field]: { '@s/b': range } }
    return {
      'package.json': root,
      'package-lock.json': lockOf({ '': root, 'node_modules/@s/b': { version, ...more } }),
    }
  }
  const fixedAt = (version: string): Record<string, Ranges> => ({ '@s/b': [['0', version]] })

  it('has its range raised, so that no fresh install can bring it back', async () => {
    const { manifest, lock } = await planFor(declared('^1.0.0'), fixedAt('1.2.0'))
    expect(manifest['dependencies']).toEqual({ '@s/b': '^1.2.0' })
    expect(lock.packages['']?.['dependencies']).toEqual({ '@s/b': '^1.2.0' })
    expect(lock.packages['node_modules/@s/b']).toEqual({ version: '1.2.0' })
  })

  it('keeps a peer range that admits the fix: it is a promise to others', async () => {
    const { plan, manifest } = await planFor(
      declared('^1.0.0', '1.0.0', 'peerDependencies'),
      fixedAt('1.2.0'),
    )
    expect(manifest['peerDependencies']).toEqual({ '@s/b': '^1.0.0' })
    expect(plan.fixes[0]?.how).toEqual(['lock'])
  })

  it('goes to a new major version when nothing less helps, marked as breaking', async () => {
    const { plan, manifest } = await planFor(declared('^1.0.0'), fixedAt('2.0.0'))
    expect(manifest['dependencies']).toEqual({ '@s/b': '^2.0.0' })
    expect(plan.fixes.map((fix) => fix.breaking)).toEqual([true])
  })

  it('goes to the lowest fix of its own major version that no advisory affects', async () => {
    const ranges: Ranges = [
      ['0', '1.1.0'],
      ['1.1.0', '1.2.0'],
      ['2.0.0', '2.0.1'],
      ['0', '0.9.0'],
    ]
    const { plan } = await planFor(declared('^1.0.0'), { '@s/b': ranges })
    expect(plan.fixes.map((fix) => fix.to)).toEqual(['1.2.0'])
  })

  it.each([
    ['no fix is known', [['0']], 'no fixed version is known'],
    ['the fix is older', [['1.0.0'], ['0', '0.5.0']], 'no fixed version above 1.0.0 is known'],
    [
      'every fix is affected',
      [['0', '1.0.1'], ['1.0.1', '1.0.2'], ['1.0.2']],
      'every fixed version is itself affected (1.0.1, 1.0.2)',
    ],
    ['only a prerelease fixes it', [['0', '1.1.0-rc.1']], 'only a prerelease fixes it (1.1.0-rc.1)'],
  ] satisfies [string, Ranges, string][])('stays when %s', async (_, ranges, reason) => {
    const { plan } = await planFor(declared('^1.0.0'), { '@s/b': ranges })
    expect([plan.changes, plan.fixes, plan.unfixable.map((one) => one.reason)]).toEqual([[], [], [reason]])
  })

  it('goes from one prerelease to a later one of the same version, and not to one of another', async () => {
    const later = await planFor(declared('1.0.0-rc.1', '1.0.0-rc.1'), fixedAt('1.0.0-rc.3'))
    expect(later.manifest['dependencies']).toEqual({ '@s/b': '1.0.0-rc.3' })
    const other = await planFor(declared('1.0.0-rc.1', '1.0.0-rc.1'), fixedAt('1.1.0-rc.1'))
    expect(other.plan.unfixable[0]?.reason).toBe('only a prerelease fixes it (1.1.0-rc.1)')
  })

  it.each([
    [{ inBundle: true }, 'bundled inside another package'],
    [{ resolved: 'git+ssh://git@example.com/x.git#abc' }, 'installed from git'],
    [{ resolved: 'file:b.tgz' }, 'installed from a local file'],
  ])('stays when no registry gave it (%#)', async (more, reason) => {
    const { plan } = await planFor(declared('^1.0.0', '1.0.0', 'dependencies', more), fixedAt('1.2.0'))
    expect(plan.unfixable[0]?.reason).toContain(reason)
  })

  it('is edited in the manifest alone when there is no lock file', async () => {
    const { plan, manifest } = await planFor(
      { 'package.json': { dependencies: { '@s/b': '1.0.0' } } },
      fixedAt('1.2.0'),
    )
    expect(manifest).toEqual({ dependencies: { '@s/b': '1.2.0' } })
    expect(plan.fixes[0]?.how).toEqual(['range'])
  })

  it('moves together with what else needs it, or not at all', async () => {
    const files = (range: string): Files => {
      const root = { dependencies: { '@s/b': '^1.0.0', a: '1.0.0' } }
      const packages = {
        '': root,
        'node_modules/@s/b': { version: '1.0.0' },
        'node_modules/a': { version: '1.0.0', peerDependencies: { '@s/b': range } },
      }
      return { 'package.json': root, 'package-lock.json': lockOf(packages) }
    }
    const held = await planFor(files('^1.0.0'), fixedAt('2.0.0'))
    expect(held.plan.unfixable[0]?.reason).toContain('a 1.0.0 asks for "^1.0.0"')
    expect(held.plan.changes).toEqual([])
    const free = await planFor(files('>=1.0.0'), fixedAt('2.0.0'))
    expect(free.plan.fixes).toHaveLength(1)
  })

  it('loses a tarball address that follows no convention', async () => {
    const resolved = 'https://npm.example.com/download/@s/b/1.0.0/abcdef'
    const { lock } = await planFor(
      declared('^1.0.0', '1.0.0', 'dependencies', { resolved }),
      fixedAt('1.2.0'),
    )
    expect(lock.packages['node_modules/@s/b']).toEqual({ version: '1.2.0' })
    const mirror = 'https://npm.example.com/@s/b/-/b-1.0.0.tgz'
    const kept = await planFor(
      declared('^1.0.0', '1.0.0', 'dependencies', { resolved: mirror }),
      fixedAt('1.2.0'),
    )
    expect(kept.lock.packages['node_modules/@s/b']?.['resolved']).toBe(
      'https://npm.example.com/@s/b/-/b-1.2.0.tgz',
    )
  })
})
