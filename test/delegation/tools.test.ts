import { describe, expect, it } from 'vitest'
import { checkArguments, parseToolGrants, requireNarrower } from '../../runtime/delegation/tools.js'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import { expectCode } from '../support/expect-code.js'

const exact = (value: string) => ({ constraint_type: 'exact', value })
const any = { constraint_type: 'wildcard' }
const held = parseToolGrants({
  'repo/read': { path: { constraint_type: 'path_containment', root: '/repo' }, limit: any },
  search: {},
})

describe('parseToolGrants', () => {
  it('refuses what is no map of tools to constraints', async () => {
    for (const value of [
      null,
      [],
      'x',
      { search: null },
      { search: [] },
      { 'a b': {} },
      { '': {} },
      { 'a//b': {} },
      { search: { '': any } },
      { search: { ['x'.repeat(129)]: any } },
      { search: { q: { constraint_type: 'nope' } } },
      JSON.parse('{"search":{"__proto__":{"constraint_type":"wildcard"}}}'),
      JSON.parse('{"__proto__":{}}'),
    ]) {
      await expectCode(() => parseToolGrants(value), 'ERR_CONSTRAINT_INVALID')
    }
    expect(parseToolGrants({})).toEqual({})
  })

  it('reads 256 tools and 1,024 constraints, nested ones counted, and no more', async () => {
    const tools = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${i}`, {}]))
    expect(Object.keys(parseToolGrants(tools(256)))).toHaveLength(256)
    await expectCode(() => parseToolGrants(tools(257)), 'ERR_CONSTRAINT_INVALID')
    const clauses = (count: number) => ({
      t: { a: { constraint_type: 'all', constraints: Array(count).fill(any) } },
    })
    expect(Object.keys(parseToolGrants(clauses(1023)))).toEqual(['t'])
    await expectCode(() => parseToolGrants(clauses(1024)), 'ERR_CONSTRAINT_INVALID')
  })

  it('returns maps that inherit nothing and cannot be changed', async () => {
    expect('constructor' in held).toBe(false)
    expect(() => Object.assign(held, { evil: {} })).toThrow(TypeError)
    await expectCode(() => checkArguments(held, 'constructor', {}), 'ERR_TOOL_NOT_GRANTED')
    await expectCode(() => checkArguments({}, 'toString', {}), 'ERR_TOOL_NOT_GRANTED')
  })
})

describe('checkArguments', () => {
  it('refuses a tool that is not granted', async () => {
    await expectCode(() => checkArguments(held, 'repo/write', {}), 'ERR_TOOL_NOT_GRANTED')
    await expectCode(() => checkArguments(held, 'Search', {}), 'ERR_TOOL_NOT_GRANTED')
    checkArguments(held, 'search', {})
  })

  it('takes exactly the named arguments once one is constrained', async () => {
    checkArguments(held, 'repo/read', { path: '/repo/a', limit: null })
    for (const args of [
      { path: '/repo/a' },
      { limit: 1 },
      {},
      { path: '/repo/a', limit: 1, follow: true },
      { path: '/repo/a', limit: 1, toString: 'x' },
      { path: '/etc', limit: 1 },
      { path: ['/repo/a'], limit: 1 },
      { path: '/repo/a', limit: undefined },
      Object.create({ path: '/repo/a', limit: 1 }),
    ]) {
      await expectCode(() => checkArguments(held, 'repo/read', args as JsonObject), 'ERR_ARGUMENT_REFUSED')
    }
  })

  it('takes any arguments of a tool without constraints, as long as they are JSON', async () => {
    checkArguments(held, 'search', { q: 'anything', deep: { x: [1] } })
    await expectCode(
      () => checkArguments(held, 'search', { q: Number.NaN } as JsonObject),
      'ERR_ARGUMENT_REFUSED',
    )
    await expectCode(
      () => checkArguments(held, 'search', [] as unknown as JsonObject),
      'ERR_ARGUMENT_REFUSED',
    )
  })

  it('refuses an argument behind a getter', async () => {
    const args = {
      limit: 1,
      get path() {
        return '/repo/a'
      },
    }
    await expectCode(() => checkArguments(held, 'repo/read', args), 'ERR_ARGUMENT_REFUSED')
  })

  it('names tool and argument, never the value', async () => {
    const error = await expectCode(
      () => checkArguments(held, 'repo/read', { path: '/secret-value', limit: 1 }),
      'ERR_ARGUMENT_REFUSED',
    )
    expect(error.message).toContain('"repo/read"')
    expect(error.message).toContain('"path"')
    expect(error.message).not.toContain('secret-value')
  })
})

describe('requireNarrower (AAT I4)', () => {
  const parent = parseToolGrants({
    send: { to: { constraint_type: 'one_of', values: ['a', 'b'] }, body: any },
    list: {},
  })

  it('refuses a tool the parent lacks', async () => {
    await expectCode(() => requireNarrower(parent, parseToolGrants({ drop: {} })), 'ERR_CHAIN_TOOL_WIDENED')
    requireNarrower(parent, parseToolGrants({ list: {} }))
    requireNarrower(parent, parseToolGrants({}))
    requireNarrower(parent, parent)
  })

  it('keeps the key set of a constrained tool exactly', async () => {
    for (const constraints of [
      {},
      { to: exact('a') },
      { body: any },
      { to: exact('a'), body: any, cc: any },
      { to: exact('a'), cc: any },
    ]) {
      await expectCode(
        () => requireNarrower(parent, parseToolGrants({ send: constraints })),
        'ERR_CHAIN_CONSTRAINT_WIDENED',
      )
    }
    requireNarrower(parent, parseToolGrants({ send: { to: exact('a'), body: exact('x') } }))
  })

  it('refuses a wider constraint', async () => {
    await expectCode(
      () => requireNarrower(parent, parseToolGrants({ send: { to: exact('c'), body: any } })),
      'ERR_CHAIN_CONSTRAINT_WIDENED',
    )
    await expectCode(
      () => requireNarrower(parent, parseToolGrants({ send: { to: any, body: any } })),
      'ERR_CHAIN_CONSTRAINT_WIDENED',
    )
  })

  it('lets a child close a tool that is open to its parent', () => {
    requireNarrower(parent, parseToolGrants({ list: { folder: exact('inbox') } }))
  })
})
