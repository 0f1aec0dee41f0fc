import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { strictParameters, watchParameters } from '../../runtime/identity/tool-schema.js'

type Internals = { def: Record<string, unknown>; bag: Record<string, unknown>; processJSONSchema: unknown }
const internalsOf = (schema: z.ZodType) => schema._zod as unknown as Internals

describe('strictParameters', () => {
  it('keeps an object that is closed already', () => {
    const closed = z.strictObject({ path: z.string() })
    expect(strictParameters(closed, 'tool')).toBe(closed)
  })

  it('refuses a schema whose JSON Schema does not describe it', () => {
    const empty = z.strictObject({ path: z.string() })
    internalsOf(empty).processJSONSchema = (_: unknown, json: object) =>
      Object.assign(json, { type: 'object' }) // what a converter for another zod version comes to
    expect(() => strictParameters(empty, 'tool "x"')).toThrow(/tool "x"/)
    expect(strictParameters(z.strictObject({}), 'tool "x"')).toBeDefined()
  })
})

describe('watchParameters', () => {
  const make = () =>
    z.strictObject({
      path: z.string().min(2).max(100).describe('where'),
      count: z.number().int().default(3),
      list: z.array(z.object({ a: z.string(), b: z.enum(['x', 'y']) })).optional(),
      tree: z.lazy(() => z.union([z.string(), z.null()])),
    })

  it('gives one frozen object while the schema is the same, also after it was used', () => {
    const schema = make()
    const read = watchParameters(schema)
    const json = read()
    expect(json).toEqual(JSON.parse(JSON.stringify(z.toJSONSchema(schema))))
    expect(Object.isFrozen(json.properties)).toBe(true)
    schema.safeParse({ path: 'abc' })
    z.toJSONSchema(schema)
    expect(read()).toBe(json)
    expect(read()).toBe(json)
  })

  const changes: [what: string, change: (schema: ReturnType<typeof make>) => void][] = [
    ['an argument added', (schema) => Object.assign(schema._zod.def.shape, { extra: z.string() })],
    ['an argument replaced', (schema) => Object.assign(schema._zod.def.shape, { path: z.number() })],
    ['an argument removed', (schema) => Reflect.deleteProperty(schema._zod.def.shape, 'path')],
    ['a closed object opened', (schema) => Object.assign(schema._zod.def, { catchall: z.unknown() })],
    ['a check dropped', (schema) => (internalsOf(schema.shape.path).def.checks as unknown[]).pop()],
    ['a bound moved', (schema) => (internalsOf(schema.shape.path).bag.minimum = 50)],
    [
      'an enum widened, deep inside',
      (schema) => Object.assign(schema.shape.list.unwrap().element.shape.b._zod.def.entries, { z: 'z' }),
    ],
    ['a definition replaced', (schema) => (internalsOf(schema.shape.path).def = { type: 'string' })],
    [
      'a description written later',
      (schema) => z.globalRegistry.add(schema.shape.count, { description: 'new' }),
    ],
    ['a description rewritten', (schema) => z.globalRegistry.add(schema.shape.path, { description: 'else' })],
    ['a description removed', (schema) => z.globalRegistry.remove(schema.shape.path)],
  ]

  it.each(changes)('notices %s', (_, change) => {
    const schema = make()
    const read = watchParameters(schema)
    const before = read()
    change(schema)
    const after = read()
    expect(after).not.toEqual(before)
    expect(after).toEqual(JSON.parse(JSON.stringify(z.toJSONSchema(schema))))
    expect(read()).toBe(after)
  })

  it('asks again where identity cannot tell: a default object that somebody still holds', () => {
    const held = ['a']
    const read = watchParameters(z.strictObject({ names: z.array(z.string()).default(held) }))
    const before = read()
    expect(read()).toBe(before) // equal content: the same object
    held.push('b')
    expect(read()).toMatchObject({ properties: { names: { default: ['a', 'b'] } } })
  })

  it('asks again where identity cannot tell: a fallback that is computed', () => {
    let fallback = 'a'
    const read = watchParameters(z.strictObject({ name: z.string().catch(() => fallback) }))
    expect(read()).toMatchObject({ properties: { name: { default: 'a' } } })
    fallback = 'b'
    expect(read()).toMatchObject({ properties: { name: { default: 'b' } } })
  })
})
