import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type AgentManifest, agentChecksum, sequenceHash } from '../../runtime/index.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { withPolluted } from '../support/polluted.js'
import { vectors } from '../support/vectors.js'

const file = vectors('ajwt/checksums.json')

interface Vectors {
  checksums: { desc: string; spec: { prompt: string } & AgentManifest; checksum: string }[]
  sequences: { desc: string; input: string[]; truncated16: string }[]
}

describe.skipIf(!file)('the A-JWT vectors through the front door', () => {
  const { checksums, sequences }: Vectors = JSON.parse(
    file ? readFileSync(file, 'utf8') : '{"checksums":[],"sequences":[]}',
  )

  it('are all there', () => expect([checksums.length, sequences.length]).toEqual([23, 6]))

  it.each(checksums)('checksum: $desc', ({ spec: { prompt, ...spec }, checksum }) => {
    expect(agentChecksum({ ...spec, prompt_template: prompt })).toBe(checksum)
  })

  it.each(sequences)('sequence: $desc', ({ input, truncated16 }) => {
    expect(sequenceHash(input)).toBe(truncated16)
  })
})

describe('a manifest from outside', () => {
  const tool = { name: 'read', description: 'reads', parameters: { type: 'object' } }
  const manifest = { agent_id: 'scanner', prompt_template: 'Scan.', tools: [tool] }
  const checksumOf = (value: unknown) => agentChecksum(value as AgentManifest)

  it('has a checksum; without a configuration that of an empty one', () => {
    expect(checksumOf(manifest)).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(checksumOf({ ...manifest, configuration: {} })).toBe(checksumOf(manifest))
    expect(checksumOf({ ...manifest, configuration: undefined })).toBe(checksumOf(manifest))
    expect(checksumOf({ ...manifest, tools: [{ ...tool, source_code: 'sha256:1' }] })).not.toBe(
      checksumOf(manifest),
    )
  })

  it.each([
    ['no object', 'scanner'],
    ['null', null],
    ['an array', [manifest]],
    ['an unknown member, which would not be hashed', { ...manifest, model: 'gpt' }],
    ['no agent id', { ...manifest, agent_id: undefined }],
    ['no prompt', { agent_id: 'scanner', tools: [] }],
    ['a prompt that is no text', { ...manifest, prompt_template: ['Scan.'] }],
    ['no tools', { agent_id: 'scanner', prompt_template: '' }],
    ['tools in an object', { ...manifest, tools: { 0: tool } }],
    ['a tool that is no object', { ...manifest, tools: ['read'] }],
    ['a tool without a name', { ...manifest, tools: [{ description: '', parameters: {} }] }],
    ['a tool whose name is no text', { ...manifest, tools: [{ ...tool, name: 7 }] }],
    ['a tool without a description', { ...manifest, tools: [{ name: 'read', parameters: {} }] }],
    ['a tool without parameters', { ...manifest, tools: [{ name: 'read', description: '' }] }],
    ['a tool with an unknown member', { ...manifest, tools: [{ ...tool, title: 'Read' }] }],
    ['a tool whose source is no text', { ...manifest, tools: [{ ...tool, source_code: 7 }] }],
    ['two tools of one name', { ...manifest, tools: [tool, tool] }],
    ['a configuration that is a list', { ...manifest, configuration: [] }],
    ['members of its prototype alone', Object.create(manifest)],
    ['a member under a symbol, which would not be hashed', { ...manifest, [Symbol('model')]: 'gpt' }],
    ['a hidden member', Object.defineProperty({ ...manifest }, 'model', { value: 'gpt' })],
    ['a hole among its tools', { ...manifest, tools: Array(1) }],
    ['tools that say more than they are', { ...manifest, tools: Object.assign([tool], { model: 'gpt' }) }],
    ['tools of a class of their own', { ...manifest, tools: class extends Array {}.from([tool]) }],
  ])('is refused with %s', async (_, value) => {
    await expectCode(() => checksumOf(value), 'ERR_MANIFEST_INVALID')
  })

  attack('X10', 'says the same in a realm where every object inherits something', () => {
    const expected = checksumOf(manifest)
    withPolluted('configuration', { model_name: 'other' }, () => expect(checksumOf(manifest)).toBe(expected))
    withPolluted('source_code', 7, () => expect(checksumOf(manifest)).toBe(expected))
  })

  it('is refused when it holds what JSON cannot', async () => {
    const values = { configuration: { temperature: Number.NaN } }
    await expectCode(() => checksumOf({ ...manifest, ...values }), 'ERR_JSON_NOT_CANONICAL')
  })
})

it('a sequence is of texts', () => {
  expect(sequenceHash([])).toMatch(/^[0-9a-f]{16}$/)
  for (const ids of ['scan', undefined, [7], { length: 0 }, Array(2)])
    expect(() => sequenceHash(ids as string[])).toThrow(TypeError)
})
