/**
 * Extension `pattern` {`value`}: `*` is any run of characters within a segment, `**` any run across
 * segments; every other character means itself. No regular expression: time is at most the length of the
 * text times the length of the pattern, whatever both hold.
 */
import { AgenticError } from '../errors.js'

const maxPatternLength = 1024
const within = Symbol('*')
const across = Symbol('**')
type PatternPart = string | typeof within | typeof across

/** @throws AgenticError ERR_CONSTRAINT_INVALID for anything but 1 to 1,024 characters without three `*` in a row */
export function parsePattern(pattern: unknown): string {
  if (typeof pattern !== 'string' || pattern === '' || pattern.length > maxPatternLength) {
    throw new AgenticError(
      'ERR_CONSTRAINT_INVALID',
      `pattern: "value" must be a text of 1 to ${maxPatternLength}`,
    )
  }
  if (pattern.includes('***')) {
    throw new AgenticError('ERR_CONSTRAINT_INVALID', 'pattern: "***" has no meaning; "*" and "**" do')
  }
  return pattern
}

/** True when the whole text matches. A text that some reader would resolve to another one (`.` and `..`
 * segments, `\`, NUL) matches no pattern: otherwise `/data/**` would admit `/data/../etc`. */
export function matchesPattern(text: unknown, pattern: string): text is string {
  if (typeof text !== 'string' || hasMovingSegment(text)) return false
  return run(partsOf(pattern), text)
}

function hasMovingSegment(text: string): boolean {
  if (text.includes('\\') || text.includes('\0')) return true
  return text.split('/').some((segment) => segment === '.' || segment === '..')
}

function partsOf(pattern: string): readonly PatternPart[] {
  const parts: PatternPart[] = []
  for (let index = 0; index < pattern.length; index++) {
    const unit = pattern.charAt(index)
    if (unit !== '*') {
      parts.push(unit)
    } else if (pattern.charAt(index + 1) === '*') {
      parts.push(across)
      index++
    } else {
      parts.push(within)
    }
  }
  return parts
}

/** Follows all ways through the pattern at once: `here` holds the parts that may come next. */
function run(parts: readonly PatternPart[], text: string): boolean {
  let here = new Set<number>()
  enter(parts, 0, here)
  for (let index = 0; index < text.length; index++) {
    const unit = text.charAt(index)
    const next = new Set<number>()
    for (const state of here) {
      const part = parts[state]
      if (part === across || (part === within && unit !== '/')) enter(parts, state, next)
      else if (part === unit) enter(parts, state + 1, next)
    }
    if (next.size === 0) return false
    here = next
  }
  return here.has(parts.length)
}

/** Adds a state, and what follows it when its part may match nothing. */
function enter(parts: readonly PatternPart[], state: number, into: Set<number>): void {
  for (let at = state; !into.has(at); at++) {
    into.add(at)
    if (parts[at] !== within && parts[at] !== across) return
  }
}
