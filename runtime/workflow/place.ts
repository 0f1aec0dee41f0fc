/** Where in a definition something is wrong, and how a refusal says so. */

/** Keys and indexes from the top of the wire form, as in `['steps', 2, 'after']`. */
export type Place = readonly (string | number)[]

/** Ends the reading of a definition: says what is wrong at a place. */
export type Fail = (place: Place, what: string) => never

/** `steps.scan.after`: steps by their id where they have one, other list items by number.
 * @param wire the definition the place is in */
export function showPlace(place: Place, wire: unknown): string {
  let text = ''
  place.forEach((key, index) => {
    const stepId = index === 1 && place[0] === 'steps' ? idOfStep(wire, key) : undefined
    if (typeof key === 'number' && stepId === undefined) text += `[${key}]`
    else text += `${text === '' ? '' : '.'}${stepId ?? clipped(String(key))}`
  })
  return text
}

/** ` (did you mean "scan"?)` when a known word is close, else nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  let best: string | undefined
  let bestDistance = (word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3))) + 1
  for (const candidate of known) {
    const distance = editDistance(word.slice(0, 64).toLowerCase(), candidate.slice(0, 64).toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best === undefined ? '' : ` (did you mean "${best}"?)`
}

/** A word from the definition, quoted and short enough for a message. */
export function quoted(word: unknown): string {
  return JSON.stringify(clipped(String(word)))
}

function clipped(word: string): string {
  return word.length > 80 ? `${word.slice(0, 80)}…` : word
}

function idOfStep(wire: unknown, index: string | number): string | undefined {
  const steps = (wire as { steps?: unknown } | null)?.steps
  const id = Array.isArray(steps)
    ? (steps[Number(index)] as { id?: unknown } | null | undefined)?.id
    : undefined
  return typeof id === 'string' && id !== '' && id.length <= 128 ? id : undefined
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
