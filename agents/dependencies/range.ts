/** Semver ranges as package.json writes them: does one admit a version, and the same range raised to a version. */
import semver from 'semver'

/** True when npm would accept `version` for `range` (prereleases only where the range names one). */
export function admits(range: string, version: string): boolean {
  return semver.satisfies(version, range, { loose: true })
}

/** The lowest version a range admits, undefined when it admits none. */
export function lowestOf(range: string): string | undefined {
  try {
    return semver.minVersion(range, { loose: true })?.version
  } catch {
    return undefined // a range of versions beyond what numbers hold
  }
}

/** Rewrites a range so that `version` is the lowest it admits, in the style it was written in.
 *
 * `1.2.3`, `=1.2.3`, `v1.2.3`, `^…`, `~…` keep their operator. An x-range cannot say "at least": `1.x` becomes `^version`,
 * `1.2.x` becomes `~version`, `*` becomes `>=version`. Comparators keep their upper bound while it lies above the
 * version. Of alternatives (`||`), those below the version go and those above it stay.
 * @param range valid, as `semver.validRange` says; anything else becomes the exact version
 */
export function raiseRange(range: string, version: string): string {
  const alternatives = range.split('||').map((part) => part.trim())
  if (alternatives.length === 1) return checked(raiseOne(range.trim(), version), version)
  // The one that admits the version, else the last that begins below it: that is the one in use.
  let chosen = alternatives.findIndex((part) => admits(part, version))
  if (chosen === -1) chosen = alternatives.findLastIndex((part) => isBelow(part, version))
  const raised = alternatives.flatMap((part, index) => {
    if (index === chosen) return [checked(raiseOne(part, version), version)]
    return isBelow(part, version) ? [] : [part]
  })
  return checked(raised.join(' || '), version)
}

function isBelow(range: string, version: string): boolean {
  const lowest = lowestOf(range)
  return lowest === undefined || semver.lt(lowest, version)
}

function raiseOne(range: string, version: string): string {
  const single = /^(\^|~>?|=|v)?\s*v?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:[-+][\w.+-]+)?$/.exec(
    range,
  )
  if (single) {
    const [, operator = '', major = '*', minor, patch] = single
    if (operator === '^' || operator.startsWith('~')) return `${operator}${version}`
    if (!isNumber(major)) return `>=${version}`
    if (!isNumber(minor)) return `^${version}`
    if (!isNumber(patch)) return `~${version}`
    return `${operator}${version}`
  }
  if (range === '') return `>=${version}`
  const hyphen = /^\S+\s+-\s+(\S+)$/.exec(range)
  if (hyphen) {
    const raised = `${version} - ${hyphen[1]}`
    return admits(raised, version) ? raised : `^${version}`
  }
  return raiseComparators(range, version)
}

function raiseComparators(range: string, version: string): string {
  const upper = range
    .replace(/([<>=~^])\s+/g, '$1')
    .split(/\s+/)
    .filter((part) => part.startsWith('<'))
  const raised = [`>=${version}`, ...upper].join(' ')
  return admits(raised, version) ? raised : `^${version}`
}

function isNumber(part: string | undefined): boolean {
  return part !== undefined && /^\d+$/.test(part)
}

/** Whatever the style: the result admits the version and nothing lower, else it is the exact version. */
function checked(range: string, version: string): string {
  return admits(range, version) && lowestOf(range) === version ? range : version
}
