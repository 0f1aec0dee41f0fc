/** Grants, times and constraints in words for a newcomer. */
import type { Constraint } from '../delegation/constraint.js'
import type { ToolGrants } from '../delegation/tools.js'

export function toolWords(tools: ToolGrants): readonly string[] {
  const entries = Object.entries(tools)
  if (entries.length === 0) return ['no tool at all']
  return entries.map(([name, args]) => {
    const limits = Object.entries(args).map(
      ([argument, constraint]) => `${argument} ${constraintWords(constraint)}`,
    )
    return limits.length === 0
      ? `${name}, with any arguments`
      : `${name}, where ${limits.join('; ')}; no other argument`
  })
}

export function constraintWords(constraint: Constraint): string {
  const list = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).join(', ')
  switch (constraint.constraint_type) {
    case 'exact':
      return `is exactly ${JSON.stringify(constraint.value)}`
    case 'wildcard':
      return 'may be anything'
    case 'one_of':
      return `is one of ${list(constraint.values)}`
    case 'not_one_of':
      return `is none of ${list(constraint.excluded)}`
    case 'contains':
      return `is a list that holds ${list(constraint.required)}`
    case 'subset':
      return `is a list of nothing but ${list(constraint.allowed)}`
    case 'all':
      return constraint.constraints.map(constraintWords).join(' and ')
    case 'any':
      return constraint.constraints.map(constraintWords).join(' or ')
    default:
      return `satisfies ${JSON.stringify(constraint)}`
  }
}

/** `2026-01-01T00:05:00Z, in 4 minutes` @param seconds NumericDate */
export function timeWords(seconds: number, now: number): string {
  const date = new Date(seconds * 1000)
  const text = Number.isNaN(date.getTime()) ? 'a time out of range' : date.toISOString().replace('.000Z', 'Z')
  const distance = Math.abs(seconds - now)
  const amount =
    distance < 120
      ? `${distance} seconds`
      : distance < 7200
        ? `${Math.round(distance / 60)} minutes`
        : distance < 172_800
          ? `${Math.round(distance / 3600)} hours`
          : `${Math.round(distance / 86_400)} days`
  return seconds > now ? `${text}, in ${amount}` : `${text}, ${amount} ago`
}
