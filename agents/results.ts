/** What the steps hand to each other, and how an agent reads it out of the calls that really succeeded. */
import { AgenticError, type ToolCallResult } from '../runtime/index.js'
import type { Rating } from './advisories/cvss.js'
import type { Plan } from './dependencies/plan.js'
import type { Finding, FoundAdvisory } from './dependencies/scan.js'

export interface Manifests {
  readonly repository: string
  readonly manifests: readonly string[]
  readonly lock: string | null
}

/** An installed package, as far as the steps after the scan need it. */
export interface ScannedPackage {
  readonly name: string
  readonly version: string
  readonly path: string
  readonly direct: boolean
  readonly dev: boolean
}

export interface Scan {
  readonly lock: string | null
  readonly packages: readonly ScannedPackage[]
  readonly notes: readonly string[]
}

/** What the advisories say of one package at one version. */
export interface Match {
  readonly package: string
  readonly version: string
  readonly severity: Rating
  readonly advisories: readonly FoundAdvisory[]
}

export interface Classified {
  readonly findings: readonly Finding[]
}

export type PlanResult = Plan

export interface Patched {
  readonly written: readonly string[]
}

/** `name@version`, the handle by which tools name a package. */
export function handleOf(found: { readonly name: string; readonly version: string }): string {
  return `${found.name}@${found.version}`
}

/**
 * The result of the last successful call of a tool.
 * @throws AgenticError ERR_MODEL_OUTPUT when the agent never made it: a step is done only with its evidence
 */
export function lastResult<T>(calls: readonly ToolCallResult[], tool: string): T {
  const call = calls.findLast((candidate) => candidate.tool === tool)
  if (!call) throw new AgenticError('ERR_MODEL_OUTPUT', `the agent ended without a result of "${tool}"`)
  return call.result as T
}

/**
 * All matches an agent looked up, and proof that it looked at everything it was given.
 * @throws AgenticError ERR_MODEL_OUTPUT when packages were left out
 */
export function allMatches(
  calls: readonly ToolCallResult[],
  packages: readonly ScannedPackage[],
): readonly Match[] {
  const lookups = calls.filter(({ tool }) => tool === 'advisories/match')
  const asked = new Set(lookups.flatMap(({ args }) => args['packages'] as readonly string[]))
  const missed = packages.filter((one) => !asked.has(handleOf(one))).length
  if (missed > 0) throw new AgenticError('ERR_MODEL_OUTPUT', `the agent left ${missed} packages unchecked`)
  const matches = new Map<string, Match>()
  for (const { result } of lookups) {
    for (const match of (result as { readonly matches: readonly Match[] }).matches) {
      matches.set(`${match.package}@${match.version}`, match)
    }
  }
  return [...matches.values()]
}

/** Findings of a scan: the matches, with where they are installed. A match for what is not installed is none. */
export function findingsOf(scan: Scan, matches: readonly Match[]): readonly Finding[] {
  return matches.flatMap((match) => {
    const places = scan.packages.filter((one) => one.name === match.package && one.version === match.version)
    if (places.length === 0) return []
    return [
      {
        ...match,
        paths: places.map((place) => place.path),
        direct: places.some((place) => place.direct),
        dev: places.every((place) => place.dev),
      },
    ]
  })
}
