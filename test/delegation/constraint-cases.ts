/** Random constraints, children that are a step narrower or wider, and the values around all their constants. */
import fc from 'fast-check'
import type { JsonValue } from '../../runtime/encoding/canonical-json.js'
import type { Wire } from './constraint-oracle.js'

const atoms: readonly JsonValue[] = ['a', 'b', 'c', 0, 1, 2, '1', true, null]
const paths = ['/', '/a', '/a/b', '/a/b/c', '/ab', '/b']
const patterns = ['*', '**', '/a/*', '/a/**', '/*/b', 'a*', '*b', 'a', '**/b', '/a/*b*']
const hosts = ['x.com', 'a.x.com', 'b.a.x.com', 'ax.com', 'com']

const item = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...atoms) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<JsonValue>({ k: 1, l: ['a'] }, ['a'], [], '/a/b', 'https://x.com/v'),
  },
)
const scalar = fc.oneof(
  fc.constantFrom(...atoms),
  fc.constantFrom('/a/b', '/a', 'ab', 'https://x.com/v', 'https://a.x.com/v/w'),
)
const items = fc.uniqueArray(item, { maxLength: 4, selector: (value) => JSON.stringify(value) })
const bound = fc.constantFrom(0, 0.5, 1, 2, 3)
const bounds = fc.record(
  { min: bound, max: bound, min_inclusive: fc.boolean(), max_inclusive: fc.boolean() },
  { requiredKeys: [] },
)
const url = fc.record(
  {
    scheme: fc.constantFrom('https', 'http'),
    port: fc.constantFrom(443, 443, 80, 8443),
    place: fc.oneof(
      fc.constantFrom(...hosts, '127.0.0.1').map((host) => ({ host })),
      fc.constantFrom(...hosts).map((host_suffix) => ({ host_suffix })),
    ),
    path: fc.constantFrom('/', '/v', '/v/w', '/vw'),
  },
  { requiredKeys: ['scheme', 'port', 'place'] },
)

const leaf: fc.Arbitrary<Wire> = fc.oneof(
  scalar.map((value) => ({ constraint_type: 'exact', value })),
  bounds.map((members) => ({ constraint_type: 'range', ...members })),
  items.map((values) => ({ constraint_type: 'one_of', values })),
  items.map((excluded) => ({ constraint_type: 'not_one_of', excluded })),
  items.map((required) => ({ constraint_type: 'contains', required })),
  items.map((allowed) => ({ constraint_type: 'subset', allowed })),
  fc.constant({ constraint_type: 'wildcard' }),
  fc.constantFrom(...paths).map((root) => ({ constraint_type: 'path_containment', root })),
  fc.constantFrom(...patterns).map((value) => ({ constraint_type: 'pattern', value })),
  url.map(({ place, ...members }) => ({ constraint_type: 'url', ...members, ...place })),
)

/** Any constraint, composites up to three deep. */
export const anyConstraint: fc.Arbitrary<Wire> = fc.letrec<{ tree: Wire }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    { weight: 7, arbitrary: leaf },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom('all', 'any'), fc.array(tie('tree'), { minLength: 1, maxLength: 3 }))
        .map(([constraint_type, constraints]) => ({ constraint_type, constraints })),
    },
  ),
})).tree

/** A parent, and a child that is a step away from it, or two, or has nothing to do with it. */
export const pair: fc.Arbitrary<readonly [parent: Wire, child: Wire]> = fc
  .tuple(anyConstraint, anyConstraint, fc.array(fc.nat(), { minLength: 8, maxLength: 8 }))
  .map(([parent, other, picks]) => {
    if ((picks[0] ?? 0) % 8 === 0) return [parent, other] as const
    const once = stepFrom(parent, other, picks.slice(1))
    return [parent, (picks[0] ?? 0) % 3 === 0 ? stepFrom(once, other, picks.slice(4)) : once] as const
  })

/** A constraint with one thing changed. @param picks which thing, and how */
function stepFrom(from: Wire, other: Wire, [pick = 0, place = 0, ...picks]: readonly number[]): Wire {
  const clauses = from['constraints'] as readonly Wire[] | undefined
  if (clauses) {
    const at = place % clauses.length
    const changed = clauses.with(at, stepFrom(clauses[at] as Wire, other, picks))
    const less = clauses.toSpliced(at, 1)
    const choices = [
      changed,
      changed,
      [...clauses, other],
      less.length > 0 ? less : changed,
      clauses.toReversed(),
    ]
    return { ...from, constraints: choices[pick % choices.length] }
  }
  if (pick % 7 === 0)
    return { constraint_type: 'exact', value: scalarsOf(from)[place % scalarsOf(from).length] }
  if (pick % 7 === 1) return { constraint_type: 'one_of', values: scalarsOf(from).slice(0, 1 + (place % 3)) }
  const steps = stepsOf(from)
  return steps[place % steps.length] ?? other
}

function stepsOf(from: Wire): readonly Wire[] {
  const list = Object.values(from).find(Array.isArray) as readonly JsonValue[] | undefined
  const member = Object.keys(from).find((name) => Array.isArray(from[name]))
  if (list && member) {
    const lists = [[...list, 'b'], [...list, 'zz'], list.slice(1), list.slice(0, -1), list.toReversed()]
    return [from, ...lists.map((changed) => ({ ...from, [member]: changed }))]
  }
  const replaced = (name: string, values: readonly unknown[]) =>
    values.map((value) => {
      const { [name]: _, ...rest } = from
      return { ...rest, ...(value !== undefined && { [name]: value }) } as Wire
    })
  switch (from.constraint_type) {
    case 'range':
      return [
        ...replaced('min', [undefined, 0, 0.5, 1, 2]),
        ...replaced('max', [undefined, 1, 2, 3]),
        ...replaced('min_inclusive', [undefined, true, false]),
        ...replaced('max_inclusive', [undefined, true, false]),
      ]
    case 'path_containment':
      return replaced('root', paths)
    case 'pattern':
      return replaced('value', [from['value'], from['value'], ...patterns])
    case 'url':
      return [
        ...replaced('path', [undefined, '/', '/v', '/v/w', '/vw']),
        ...replaced('port', [443, 8443]),
        ...replaced('scheme', ['https', 'http']),
        ...replaced(from['host'] === undefined ? 'host_suffix' : 'host', hosts),
        ...hosts.map((host) => asHost(from, host)),
      ]
    default:
      return [from]
  }
}

function asHost({ host: _, host_suffix: __, ...rest }: Wire, host: string): Wire {
  return { ...rest, host } as Wire
}

function scalarsOf(from: Wire): readonly JsonValue[] {
  const found = around(from).filter((value) => typeof value !== 'object' || value === null)
  return found.length > 0 ? found : ['a']
}

/** Values at and beside every constant of a constraint: those that it is about. */
export function around(constraint: Wire): readonly JsonValue[] {
  const { constraint_type: type } = constraint
  if (type === 'all' || type === 'any') return (constraint['constraints'] as Wire[]).flatMap(around)
  if (type === 'url') return urlsAround(constraint)
  if (type === 'pattern') return textsOf(constraint['value'] as string)
  if (type === 'path_containment') return pathsAround(constraint['root'] as string)
  return Object.entries(constraint)
    .filter(([name]) => name !== 'constraint_type')
    .flatMap(([, value]) => beside(value as JsonValue))
}

function beside(value: JsonValue): readonly JsonValue[] {
  if (typeof value === 'number')
    return [value, value - 1, value + 1, value - 0.25, value + 0.25, String(value)]
  if (typeof value === 'string') return [value, `${value}x`, value.toUpperCase(), value.slice(0, -1), [value]]
  if (!Array.isArray(value)) return [value]
  const list = value as readonly JsonValue[]
  const whole = [list, [...list, 'zz'], list.slice(1), list.slice(0, 1), [...list, ...list].reverse()]
  return [...whole, ...list.flatMap((member) => [member, [member]])]
}

function pathsAround(root: string): readonly string[] {
  const below = root === '/' ? '' : root
  const ends = ['', '/x', '/x/y', 'x', '/', '/..', '/./x', '//x', '\\x', '/\0', '/e\u0301', '/\u00e9', '/..x']
  return [...ends.map((end) => below + end), below.slice(0, -2), root.toUpperCase(), `x${root}`]
}

function textsOf(pattern: string): readonly string[] {
  const runs = ['', 'x', 'b', 'x/y', '..', '/', 'b/b']
  return [...runs.map((run) => pattern.replaceAll(/\*+/g, run)), `${pattern}x`, `x${pattern}`]
}

function urlsAround(rule: Wire): readonly string[] {
  const { scheme, port, path = '' } = rule as unknown as { scheme: string; port: number; path?: string }
  const name = (rule['host'] ?? rule['host_suffix']) as string
  const root = path === '/' ? '' : path
  const at = (host: string, rest = `:${port}${root}`, by = scheme) => `${by}://${host}${rest}`
  const hosts = [
    name,
    `a.${name}`,
    `bad${name}`,
    `${name}.`,
    `${name}.evil.org`,
    `u@${name}`,
    name.toUpperCase(),
  ]
  const ends = [
    '',
    '/',
    '/w',
    'w',
    '/..',
    '/%2e%2e',
    '/%2Fw',
    '/;w',
    '//w',
    '?q=/..',
    '#w',
    '/%C3%A9',
    '\\w',
    '/%C0%AFw',
    '/%EF%BC%8Fw',
  ]
  return [
    ...hosts.map((host) => at(host)),
    ...ends.map((end) => at(name, `:${port}${root}${end}`)),
    ...['', ':8443', `:0${port}`, ':'].map((other) => at(name, `${other}${root}`)),
    at(name, `:${port}`),
    at(name, undefined, scheme === 'https' ? 'http' : 'https'),
    at('127.0.0.1'),
  ]
}

/** What every constraint is asked besides. */
export const usual: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  1,
  '',
  'a',
  '/',
  [],
  {},
  ['a'],
  { k: 1, l: ['a'] },
]
