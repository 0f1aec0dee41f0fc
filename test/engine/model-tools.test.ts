import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toolsForModel } from '../../runtime/engine/model-tools.js'

const manifestOf = (...names: string[]) => ({
  tools: names.map((name) => ({ name, description: name, parameters: { $schema: 'x', type: 'object' } })),
})

describe("a tool's name before a model", () => {
  it('leads back to the tool, and to no other', () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9.:-]{0,8}$/)
    const name = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 8 }), (names) => {
        let made: ReturnType<typeof toolsForModel>
        try {
          made = toolsForModel(manifestOf(...names))
        } catch {
          return
        }
        expect(made.tools.map((tool) => made.toolNamed(tool.name))).toEqual(names)
        for (const tool of made.tools) expect(tool.name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
      }),
      { seed: 20260101, numRuns: 300 },
    )
  })

  it('is refused when two tools would share it', () => {
    expect(() => toolsForModel(manifestOf('a/b', 'a__b'))).toThrow(TypeError)
    expect(() => toolsForModel(manifestOf('a.b', 'a:b'))).toThrow(TypeError)
    expect(toolsForModel(manifestOf('a/b', 'a_b')).tools.map(({ name }) => name)).toEqual(['a__b', 'a_b'])
  })

  it('is refused when it is too long for a model', () => {
    expect(() => toolsForModel(manifestOf('a'.repeat(65)))).toThrow(TypeError)
    expect(toolsForModel(manifestOf('a'.repeat(64))).tools).toHaveLength(1)
  })

  it('stays what it is when the model invented it', () => {
    expect(toolsForModel(manifestOf('a')).toolNamed('constructor')).toBe('constructor')
  })
})
