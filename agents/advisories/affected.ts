/** Which versions of a package an advisory affects: OSV's evaluation, with npm's order of versions. */
import semver from 'semver'

/** One event of an OSV range. */
export interface RangeEvent {
  readonly kind: 'introduced' | 'fixed' | 'last_affected' | 'limit'
  /** `0` (introduced) is before every version; `*` (limit) is after every one. */
  readonly version: string
}

/** What one advisory says of one package. */
export interface Affected {
  /** Each range's events, as written. */
  readonly ranges: readonly (readonly RangeEvent[])[]
  /** Versions listed one by one. */
  readonly versions: readonly string[]
}

/** True when the version lies in a range or is listed; prereleases count by semver precedence.
 * @param version a semantic version; anything else is affected only when listed
 * @see https://ossf.github.io/osv-schema/#evaluation
 */
export function isAffected(affected: Affected, version: string): boolean {
  if (affected.versions.includes(version)) return true
  const parsed = semver.parse(version, { loose: true })
  return parsed !== null && affected.ranges.some((events) => includes(events, parsed))
}

/** Versions as advisories write them: `1.2` and `v1.2.0` are read, with zeros for what is missing.
 * @returns undefined when it names no version */
export function readBound(text: string): string | undefined {
  const exact = semver.parse(text, { loose: true })
  if (exact) return exact.version
  return /^\d{1,15}(?:\.\d{1,15})?$/.test(text)
    ? semver.parse(`${text}${text.includes('.') ? '.0' : '.0.0'}`)?.version
    : undefined
}

function includes(events: readonly RangeEvent[], version: semver.SemVer): boolean {
  const limits = events.filter((event) => event.kind === 'limit')
  if (
    limits.length > 0 &&
    !limits.some((limit) => limit.version === '*' || version.compare(limit.version) < 0)
  )
    return false
  let vulnerable = false
  for (const event of sorted(events)) {
    const order = event.version === '0' ? 1 : version.compare(event.version)
    if (event.kind === 'introduced' && order >= 0) vulnerable = true
    else if (event.kind === 'fixed' && order >= 0) vulnerable = false
    else if (event.kind === 'last_affected' && order > 0) vulnerable = false
  }
  return vulnerable
}

/** By version; events at the same version keep the order in which the record has them. */
function sorted(events: readonly RangeEvent[]): readonly RangeEvent[] {
  return events
    .filter((event) => event.kind !== 'limit')
    .sort((a, b) => {
      if (a.version === '0' || b.version === '0') return Number(b.version === '0') - Number(a.version === '0')
      return semver.compare(a.version, b.version)
    })
}
