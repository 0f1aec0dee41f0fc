/**
 * Measures several ways of doing a thing side by side: in turns, so that a machine that slows down slows
 * all of them, and as medians, so that one bad turn does not count.
 */
export interface Contender {
  readonly name: string
  /** One operation; `index` counts up, for contenders that need fresh input each time. */
  readonly run: (index: number) => unknown
}

export interface Figure {
  readonly name: string
  /** Median over the turns, in microseconds per operation. */
  readonly microseconds: number
}

export async function measure(
  contenders: readonly Contender[],
  options: { readonly turns?: number; readonly perTurn?: number; readonly warmUp?: number } = {},
): Promise<readonly Figure[]> {
  const { turns = 15, perTurn = 200, warmUp = 200 } = options
  const samples = contenders.map((): number[] => [])
  const indexes = contenders.map(() => 0)
  const spend = async (place: number, operations: number) => {
    const contender = contenders[place] as Contender
    const start = process.hrtime.bigint()
    for (let operation = 0; operation < operations; operation++) {
      const result = contender.run(indexes[place] as number)
      indexes[place] = (indexes[place] as number) + 1
      if (result instanceof Promise) await result
    }
    return Number(process.hrtime.bigint() - start) / 1000 / operations
  }
  for (const place of contenders.keys()) await spend(place, warmUp)
  for (let turn = 0; turn < turns; turn++) {
    for (const place of contenders.keys()) samples[place]?.push(await spend(place, perTurn))
  }
  return contenders.map(({ name }, place) => ({ name, microseconds: median(samples[place] ?? []) }))
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Prints figures with their ratio to the first one. */
export function printRatios(title: string, figures: readonly Figure[]): void {
  const base = figures[0]?.microseconds ?? Number.NaN
  console.log(`\n${title}`)
  for (const { name, microseconds } of figures) {
    console.log(
      `  ${name.padEnd(46)} ${microseconds.toFixed(1).padStart(9)} µs   ${(microseconds / base).toFixed(2)} ×`,
    )
  }
}
