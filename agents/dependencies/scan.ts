/** Which installed packages known advisories affect. */
import semver from 'semver'
import { type AdvisorySet, affecting } from '../advisories/advisory-set.js'
import { type Rating, worstOf } from '../advisories/cvss.js'
import type { Installed, Inventory } from './inventory.js'

export interface FoundAdvisory {
  readonly id: string
  readonly aliases: readonly string[]
  readonly severity: Rating
  /** CVSS v3 base score; null where the rating is the database's own word. */
  readonly score: number | null
  /** Every version that this advisory names as fixed for the package, lowest first; empty: no fix is known. */
  readonly fixed: readonly string[]
}

/** One vulnerable version of one package. */
export interface Finding {
  readonly package: string
  readonly version: string
  /** Where it is installed. */
  readonly paths: readonly string[]
  readonly advisories: readonly FoundAdvisory[]
  /** The worst of the advisories. */
  readonly severity: Rating
  /** Declared by the project itself, in at least one place. */
  readonly direct: boolean
  /** Needed for development only, in every place. */
  readonly dev: boolean
}

/** Matches an inventory with advisories.
 * @returns findings in order of package and version; every path of an affected version is named */
export function findVulnerable(inventory: Inventory, advisories: AdvisorySet): readonly Finding[] {
  const places = new Map<string, Installed[]>()
  for (const one of inventory.installed) {
    const key = `${one.name}@${one.version}`
    places.set(key, [...(places.get(key) ?? []), one])
  }
  const findings: Finding[] = []
  for (const instances of places.values()) {
    const [first] = instances
    const found = first ? affecting(advisories, first.name, first.version) : []
    if (!first || found.length === 0) continue
    const described = found.map((advisory) => ({
      id: advisory.id,
      aliases: advisory.aliases,
      severity: advisory.severity.rating,
      score: advisory.severity.score,
      fixed: fixedVersions([advisory]),
    }))
    findings.push({
      package: first.name,
      version: first.version,
      paths: instances.map((one) => one.path),
      advisories: described,
      severity: worstOf(described.map((advisory) => advisory.severity)),
      direct: instances.some((one) => one.direct.length > 0),
      dev: instances.every((one) => one.dev),
    })
  }
  return findings.sort((a, b) =>
    a.package === b.package ? compareLoosely(a.version, b.version) : a.package < b.package ? -1 : 1,
  )
}

/** The versions that advisories of one package name as fixed, lowest first, each once. */
export function fixedVersions(advisories: ReturnType<AdvisorySet['of']>): readonly string[] {
  const versions = advisories.flatMap(({ affected }) =>
    affected.ranges.flatMap((events) =>
      events.flatMap((event) => (event.kind === 'fixed' ? [event.version] : [])),
    ),
  )
  return [...new Set(versions)].sort(compareLoosely)
}

/** By semver; texts that are no version come first, in order of code units (an advisory may list such). */
function compareLoosely(a: string, b: string): number {
  const [x, y] = [semver.parse(a, { loose: true }), semver.parse(b, { loose: true })]
  if (x && y) return semver.compareBuild(x, y)
  if (x || y) return x ? 1 : -1
  return a < b ? -1 : 1
}
