import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../../runtime/encoding/digest.js'
import { maxTools, parseManifest } from '../../runtime/identity/manifest.js'
import { expectCode } from '../support/expect-code.js'

const tool = { name: 'read', description: 'reads', parameters: { type: 'object' } }
const manifest = {
  agent_id: 'scanner',
  prompt_template: 'Scan.',
  tools: [tool],
  configuration: { temperature: 0 },
}
const digest = `sha256:${sha256Hex('x')}`
const named = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ ...tool, name: `tool-${index}` }))

describe('parseManifest', () => {
  it('returns a deeply frozen copy', () => {
    const parsed = parseManifest(manifest)
    expect(parsed).toEqual(manifest)
    expect(Object.isFrozen(parsed.tools[0]?.parameters)).toBe(true)
    expect(parsed.tools[0]).not.toBe(tool)
  })

  const pairs: [what: string, refused: unknown, allowed: unknown][] = [
    ['something else than an object', [], manifest],
    ['an instance of a class', Object.assign(new (class Manifest {})(), manifest), { ...manifest }],
    ['an unknown key', { ...manifest, model: 'm' }, manifest],
    ['an agent id that is none', { ...manifest, agent_id: 'a b' }, { ...manifest, agent_id: 'a-b' }],
    [
      'a missing prompt',
      { agent_id: 'scanner', tools: [] },
      { agent_id: 'scanner', prompt_template: '', tools: [] },
    ],
    ['tools that are no array', { ...manifest, tools: { read: tool } }, { ...manifest, tools: [] }],
    ['too many tools', { ...manifest, tools: named(maxTools + 1) }, { ...manifest, tools: named(maxTools) }],
    [
      'a tool name twice',
      { ...manifest, tools: [tool, tool] },
      { ...manifest, tools: [tool, { ...tool, name: 'x/y' }] },
    ],
    [
      'a tool name that is none',
      { ...manifest, tools: [{ ...tool, name: 'x y' }] },
      { ...manifest, tools: [tool] },
    ],
    ['a tool without parameters', { ...manifest, tools: [{ ...tool, parameters: null }] }, manifest],
    ['a tool with an unknown key', { ...manifest, tools: [{ ...tool, scope: 'x' }] }, manifest],
    [
      'a source that is no text',
      { ...manifest, tools: [{ ...tool, source_code: 1 }] },
      { ...manifest, tools: [{ ...tool, source_code: digest }] },
    ],
    [
      'a configuration that is no object',
      { ...manifest, configuration: [] },
      { ...manifest, configuration: {} },
    ],
    [
      'a reserved key that holds no digest',
      { ...manifest, configuration: { code: 'main' } },
      { ...manifest, configuration: { code: digest, deps: digest, prompt: digest } },
    ],
    ['undefined', { ...manifest, configuration: undefined }, { ...manifest, configuration: { top: null } }],
    [
      'a number that is not exact',
      { ...manifest, configuration: { seed: 2 ** 53 } },
      { ...manifest, configuration: { seed: 1 } },
    ],
    [
      'an accessor',
      { ...manifest, configuration: Object.defineProperty({}, 'top', { get: () => 1, enumerable: true }) },
      { ...manifest, configuration: { top: 1 } },
    ],
  ]

  it.each(pairs)('refuses %s', async (_, refused, allowed) => {
    await expectCode(() => parseManifest(refused), 'ERR_MANIFEST_INVALID')
    expect(parseManifest(allowed)).toEqual(allowed)
  })

  it('does not repeat what it refuses', async () => {
    const error = await expectCode(
      () => parseManifest({ ...manifest, agent_id: 'my secret!' }),
      'ERR_MANIFEST_INVALID',
    )
    expect(error.message).not.toContain('secret')
  })
})
