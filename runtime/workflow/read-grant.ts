/** Reads what a definition grants: scopes, and tools with their constraint templates. */
import { isToolName } from '../encoding/identifier.js'
import type { ConstraintTemplate, GrantDefinition, ToolTemplates } from './definition.js'
import type { Fail, Place } from './place.js'
import { entries, members, whole, wordSet } from './shape.js'

const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/
const maxArgumentName = 128

/** True for one scope token (RFC 6749 §3.3). */
export function isScopeToken(scope: string): boolean {
  return scopeToken.test(scope)
}

export function readGrant(value: unknown, fail: Fail): Required<GrantDefinition> {
  const place = ['grant']
  const found = members(value, ['scope', 'tools', 'max_depth', 'lifetime_seconds'], place, fail)
  return {
    scope: wordSet(found.scope, isScopeToken, 'a scope', [...place, 'scope'], fail),
    tools: readToolTemplates(found.tools, [...place, 'tools'], fail),
    maxDepth:
      found.max_depth === undefined ? 3 : whole(found.max_depth, 0, 31, [...place, 'max_depth'], fail),
    lifetimeSeconds:
      found.lifetime_seconds === undefined
        ? 86_400
        : whole(found.lifetime_seconds, 1, 7 * 86_400, [...place, 'lifetime_seconds'], fail),
  }
}

/** Names only; what the constraints say is judged with the parameters at hand (validate-authority.ts). */
export function readToolTemplates(value: unknown, place: Place, fail: Fail): ToolTemplates {
  const tools = entries(value, place, fail).map(([tool, constraints]) => {
    const at = [...place, tool]
    if (!isToolName(tool)) fail(at, 'a tool name must be identifiers joined by "/"')
    const read = entries(constraints, at, fail).map(([argument, constraint]) => {
      const here = [...at, argument]
      if (argument === '' || argument.length > maxArgumentName) fail(here, 'not the name of an argument')
      entries(constraint, here, fail)
      return [argument, constraint as ConstraintTemplate] as const
    })
    return [tool, bare(read)] as const
  })
  return bare(tools)
}

/** A map without a prototype: a name from outside finds only what was put there. */
export function bare<T>(items: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  return Object.assign(Object.create(null), Object.fromEntries(items))
}
