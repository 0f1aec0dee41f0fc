/** Made-up advisories: package name to ranges, each `[introduced, fixed]` or `[introduced]` when nothing fixes it. */
import { type AdvisorySet, advisorySet } from '../../agents/advisories/advisory-set.js'
import { parseOsvRecord } from '../../agents/advisories/osv-record.js'

export type Ranges = readonly (readonly [introduced: string, fixed?: string])[]

export function advisoriesOf(packages: Readonly<Record<string, Ranges>>): AdvisorySet {
  return advisorySet(
    Object.entries(packages).flatMap(([name, ranges]) =>
      ranges.map((range, index) =>
        parseOsvRecord(recordOf(name, [range], `TEST-${name}-${index + 1}`), 'test'),
      ),
    ),
  )
}

/** One OSV record about one npm package. */
export function recordOf(name: string, ranges: Ranges, id = 'TEST-1') {
  return {
    id,
    modified: '2024-01-01T00:00:00Z',
    aliases: [`CVE-${id}`],
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' }],
    affected: [
      {
        package: { ecosystem: 'npm', name },
        ranges: ranges.map(([introduced, fixed]) => ({
          type: 'SEMVER',
          events: fixed === undefined ? [{ introduced }] : [{ introduced }, { fixed }],
        })),
      },
    ],
  }
}
