/**
 * What a constraint means, written a second time and naively: from PROTOCOL 5.4 and AAT, sharing nothing with
 * `runtime/delegation`. Slow, recursive, and only for values that are JSON.
 */
import type { JsonValue } from '../../runtime/encoding/canonical-json.js'

/** A constraint as it stands on the wire. */
export type Wire = { readonly constraint_type: string } & { readonly [member: string]: unknown }
type Members = Readonly<Record<string, unknown>>
type Tools = Readonly<Record<string, Readonly<Record<string, Wire>>>>

export function oracleCheck(constraint: Wire, value: JsonValue): boolean {
  const c: Members = constraint
  const lists = (member: string) => c[member] as readonly JsonValue[]
  const holds = (list: readonly JsonValue[], item: JsonValue) => list.some((other) => same(other, item))
  switch (constraint.constraint_type) {
    case 'wildcard':
      return true
    case 'exact':
      return same(c['value'] as JsonValue, value)
    case 'range':
      return typeof value === 'number' && isAbove(value, c) && isBelow(value, c)
    case 'one_of':
      return holds(lists('values'), value)
    case 'not_one_of':
      return !holds(lists('excluded'), value)
    case 'contains':
      return Array.isArray(value) && lists('required').every((item) => holds(value as JsonValue[], item))
    case 'subset':
      return Array.isArray(value) && (value as JsonValue[]).every((item) => holds(lists('allowed'), item))
    case 'all':
      return (c['constraints'] as readonly Wire[]).every((clause) => oracleCheck(clause, value))
    case 'any':
      return (c['constraints'] as readonly Wire[]).some((clause) => oracleCheck(clause, value))
    case 'path_containment':
      return typeof value === 'string' && isWithin(segments(value), segments(c['root'] as string))
    case 'pattern':
      return typeof value === 'string' && matches(c['value'] as string, value)
    case 'url':
      return typeof value === 'string' && isUrlOf(c, value)
    default:
      return false
  }
}

/** Closed world: a tool with constraints takes exactly those arguments (AAT, Capability Claims). */
export function oracleCall(tools: Tools, tool: string, args: Readonly<Record<string, JsonValue>>): boolean {
  const constraints = Object.hasOwn(tools, tool) ? tools[tool] : undefined
  if (constraints === undefined) return false
  const named = Object.keys(constraints).sort()
  if (named.length === 0) return true
  if (JSON.stringify(named) !== JSON.stringify(Object.keys(args).sort())) return false
  return named.every((name) => oracleCheck(constraints[name] as Wire, args[name] as JsonValue))
}

/** Equal as JSON: no coercion, no order of members. */
function same(one: JsonValue, other: JsonValue): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) {
    return one === other
  }
  if (Array.isArray(one) !== Array.isArray(other)) return false
  const [a, b] = [one as Record<string, JsonValue>, other as Record<string, JsonValue>]
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].every(
    (name) =>
      Object.hasOwn(a, name) && Object.hasOwn(b, name) && same(a[name] as JsonValue, b[name] as JsonValue),
  )
}

function isAbove(value: number, bounds: Members): boolean {
  if (bounds['min'] === undefined) return true
  const min = bounds['min'] as number
  return bounds['min_inclusive'] === false ? value > min : value >= min
}

function isBelow(value: number, bounds: Members): boolean {
  if (bounds['max'] === undefined) return true
  const max = bounds['max'] as number
  return bounds['max_inclusive'] === false ? value < max : value <= max
}

/** The names between the slashes of a plain absolute path; undefined for any other text. */
function segments(path: string): string[] | undefined {
  if (path === '/') return []
  const [before, ...names] = path.split('/')
  const plain = names.every((name) => name !== '' && name !== '.' && name !== '..' && !/[\0\\]/.test(name))
  return before === '' && names.length > 0 && plain && path === path.normalize('NFC') ? names : undefined
}

function isWithin(path: readonly string[] | undefined, root: readonly string[] | undefined): boolean {
  if (path === undefined || root === undefined) return false
  return root.every((name, index) => path[index] === name)
}

/** Backtracks, which short texts allow. */
function matches(pattern: string, text: string): boolean {
  if (/[\0\\]/.test(text) || text.split('/').some((name) => name === '.' || name === '..')) return false
  const source = pattern
    .split('**')
    .map((part) => part.split('*').map(escaped).join('[^/]*'))
    .join('[^]*')
  return new RegExp(`^${source}$`).test(text)
}

function escaped(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')
}

/** Takes the text apart by hand and builds it again from what the rule allows. */
function isUrlOf(rule: Members, text: string): boolean {
  const scheme = `${rule['scheme']}://`
  if (!text.startsWith(scheme) || /[^!-~]|[\\#]/.test(text)) return false
  const rest = text.slice(scheme.length)
  const end = rest.search(/[/?]/)
  const authority = end < 0 ? rest : rest.slice(0, end)
  const path = (end < 0 ? '' : rest.slice(end)).split('?', 1)[0] || '/'
  return isAuthorityOf(rule, authority) && isPathOf((rule['path'] ?? '/') as string, path)
}

const defaults: Record<string, number> = { https: 443, http: 80, wss: 443, ws: 80 }

function isAuthorityOf(rule: Members, authority: string): boolean {
  const ports = [`:${rule['port']}`, ...(defaults[rule['scheme'] as string] === rule['port'] ? [''] : [])]
  return ports.some((port) => {
    if (!authority.endsWith(port)) return false
    const host = authority.slice(0, authority.length - port.length)
    if (rule['host'] !== undefined) return host === rule['host']
    const labels = host.split('.')
    const suffix = (rule['host_suffix'] as string).split('.')
    const isLabel = (label: string) => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label)
    return labels.every(isLabel) && labels.slice(-suffix.length).join('.') === suffix.join('.')
  })
}

function isPathOf(root: string, path: string): boolean {
  if (!/^[\w\-.~!$&'()*+,=:@/%]*$/.test(path) || /%(?![0-9a-f]{2})/i.test(path)) return false
  if (/%(2e|2f|5c|25|3b|7f|[01].)/i.test(path)) return false
  const [, ...names] = path.split('/')
  const read = names.map(folded)
  if (read.some((name) => name === undefined || /[/\\;%]/.test(name) || /^\.\.?$/.test(name))) return false
  const open = names.at(-1) === '' ? names.slice(0, -1) : names
  if (open.some((name) => name === '' || name === '.' || name === '..')) return false
  return isWithin(open, root === '/' ? [] : root.slice(1).split('/'))
}

/** A segment as the laxest reader has it; undefined when it is not UTF-8. */
function folded(name: string): string | undefined {
  const latin = name.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(latin, 'latin1')).normalize('NFKC')
  } catch {
    return undefined
  }
}
