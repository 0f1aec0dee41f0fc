/** The order of steps: a topological sort over their prerequisites, cycles, and what comes before what. */
import type { Step } from './definition.js'
import { prerequisitesOf } from './prerequisites.js'

/** Sorts steps so that each comes after its prerequisites; where that leaves a choice, as they were written.
 * @param steps every prerequisite is among them
 * @returns the order, and if not every step could be placed, one cycle: its ids, the first one repeated last
 */
export function topologicalOrder(steps: readonly Step[]): {
  order: readonly Step[]
  cycle?: readonly string[]
} {
  const order: Step[] = []
  const placed = new Set<string>()
  let rest = steps
  while (rest.length > 0) {
    const next = rest.find((step) => prerequisitesOf(step).every((id) => placed.has(id)))
    if (!next) return { order, cycle: findCycle(rest) }
    order.push(next)
    placed.add(next.id)
    rest = rest.filter((step) => step !== next)
  }
  return { order }
}

/** Follows prerequisites among steps none of which can be placed, until one comes again. */
function findCycle(stuck: readonly Step[]): readonly string[] {
  const byId = new Map(stuck.map((step) => [step.id, step]))
  const walk: string[] = []
  let step = stuck[0]
  while (step && !walk.includes(step.id)) {
    walk.push(step.id)
    step = prerequisitesOf(step)
      .map((id) => byId.get(id))
      .find((prerequisite) => prerequisite !== undefined)
  }
  const again = step?.id ?? ''
  return [again, ...walk.slice(walk.indexOf(again) + 1).reverse(), again]
}

/** For each step the ids of all steps that have finished before it starts.
 * @param ordered in topological order */
export function ancestors(ordered: readonly Step[]): ReadonlyMap<string, ReadonlySet<string>> {
  const before = new Map<string, ReadonlySet<string>>()
  for (const step of ordered) {
    const all = new Set<string>()
    for (const id of prerequisitesOf(step)) {
      all.add(id)
      for (const earlier of before.get(id) ?? []) all.add(earlier)
    }
    before.set(step.id, all)
  }
  return before
}
