/** The advisory service: answers, for packages by name and version, what is known against them. */
import type { GuardedResource } from '../../runtime/index.js'
import type { Installed } from '../dependencies/inventory.js'
import { findVulnerable } from '../dependencies/scan.js'
import type { Match } from '../results.js'
import { matchAdvisories } from '../tools.js'
import type { AdvisorySet } from './advisory-set.js'

export function advisoriesResource(advisories: AdvisorySet): GuardedResource {
  return {
    id: 'advisories',
    tools: [
      {
        definition: matchAdvisories,
        handler({ packages }: { readonly packages: readonly string[] }): {
          readonly matches: readonly Match[]
        } {
          const installed = [...new Set(packages)].map(placeless)
          const findings = findVulnerable({ installed, notes: [] }, advisories)
          const matches = findings.map(({ package: name, version, severity, advisories: found }) => ({
            package: name,
            version,
            severity,
            advisories: found,
          }))
          return { matches }
        },
      },
    ],
  }
}

/** A package as a scan would list it, with nothing known of where it lies. */
function placeless(handle: string): Installed {
  const at = handle.lastIndexOf('@')
  return {
    name: handle.slice(0, at),
    version: handle.slice(at + 1),
    path: '',
    dev: false,
    optional: false,
    source: 'registry',
    direct: [],
    dependents: [],
  }
}
