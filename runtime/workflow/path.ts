/** Dotted paths into the input of a run and the outputs of its steps, as in `plan.changes.0.name`. */

/** For messages: what a path looks like. */
export const pathForm = 'a path like "plan.changes"'

const maxPathLength = 512
const segment = /^[^.\p{Cc}\p{Zl}\p{Zp}]{1,128}$/u

export function isPath(text: string): boolean {
  return (
    text.length <= maxPathLength &&
    segmentsOf(text).every((part) => segment.test(part) && part !== '__proto__')
  )
}

/** The parts between the dots; the first is `input` or the id of a step. */
export function segmentsOf(path: string): readonly string[] {
  return path.split('.')
}

/** Follows own data properties; array items by index. Never calls a getter, never looks at a prototype.
 * @returns undefined when some part of the way is not there */
export function follow(value: unknown, segments: readonly string[]): unknown {
  let here = value
  for (const part of segments) {
    if (typeof here !== 'object' || here === null) return undefined
    if (Array.isArray(here) && !/^(?:0|[1-9]\d{0,8})$/.test(part)) return undefined
    const property = Object.getOwnPropertyDescriptor(here, part)
    if (property === undefined) return undefined
    here = property.value // undefined for an accessor
  }
  return here
}
