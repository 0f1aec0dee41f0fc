/**
 * npm's `overrides` (npm 8.3 and later), as far as they decide which version of one package is installed:
 * rules at the top level of the root manifest, `name` or `name@range`, with a range as value.
 */
import semver from 'semver'
import type { JsonObject } from '../../runtime/index.js'

export interface OverrideRule {
  /** As written: `name` or `name@range`. */
  readonly key: string
  /** The ranges it applies to; `*` is every one. */
  readonly appliesTo: string
  /** The range it puts in their place. */
  readonly value: string
}

export interface OverrideRules {
  readonly rules: readonly OverrideRule[]
  /** There are rules for the package in a form that is not read here (nested, `$name`, an alias). */
  readonly unread: boolean
}

/** The rules of a root manifest for one package. */
export function overridesFor(overrides: JsonObject, name: string): OverrideRules {
  const rules: OverrideRule[] = []
  let unread = false
  for (const [key, value] of Object.entries(overrides)) {
    if (isAbout(key, name)) {
      const appliesTo = key.slice(name.length + 1) || '*'
      const readable =
        typeof value === 'string' &&
        semver.validRange(value, true) !== null &&
        semver.validRange(appliesTo, true) !== null
      if (readable) rules.push({ key, appliesTo, value })
      else unread = true
    } else if (typeof value === 'object' && value !== null && mentions(value as JsonObject, name)) {
      unread = true
    }
  }
  return { rules, unread }
}

/** The rule that npm applies to a declared range: the first that overlaps it. */
export function ruleFor({ rules }: OverrideRules, range: string): OverrideRule | undefined {
  return rules.find((rule) => rule.appliesTo === '*' || overlap(range, rule.appliesTo))
}

/** True when some version satisfies both ranges. */
export function overlap(one: string, other: string): boolean {
  return semver.intersects(one, other, { loose: true })
}

function isAbout(key: string, name: string): boolean {
  return key === name || key.startsWith(`${name}@`)
}

function mentions(value: JsonObject, name: string): boolean {
  return Object.entries(value).some(
    ([key, inner]) =>
      isAbout(key, name) ||
      (typeof inner === 'object' && inner !== null && mentions(inner as JsonObject, name)),
  )
}
