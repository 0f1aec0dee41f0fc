import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requireVersionChanges } from '../../agents/dependencies/allowed-edits.js'
import { takeInventory } from '../../agents/dependencies/inventory.js'
import { overridesFor, ruleFor } from '../../agents/dependencies/overrides.js'
import { planFixes } from '../../agents/dependencies/plan.js'
import { admits } from '../../agents/dependencies/range.js'
import { type Finding, findVulnerable } from '../../agents/dependencies/scan.js'
import { parseSpec } from '../../agents/dependencies/spec.js'
import { advisoriesOf, type Ranges } from '../support/advisories.js'
import { type Files, lockOf, patched, projectOf } from '../support/memory-project.js'

// Small worlds, so that ranges, versions and advisories really meet.
const names = ['a', 'b', '@s/c'] as const
const version = fc
  .tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.constantFrom('', '', '', '-rc.1'))
  .map(([major, minor, patch, pre]) => `${major}.${minor}.${patch}${pre}`)
const rangeFor = (text: string) =>
  fc.constantFrom(text, `^${text}`, `~${text}`, `>=${text}`, `${text} || ^9.0.0`, '*', `>=${text} <3.0.0`)
const ranges: fc.Arbitrary<Ranges> = fc.array(
  fc.tuple(version, version, fc.boolean()).map(([one, other, open]) => {
    const [from, to] = one < other ? [one, other] : [other, one]
    return open || from === to ? ([from] as const) : ([from, to] as const)
  }),
  { maxLength: 3 },
)

/** A root with a workspace; every package is installed at the top, and may be nested once below another. */
const world: fc.Arbitrary<Files> = fc
  .record({
    top: fc.tuple(version, version, version),
    nested: fc.tuple(version, version),
    wanted: fc.array(fc.tuple(fc.nat(2), fc.boolean(), fc.boolean()), { maxLength: 4 }),
    needs: fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { maxLength: 5 }),
    picks: fc.array(fc.nat(6), { minLength: 12, maxLength: 12 }),
    indent: fc.constantFrom(2, 4),
  })
  .chain(({ top, nested, wanted, needs, picks, indent }) => {
    const versions = [...top, ...nested]
    return fc.tuple(...versions.map((text) => rangeFor(text))).map((texts) => {
      let pick = 0
      const rangeOf = (index: number): string => ((picks[pick++ % 12] ?? 0) < 4 ? (texts[index] ?? '*') : '*')
      const root: Record<string, Record<string, string>> = { dependencies: {}, devDependencies: {} }
      const member: typeof root = { dependencies: {}, devDependencies: {} }
      for (const [index, own, dev] of wanted) {
        const place = (own ? root : member)[dev ? 'devDependencies' : 'dependencies']
        if (place) place[names[index] ?? 'a'] = rangeOf(index)
      }
      const packages: Record<string, { version?: string; dependencies?: Record<string, string> }> = {}
      for (const [index, name] of names.entries())
        packages[`node_modules/${name}`] = { version: top[index] ?? '1.0.0' }
      packages['node_modules/a/node_modules/b'] = { version: nested[0] }
      packages['packages/w/node_modules/@s/c'] = { version: nested[1] }
      for (const [from, to] of needs) {
        const entry = packages[`node_modules/${names[from]}`]
        const nestedB = from === 0 && to === 1
        if (entry && from !== to) {
          entry.dependencies = { ...entry.dependencies, [names[to] ?? 'a']: rangeOf(nestedB ? 3 : to) }
        }
      }
      return {
        'package.json': `${JSON.stringify({ name: 'root', workspaces: ['packages/*'], ...root }, null, indent)}\n`,
        'packages/w/package.json': JSON.stringify({ name: 'w', ...member }, null, indent),
        'package-lock.json': lockOf({
          '': root,
          ...packages,
          'node_modules/w': { resolved: 'packages/w', link: true },
          'packages/w': { name: 'w', ...member },
        }),
      }
    })
  })

const advised = fc.tuple(ranges, ranges, ranges).map(([a, b, c]) => advisoriesOf({ a, b, '@s/c': c }))

const pairs = (findings: readonly Finding[]) =>
  new Set(
    findings.flatMap(({ paths, advisories }) =>
      paths.flatMap((path) => advisories.map(({ id }) => `${path} ${id}`)),
    ),
  )

describe('a plan, once applied', () => {
  it('fixes what it says, finds nothing new, and leaves no range unmet that was met before', async () => {
    let fixed = 0
    await fc.assert(
      fc.asyncProperty(world, advised, fc.boolean(), async (files, advisories, allowMajor) => {
        const project = await projectOf(files)
        const before = findVulnerable(takeInventory(project), advisories)
        const plan = planFixes(project, before, advisories, { allowMajor })
        requireVersionChanges(plan.changes)
        const after = patched(project, plan.changes)
        const left = pairs(findVulnerable(takeInventory(after), advisories))
        const known = pairs(before)
        for (const pair of left) expect(known, 'a new finding').toContain(pair)
        for (const fix of plan.fixes) {
          fixed += 1
          for (const path of fix.paths)
            for (const id of fix.advisories) expect(left).not.toContain(`${path} ${id}`)
        }
        // Every finding is either fixed or has its reason.
        const told = new Set([...plan.fixes, ...plan.unfixable].flatMap((one) => one.paths))
        for (const finding of before) for (const path of finding.paths) expect(told).toContain(path)
        for (const path of unmet(after)) expect(unmet(project)).toContain(path)
      }),
      { seed: 3, numRuns: 500 },
    )
    expect(fixed).toBeGreaterThan(100)
  })
})

/** Places where somebody gets a version that neither his range nor an override for it admits, as npm judges. */
function unmet(project: Parameters<typeof takeInventory>[0]): readonly string[] {
  const overrides = JSON.parse(project.manifest.text).overrides ?? {}
  return takeInventory(project).installed.flatMap((one) => {
    const rules = overridesFor(overrides, one.name)
    const met = (text: string, root: boolean): boolean => {
      const spec = parseSpec(one.name, text)
      if (spec.kind !== 'range') return true
      const rule = ruleFor(rules, spec.range)
      // For what the root declares itself, npm refuses any override that changes it.
      if (root && rule) return false
      return admits(rule?.value ?? spec.range, one.version)
    }
    const direct = one.direct.filter(({ manifest, range }) => !met(range, manifest === 'package.json'))
    const dependents = one.dependents.filter(({ range }) => !met(range, false))
    return [
      ...direct.map(({ manifest }) => `${manifest} > ${one.path}`),
      ...dependents.map(({ path }) => `${path} > ${one.path}`),
    ]
  })
}
