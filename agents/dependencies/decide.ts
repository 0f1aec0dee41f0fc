/** What happens to the installed instances of one package: which move to which version, by which means, or why not. */
import semver from 'semver'
import type { AdvisorySet } from '../advisories/advisory-set.js'
import { affecting } from '../advisories/advisory-set.js'
import { chooseFix } from './choose-fix.js'
import type { Dependent, Direct, Installed } from './inventory.js'
import { type OverrideRule, type OverrideRules, overlap, ruleFor } from './overrides.js'
import { admits, lowestOf, raiseRange } from './range.js'
import { parseSpec, withRange } from './spec.js'

/** One vulnerable version and what is done about its instances. */
export interface Decision {
  readonly from: string
  readonly to: string
  readonly breaking: boolean
  readonly moved: readonly Installed[]
  /** Declarations of the project to rewrite. */
  readonly raised: readonly { readonly direct: Direct; readonly key: string; readonly range: string }[]
  /** Rules to put into `overrides`, or to change there: key, value before (null: new), value after. */
  readonly overrides: readonly { readonly key: string; readonly from: string | null; readonly to: string }[]
}

export interface Refusal {
  readonly from: string
  readonly stuck: readonly Installed[]
  readonly reason: string
}

export interface PackageRequest {
  readonly name: string
  /** Vulnerable versions to get rid of. */
  readonly versions: readonly string[]
  /** Every instance of the package, vulnerable or not. */
  readonly instances: readonly Installed[]
  readonly rules: OverrideRules
  readonly advisories: AdvisorySet
  readonly allowMajor: boolean
}

/** Decides for one package. */
export function decideFixes(request: PackageRequest): {
  readonly decisions: readonly Decision[]
  readonly refusals: readonly Refusal[]
} {
  const refusals: Refusal[] = []
  let drafts: Decision[] = []
  for (const version of request.versions) {
    const instances = request.instances.filter((one) => one.version === version)
    const [movable, stuck] = split(instances, (one) => one.source === 'registry')
    refusals.push(...stuck.map((one) => ({ from: version, stuck: [one], reason: whyStuck(one) })))
    if (movable.length === 0) continue
    const drafted = draft(request, version, movable)
    if ('reason' in drafted) refusals.push({ from: version, stuck: movable, reason: drafted.reason })
    else drafts.push(drafted)
  }
  // One draft that falls may leave a version in place that another one's override would hit: so until none falls.
  for (;;) {
    const fallen = drafts.find((one) => conflictOf(request, drafts, one) !== undefined)
    if (!fallen) return { decisions: drafts, refusals }
    refusals.push({
      from: fallen.from,
      stuck: fallen.moved,
      reason: conflictOf(request, drafts, fallen) ?? '',
    })
    drafts = drafts.filter((one) => one !== fallen)
  }
}

function draft(
  request: PackageRequest,
  from: string,
  moved: readonly Installed[],
): Decision | { readonly reason: string } {
  const choice = chooseFix(request.advisories, request.name, from)
  if ('reason' in choice) return choice
  const to = choice.version
  const needs = new Map<string, { readonly key: string; readonly from: string | null; readonly to: string }>()
  for (const instance of moved) {
    const ahead = instance.direct.find((direct) => beginsAbove(instance, direct, to))
    if (ahead) {
      return {
        reason: `${ahead.manifest} declares "${ahead.range}" but ${from} is installed: run \`npm install\` first`,
      }
    }
    for (const dependent of instance.dependents) {
      const means = reconcile(request, instance, dependent, to, choice.major)
      if (means && 'reason' in means) return means
      if (means) needs.set(means.key, means)
    }
    const strange = choice.major && instance.direct.length === 0 && instance.dependents.length === 0
    if (strange && !request.allowMajor)
      return { reason: `needs a major upgrade to ${to}, and nothing says who needs the package` }
  }
  return {
    from,
    to,
    breaking: choice.breaking,
    moved,
    raised: moved.flatMap((instance) => raisedFor(request, instance, to)),
    overrides: [...needs.values()],
  }
}

/** The lock file is behind the manifest; raising the range to the fix would lower it. */
function beginsAbove(instance: Installed, direct: Direct, to: string): boolean {
  const spec = parseSpec(instance.alias ?? instance.name, direct.range)
  if (spec.kind !== 'range' || admits(spec.range, to)) return false
  const lowest = lowestOf(spec.range)
  return lowest === undefined || semver.gt(lowest, to)
}

type Means = Decision['overrides'][number]

/** What it takes so that a dependent gets `to`: nothing, an override, or it cannot be had. */
function reconcile(
  request: PackageRequest,
  instance: Installed,
  dependent: Dependent,
  to: string,
  major: boolean,
): Means | { readonly reason: string } | undefined {
  const spec = parseSpec(instance.alias ?? instance.name, dependent.range)
  if (spec.kind !== 'range') return undefined // a tag: the lock file decides
  if (request.rules.unread)
    return { reason: 'package.json overrides this package in a way that is not changed here' }
  const rule = instance.alias === undefined ? ruleFor(request.rules, spec.range) : undefined
  const effective = rule?.value ?? spec.range
  const wide = admits(effective, to)
  if (wide && !(rule && isVulnerable(request, rule))) return undefined
  const asked = `${dependent.name}${dependent.version === undefined ? '' : ` ${dependent.version}`} asks for "${dependent.range}"`
  if (!wide && major && !request.allowMajor) {
    return {
      reason: `needs a major upgrade to ${to}, which is not forced on a dependency of a dependency: ${asked}`,
    }
  }
  if (instance.alias !== undefined)
    return { reason: `range conflict: ${asked} under the name ${instance.alias}` }
  if (rule) return { key: rule.key, from: rule.value, to: raiseRange(rule.value, to) }
  return { key: `${request.name}@${spec.range}`, from: null, to }
}

function isVulnerable(request: PackageRequest, rule: OverrideRule): boolean {
  const lowest = lowestOf(rule.value)
  return lowest !== undefined && affecting(request.advisories, request.name, lowest).length > 0
}

/** The project's own ranges that do not admit `to`, or (peers apart, which are promises to others) begin at a vulnerable version. */
function raisedFor(request: PackageRequest, instance: Installed, to: string): Decision['raised'] {
  const key = instance.alias ?? instance.name
  return instance.direct.flatMap((direct) => {
    const spec = parseSpec(key, direct.range)
    if (spec.kind !== 'range') return []
    const lowest = lowestOf(spec.range)
    const open = lowest !== undefined && affecting(request.advisories, request.name, lowest).length > 0
    if (admits(spec.range, to) && (!open || direct.field === 'peerDependencies')) return []
    return [{ direct, key, range: withRange(spec, raiseRange(spec.range, to)) }]
  })
}

/** A new override must hit the ranges it is made for and no others: npm compares ranges, not places. */
function conflictOf(request: PackageRequest, drafts: readonly Decision[], one: Decision): string | undefined {
  const fresh = one.overrides
    .filter((rule) => rule.from === null)
    .map((rule) => rule.key.slice(request.name.length + 1))
  if (fresh.length === 0) return undefined
  for (const instance of request.instances) {
    if (instance.alias !== undefined) continue
    const draft = drafts.find((other) => other.moved.includes(instance))
    const version = draft?.to ?? instance.version
    for (const direct of instance.direct) {
      const range = draft?.raised.find((raise) => raise.direct === direct)?.range ?? direct.range
      const isRoot = direct.manifest === 'package.json'
      if (fresh.some((key) => hits(instance.name, range, key)) && (isRoot || version !== one.to)) {
        return `range conflict: an override for other packages would also hit "${range}" in ${direct.manifest}`
      }
    }
    if (version === one.to) continue
    const hit = instance.dependents.find((dependent) =>
      fresh.some((key) => hits(instance.name, dependent.range, key)),
    )
    if (hit)
      return `range conflict: an override would also hit ${hit.name}, which asks for "${hit.range}" and has ${version}`
  }
  return undefined
}

function hits(name: string, range: string, key: string): boolean {
  const spec = parseSpec(name, range)
  return spec.kind === 'tag' || (spec.kind === 'range' && overlap(spec.range, key))
}

function whyStuck(instance: Installed): string {
  switch (instance.source) {
    case 'bundled':
      return `bundled inside another package (${instance.path}): only a new version of that package brings the fix`
    case 'git':
      return 'installed from git: which commit has the fix is not known here'
    case 'file':
      return 'installed from a local file'
    default:
      return 'installed from a tarball by its URL: which URL has the fix is not known here'
  }
}

function split<T>(all: readonly T[], test: (one: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [all.filter(test), all.filter((one) => !test(one))]
}
