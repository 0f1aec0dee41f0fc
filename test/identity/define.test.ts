import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AgentDefinition, ToolDefinition } from '../../runtime/identity/agent.js'
import { defineAgent, defineTool } from '../../runtime/identity/define.js'

const tool = (changes: object = {}) =>
  ({
    name: 'manifest/read',
    description: 'Reads package.json.',
    parameters: z.object({ path: z.string() }),
    scope: 'repo:read',
    run: () => 'ok',
    ...changes,
  }) as ToolDefinition

const agent = (changes: object = {}) =>
  ({
    id: 'scanner',
    prompt: 'Scan.',
    tools: [tool()],
    scopes: ['repo:read'],
    run: () => 'ok',
    ...changes,
  }) as AgentDefinition

const route = { resource: 'repo', method: 'POST', path: '/files/read' }
const http = (changes: object = {}) => tool({ run: undefined, http: { ...route, ...changes } })

describe('defineTool', () => {
  const pairs: [what: string, refused: ToolDefinition, allowed: ToolDefinition][] = [
    ['something else than an object', [] as unknown as ToolDefinition, tool()],
    ['an unknown key', tool({ scopes: ['repo:read'] }), tool()],
    ['a name that is none', tool({ name: 'read manifest' }), tool({ name: 'read-manifest' })],
    ['no description', tool({ description: '' }), tool({ description: 'x' })],
    ['a scope with a space', tool({ scope: 'repo read' }), tool({ scope: 'repo:read' })],
    ['a scope with a quote', tool({ scope: 'repo"' }), tool({ scope: "repo'" })],
    ['both run and http', tool({ http: route }), tool()],
    ['neither run nor http', tool({ run: undefined }), http()],
    ['a run that is no function', tool({ run: 'rm' }), tool({ run: () => 0 })],
    [
      'parameters that are no zod object',
      tool({ parameters: z.string() }),
      tool({ parameters: z.object({}) }),
    ],
    ['parameters in JSON Schema', tool({ parameters: { type: 'object' } }), tool()],
    [
      'parameters with a transform',
      tool({ parameters: z.object({ path: z.string().transform(Number) }) }),
      tool({ parameters: z.object({ path: z.string().refine((path) => path !== '') }) }),
    ],
    [
      'parameters with a date',
      tool({ parameters: z.object({ at: z.date() }) }),
      tool({ parameters: z.object({ at: z.iso.datetime() }) }),
    ],
    [
      'a default without exact JSON form',
      tool({ parameters: z.object({ at: z.number().default(2 ** 60) }) }),
      tool({ parameters: z.object({ at: z.number().default(60) }) }),
    ],
    [
      'a module that is no file URL',
      tool({ module: 'https://example.com/a.js' }),
      tool({ module: 'file:///a.js' }),
    ],
    ['a module that is a path', tool({ module: '/a.js' }), tool({ module: import.meta.url })],
    ['a route with an unknown key', http({ query: 'a' }), http()],
    ['a resource that is no identifier', http({ resource: 'http://repo' }), http()],
    ['a method that carries no body', http({ method: 'GET' }), http({ method: 'PUT' })],
    ['a path with a query', http({ path: '/files?a=1' }), http({ path: '/files' })],
    ['a path with dot segments', http({ path: '/files/../x' }), http({ path: '/files/..x' })],
    ['a path with an empty segment', http({ path: '//files' }), http({ path: '/files' })],
    ['a path with an encoded slash', http({ path: '/files%2fx' }), http({ path: '/files/x' })],
    ['a relative path', http({ path: 'files' }), http({ path: '/files' })],
  ]

  it.each(pairs)('refuses %s', (_, refused, allowed) => {
    expect(() => defineTool(refused)).toThrow(TypeError)
    expect(defineTool(allowed).name).toBe(allowed.name)
  })

  it('closes the parameters and keeps their checks and description', () => {
    const parameters = z
      .object({ from: z.number(), to: z.number() })
      .refine(({ from, to }) => from <= to)
      .describe('a range')
    const closed = defineTool(tool({ parameters })).parameters
    expect(closed.safeParse({ from: 1, to: 2, extra: 3 }).success).toBe(false)
    expect(closed.safeParse({ from: 2, to: 1 }).success).toBe(false)
    expect(closed.safeParse({ from: 1, to: 2 }).success).toBe(true)
    expect(closed.description).toBe('a range')
    expect(parameters.safeParse({ from: 1, to: 2, extra: 3 }).success).toBe(true) // the caller's own is untouched
  })

  it('closes a loose object too', () => {
    const closed = defineTool(tool({ parameters: z.looseObject({ path: z.string() }) })).parameters
    expect(closed.safeParse({ path: 'a', extra: 1 }).success).toBe(false)
    expect(closed.safeParse({ path: 'a' }).success).toBe(true)
  })
})

describe('defineAgent', () => {
  const write = tool({ name: 'write', scope: 'repo:write' })
  const both = ['repo:read', 'repo:write']
  const pairs: [what: string, refused: AgentDefinition, allowed: AgentDefinition][] = [
    ['something else than an object', null as unknown as AgentDefinition, agent()],
    ['an unknown key', agent({ tool: [] }), agent()],
    ['an id that is none', agent({ id: 'a/b' }), agent({ id: 'a.b' })],
    ['no prompt', agent({ prompt: undefined }), agent({ prompt: '' })],
    ['a prompt with a lone surrogate', agent({ prompt: '\ud83d' }), agent({ prompt: '\ud83d\udd11' })],
    ['no run', agent({ run: undefined }), agent()],
    ['a task that is no function', agent({ task: 'scan' }), agent({ task: () => 'scan' })],
    ['tools that are no array', agent({ tools: { read: tool() } }), agent({ tools: [] })],
    [
      'two tools of one name',
      agent({ tools: [tool(), tool()] }),
      agent({ tools: [tool(), tool({ name: 'x' })] }),
    ],
    [
      'scopes that lack a tool’s',
      agent({ tools: [tool(), write] }),
      agent({ tools: [tool(), write], scopes: both }),
    ],
    ['scopes as one text', agent({ scopes: 'repo:read' }), agent()],
    ['a scope twice', agent({ scopes: ['repo:read', 'repo:read'] }), agent({ scopes: both })],
    [
      'a scope that is no token',
      agent({ scopes: ['repo:read', 'a b'] }),
      agent({ scopes: ['repo:read', 'a'] }),
    ],
    ['a reserved key', agent({ configuration: { code: 'x' } }), agent({ configuration: { codes: 'x' } })],
    [
      'a date in the configuration',
      agent({ configuration: { at: new Date() } }),
      agent({ configuration: { at: 0 } }),
    ],
    ['a configuration that is no object', agent({ configuration: [] }), agent({ configuration: {} })],
    [
      'a mode of the code digest that is none',
      agent({ code: 'full', module: import.meta.url }),
      agent({ code: 'deep', module: import.meta.url }),
    ],
    ['deep without a module', agent({ code: 'deep' }), agent({ code: 'shallow' })],
    ['a module that is no URL', agent({ module: 'agent.js' }), agent({ module: import.meta.url })],
  ]

  it.each(pairs)('refuses %s', (_, refused, allowed) => {
    expect(() => defineAgent(refused)).toThrow(TypeError)
    expect(defineAgent(allowed).id).toBe(allowed.id)
  })

  it('returns copies: what the caller does to its own objects has no effect', () => {
    const mine = {
      id: 'scanner',
      prompt: 'Scan.',
      tools: [{ ...http({}) }],
      configuration: { limits: { files: 10 } },
      scopes: ['repo:read'],
      run: () => 'ok',
    }
    const defined = defineAgent(mine as unknown as AgentDefinition)
    const before = JSON.stringify(defined)
    mine.prompt = 'Delete.'
    mine.configuration.limits.files = 1e6
    mine.scopes.push('repo:write')
    Object.assign(mine.tools[0]?.http ?? {}, { path: '/admin' })
    Object.assign(mine.tools[0] ?? {}, { description: 'other', scope: 'repo:write' })
    mine.tools.pop()
    expect(JSON.stringify(defined)).toBe(before)
  })

  it('returns what nobody can change', () => {
    const defined = defineAgent(agent({ tools: [http()], configuration: { limits: { files: 10 } } }))
    const [first] = defined.tools
    for (const part of [
      defined,
      defined.tools,
      first,
      first?.http,
      defined.scopes,
      defined.configuration?.limits,
    ]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })
})
