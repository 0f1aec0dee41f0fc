import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { canonicalize } from '../../runtime/encoding/canonical-json.js'
import { digestOf, sha256Hex } from '../../runtime/encoding/digest.js'
import type { AgentDefinition } from '../../runtime/identity/agent.js'
import { agentChecksum, componentDigests, explainMismatch } from '../../runtime/identity/checksum.js'
import { codeDigest } from '../../runtime/identity/code-digest.js'
import { freezeAgent } from '../../runtime/identity/live-agent.js'
import { parseManifest } from '../../runtime/identity/manifest.js'
import { expectCode } from '../support/expect-code.js'
import { type TempProject, tempProject } from '../support/temp-project.js'

const projects: TempProject[] = []
afterEach(() => {
  for (const project of projects.splice(0)) project.dispose()
})

function project(files: Readonly<Record<string, string>>): TempProject {
  const made = tempProject(files)
  projects.push(made)
  return made
}

function definition(changes: Partial<AgentDefinition> = {}): AgentDefinition {
  return {
    id: 'scanner',
    prompt: 'Scan.\n  Twice.',
    tools: [
      {
        name: 'read',
        description: 'Reads.',
        parameters: z.object({ path: z.string(), lines: z.array(z.number()).default([]) }),
        scope: 'repo:read',
        run: () => 'ok',
      },
    ],
    configuration: { temperature: 0 },
    scopes: ['repo:read'],
    run: () => 'ok',
    ...changes,
  }
}

describe('freezeAgent', () => {
  it('makes the manifest of PROTOCOL 2.1, with the digest of the exact prompt', async () => {
    const agent = await freezeAgent(definition())
    const manifest = agent.manifest()
    expect(manifest).toEqual({
      agent_id: 'scanner',
      prompt_template: 'Scan.\n  Twice.',
      tools: [
        {
          name: 'read',
          description: 'Reads.',
          parameters: expect.objectContaining({ additionalProperties: false }),
        },
      ],
      configuration: { temperature: 0, prompt: `sha256:${sha256Hex('Scan.\n  Twice.')}` },
    })
    expect(parseManifest(manifest)).toEqual(manifest)
    expect(agent.checksum()).toBe(agentChecksum(manifest))
    expect(agent.components()).toEqual(componentDigests(manifest))
  })

  it('tells apart two prompts that normalize to one', async () => {
    const other = definition({ prompt: 'Scan.\nTwice.' })
    expect((await freezeAgent(other)).checksum()).not.toBe((await freezeAgent(definition())).checksum())
    expect((await freezeAgent(definition())).checksum()).toBe((await freezeAgent(definition())).checksum())
  })

  it('does not follow what the caller does to its own objects', async () => {
    const mine = definition() as { -readonly [key in keyof AgentDefinition]: AgentDefinition[key] }
    const agent = await freezeAgent(mine)
    const before = agent.checksum()
    mine.prompt = 'Delete.'
    Object.assign(mine.tools[0] ?? {}, { description: 'Writes.', run: () => 'stolen' })
    Object.assign(mine.configuration ?? {}, { temperature: 1 })
    ;(mine.scopes as string[]).push('repo:write')
    expect(agent.checksum()).toBe(before)
    expect(agent.definition.scopes).toEqual(['repo:read'])
    expect(agent.definition.tools[0]?.run?.({}, {} as never)).toBe('ok')
  })

  it('hands out nothing that could be changed', async () => {
    const agent = await freezeAgent(definition({ module: import.meta.url }))
    const manifest = agent.manifest()
    const parts = [
      agent,
      agent.definition,
      manifest,
      manifest.tools,
      manifest.tools[0]?.parameters.properties,
    ]
    for (const part of [...parts, manifest.configuration, agent.components().tools])
      expect(Object.isFrozen(part)).toBe(true)
  })

  it('notices a schema that changed under it, and its return', async () => {
    const agent = await freezeAgent(definition())
    const [before, components] = [agent.checksum(), agent.components()]
    const shape = agent.definition.tools[0]?.parameters._zod.def.shape as Record<string, z.ZodType>
    const { path } = shape
    shape.path = z.any()
    expect(agent.checksum()).not.toBe(before)
    expect(explainMismatch(components, agent.components())).toEqual(['tool "read" changed'])
    if (path !== undefined) shape.path = path
    expect(agent.checksum()).toBe(before)
  })

  it('refuses a definition of the wrong shape', async () => {
    await expect(freezeAgent(definition({ id: 'a b' }))).rejects.toThrow(TypeError)
  })
})

describe('the code of an agent', () => {
  const files = {
    'agent.js': `import './lib.js'\nimport 'pkg'`,
    'tool.js': `import './lib.js'`,
    'lib.js': 'export {}',
  }
  const pkg = (version: string) => ({
    'node_modules/pkg/package.json': `{"name":"pkg","version":"${version}"}`,
  })

  it('goes into the configuration, a tool’s into its source_code', async () => {
    const code = project({ ...files, ...pkg('1.0.0') })
    const tools = definition().tools.map((tool) => ({ ...tool, module: code.url('tool.js') }))
    const manifest = (await freezeAgent(definition({ module: code.url('agent.js'), tools }))).manifest()
    const [agent, tool] = [await codeDigest(code.url('agent.js')), await codeDigest(code.url('tool.js'))]
    expect(manifest.configuration).toMatchObject({ code: agent.digest, deps: agent.deps })
    expect(manifest.tools[0]?.source_code).toBe(digestOf({ code: tool.digest, deps: tool.deps }))
  })

  it('is looked at again by each checksum: a file that changed on disk is noticed, and named', async () => {
    const code = project({ ...files, ...pkg('1.0.0') })
    const tools = definition().tools.map((tool) => ({ ...tool, module: code.url('tool.js') }))
    const agent = await freezeAgent(definition({ module: code.url('agent.js'), tools }))
    const [before, components] = [agent.checksum(), agent.components()]
    const changed = () => explainMismatch(components, agent.components())
    expect(changed()).toEqual([])

    code.write('agent.js', `import './lib.js'\nimport 'pkg' // changed`)
    expect(agent.checksum()).not.toBe(before)
    expect(changed()).toEqual(['code'])

    code.write('agent.js', files['agent.js'])
    expect(agent.checksum()).toBe(before)

    code.write('lib.js', 'export let changed')
    expect(changed()).toEqual(['tool "read" changed', 'code'])

    code.write('lib.js', files['lib.js'])
    code.write('node_modules/pkg/package.json', pkg('1.0.1')['node_modules/pkg/package.json'])
    expect(changed()).toEqual(['deps'])
  })

  it('that no longer resolves is refused, not forgotten', async () => {
    const code = project({ ...files, ...pkg('1.0.0') })
    const agent = await freezeAgent(definition({ module: code.url('agent.js') }))
    code.remove('lib.js')
    await expectCode(() => agent.checksum(), 'ERR_CODE_UNRESOLVED')
    await expectCode(freezeAgent(definition({ module: code.url('agent.js') })), 'ERR_CODE_UNRESOLVED')
    code.write('lib.js', files['lib.js'])
    expect(agent.checksum()).toBe(
      (await freezeAgent(definition({ module: code.url('agent.js') }))).checksum(),
    )
  })

  it('covers this very test and the runtime it imports', async () => {
    const agent = await freezeAgent(definition({ module: import.meta.url }))
    expect(canonicalize(agent.manifest())).toContain('"code":"sha256:')
    expect(agent.checksum()).toBe(agent.checksum())
  })
})
