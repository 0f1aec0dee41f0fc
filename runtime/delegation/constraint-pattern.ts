/**
 * Extension `pattern` {`value`}: `*` is any run of characters within a segment, `**` any run across
 * segments; every other character means itself. No regular expression: time grows with the length of the text
 * alone, at most 33 machine words per character, whatever pattern and text hold.
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

/** Follows all ways through the pattern at once: bit n says that part n may come next, the last one that all is
 * read. A star keeps its own bit, and lets the part behind it come next too; no two stars stand side by side. */
function run(parts: readonly PatternPart[], text: string): boolean {
  const words = (parts.length >>> 5) + 1
  const bits = bitsOf(parts, words)
  const here = new Uint32Array(words)
  here[0] = parts[0] === within || parts[0] === across ? 0b11 : 0b1
  for (let index = 0; index < text.length; index++) {
    const unit = text.charAt(index)
    const reads = bits.literals.get(unit) ?? bits.none
    const stays = unit === '/' ? bits.across : bits.stars
    if (!step(here, reads, stays, bits.stars)) return false
  }
  return isSet(here, parts.length)
}

/** Reads one character. @returns whether any way is left */
function step(here: Uint32Array, reads: Uint32Array, stays: Uint32Array, stars: Uint32Array): boolean {
  let left = 0
  let readCarry = 0
  let starCarry = 0
  for (let word = 0; word < here.length; word++) {
    const before = at(here, word)
    const read = before & at(reads, word)
    const entered = (read << 1) | readCarry | (before & at(stays, word))
    const passed = entered & at(stars, word)
    here[word] = entered | (passed << 1) | starCarry
    left |= at(here, word)
    readCarry = read >>> 31
    starCarry = passed >>> 31
  }
  return left !== 0
}

interface PatternBits {
  readonly literals: ReadonlyMap<string, Uint32Array>
  readonly stars: Uint32Array
  readonly across: Uint32Array
  readonly none: Uint32Array
}

/** Which parts are which, as sets of bits. */
function bitsOf(parts: readonly PatternPart[], words: number): PatternBits {
  const literals = new Map<string, Uint32Array>()
  const [stars, acrossStars, none] = [new Uint32Array(words), new Uint32Array(words), new Uint32Array(words)]
  for (const [index, part] of parts.entries()) {
    if (part === within || part === across) {
      add(stars, index)
      if (part === across) add(acrossStars, index)
    } else {
      const places = literals.get(part) ?? new Uint32Array(words)
      add(places, index)
      literals.set(part, places)
    }
  }
  return { literals, stars, across: acrossStars, none }
}

function add(bits: Uint32Array, index: number): void {
  bits[index >>> 5] = at(bits, index >>> 5) | (1 << (index & 31))
}

function isSet(bits: Uint32Array, index: number): boolean {
  return ((at(bits, index >>> 5) >>> (index & 31)) & 1) === 1
}

function at(bits: Uint32Array, word: number): number {
  return bits[word] ?? 0
}
