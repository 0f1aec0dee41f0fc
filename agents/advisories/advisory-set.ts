/** The advisories a run judges by, by package. */
import { type Affected, isAffected } from './affected.js'
import type { Advisory, Severity } from './osv-record.js'

/** What one advisory says of one package. */
export interface PackageAdvisory {
  readonly id: string
  readonly aliases: readonly string[]
  readonly severity: Severity
  readonly affected: Affected
}

export interface AdvisorySet {
  /** Advisories that concern npm and are not withdrawn. */
  readonly size: number
  /** Records that concern other ecosystems only, or are withdrawn. */
  readonly skipped: number
  /** What could not be judged, in plain words. */
  readonly notes: readonly string[]
  /** In order of id; empty for a package that no advisory names. */
  of(packageName: string): readonly PackageAdvisory[]
}

/** Makes a set; of records with the same id the one modified last counts. */
export function advisorySet(records: readonly Advisory[]): AdvisorySet {
  const newest = new Map<string, Advisory>()
  for (const record of records) {
    const other = newest.get(record.id)
    if (!other || Date.parse(other.modified) <= Date.parse(record.modified)) newest.set(record.id, record)
  }
  const packages = new Map<string, PackageAdvisory[]>()
  const notes: string[] = []
  let size = 0
  for (const record of [...newest.values()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    if (record.withdrawn || record.affected.size === 0) continue
    size += 1
    notes.push(...record.notes)
    for (const [name, affected] of record.affected) {
      const { id, aliases, severity } = record
      packages.set(name, [...(packages.get(name) ?? []), { id, aliases, severity, affected }])
    }
  }
  return { size, skipped: records.length - size, notes, of: (name) => packages.get(name) ?? [] }
}

/** The advisories that affect exactly this version of a package, in order of id. */
export function affecting(
  advisories: AdvisorySet,
  name: string,
  version: string,
): readonly PackageAdvisory[] {
  return advisories.of(name).filter((advisory) => isAffected(advisory.affected, version))
}
