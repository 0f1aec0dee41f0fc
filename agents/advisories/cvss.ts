/** The base score of a CVSS v3 vector, by the formula of FIRST (CVSS v3.1 specification, sections 7.1 and 7.4). */

export type Rating = 'none' | 'unknown' | 'low' | 'medium' | 'high' | 'critical'

/** From harmless to worst; what nobody has rated stands below `low`. */
export const ratings: readonly Rating[] = ['none', 'unknown', 'low', 'medium', 'high', 'critical']

const weights = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  PR: { N: 0.85, L: 0.62, H: 0.27 },
  UI: { N: 0.85, R: 0.62 },
  S: { U: 0, C: 1 },
  C: { H: 0.56, L: 0.22, N: 0 },
  I: { H: 0.56, L: 0.22, N: 0 },
  A: { H: 0.56, L: 0.22, N: 0 },
} as const satisfies Record<string, Record<string, number>>

type Metric = keyof typeof weights

/** @param vector `CVSS:3.0/…` or `CVSS:3.1/…`, metrics in any order; temporal and environmental ones are ignored
 * @returns 0 to 10 in steps of 0.1; undefined when it is no such vector, or lacks or repeats a base metric */
export function cvss3BaseScore(vector: string): number | undefined {
  const metrics = readVector(vector)
  if (!metrics) return undefined
  const { AV, AC, UI, S, C, I, A } = metrics
  const changed = S === 1
  // Privileges weigh less where the scope changes.
  const PR = changed ? (metrics.PR === 0.62 ? 0.68 : metrics.PR === 0.27 ? 0.5 : metrics.PR) : metrics.PR
  const subScore = 1 - (1 - C) * (1 - I) * (1 - A)
  const impact = changed ? 7.52 * (subScore - 0.029) - 3.25 * (subScore - 0.02) ** 15 : 6.42 * subScore
  if (impact <= 0) return 0
  const exploitability = 8.22 * AV * AC * PR * UI
  return roundUp(Math.min((changed ? 1.08 : 1) * (impact + exploitability), 10))
}

/** The qualitative rating of a score (CVSS v3.1 section 5). */
export function ratingOf(score: number): Rating {
  if (score === 0) return 'none'
  if (score < 4) return 'low'
  if (score < 7) return 'medium'
  return score < 9 ? 'high' : 'critical'
}

/** The worst of some ratings; `none` of none. */
export function worstOf(some: readonly Rating[]): Rating {
  return some.reduce<Rating>(
    (worst, one) => (ratings.indexOf(one) > ratings.indexOf(worst) ? one : worst),
    'none',
  )
}

function readVector(vector: string): Record<Metric, number> | undefined {
  const [version, ...parts] = vector.split('/')
  if (version !== 'CVSS:3.0' && version !== 'CVSS:3.1') return undefined
  const found = new Map<string, string>()
  for (const part of parts) {
    const [name, value, more] = part.split(':')
    if (!name || !value || more !== undefined || found.has(name)) return undefined
    found.set(name, value)
  }
  const metrics: Partial<Record<Metric, number>> = {}
  for (const name of Object.keys(weights) as Metric[]) {
    const choices: Readonly<Record<string, number>> = weights[name]
    const value = found.get(name) ?? ''
    if (!Object.hasOwn(choices, value)) return undefined
    metrics[name] = choices[value] ?? 0
  }
  return metrics as Record<Metric, number>
}

/** The specification's Roundup (appendix A), which does not trip over binary fractions. */
function roundUp(score: number): number {
  const scaled = Math.round(score * 100_000)
  return scaled % 10_000 === 0 ? scaled / 100_000 : (Math.floor(scaled / 10_000) + 1) / 10
}
