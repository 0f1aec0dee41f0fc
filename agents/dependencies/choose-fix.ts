/** The version that fixes a vulnerable one: the smallest known step that leaves no known advisory. */
import semver from 'semver'
import { type AdvisorySet, affecting } from '../advisories/advisory-set.js'
import { fixedVersions } from './scan.js'

export type FixChoice =
  | {
      readonly version: string
      /** The first number changes. */
      readonly major: boolean
      /** A caret range on the old version would not admit it (below 1.0.0 a step of the second number already). */
      readonly breaking: boolean
    }
  /** Why there is none, in plain words. */
  | { readonly reason: string }

/** Chooses among the versions that advisories name as fixed: without a registry no others are known to exist.
 *
 * Of those at or above the current version that no known advisory affects: first what a caret range admits, then
 * the same major version, then any; the lowest of each. A prerelease counts only for a prerelease of the same version.
 */
export function chooseFix(advisories: AdvisorySet, name: string, current: string): FixChoice {
  const from = semver.parse(current, { loose: true })
  if (!from) return { reason: `"${current}" is no semantic version` }
  const known = fixedVersions(advisories.of(name))
  if (known.length === 0) return { reason: 'no fixed version is known' }
  const above = known.flatMap((version) => {
    const parsed = semver.parse(version)
    return parsed && parsed.compare(from) > 0 ? [parsed] : []
  })
  if (above.length === 0) return { reason: `no fixed version above ${current} is known` }
  const clean = above.filter((version) => affecting(advisories, name, version.version).length === 0)
  if (clean.length === 0)
    return { reason: `every fixed version is itself affected (${above.map(String).join(', ')})` }
  const usable = clean.filter(
    (version) => version.prerelease.length === 0 || isLaterPrerelease(version, from),
  )
  const chosen =
    usable.find((version) => semver.satisfies(version, `^${from.version}`)) ??
    usable.find((version) => version.major === from.major) ??
    usable[0]
  if (!chosen) return { reason: `only a prerelease fixes it (${clean.map(String).join(', ')})` }
  return {
    version: chosen.version,
    major: chosen.major !== from.major,
    breaking: !semver.satisfies(chosen, `^${from.version}`),
  }
}

function isLaterPrerelease(version: semver.SemVer, from: semver.SemVer): boolean {
  return from.prerelease.length > 0 && version.compareMain(from) === 0
}
