/** The main job, driven by a model that does what its task says: the same as the agents do by themselves. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import { createRuntime } from '../../runtime/index.js'
import { catalogue } from '../../workflows/catalogue.js'
import { folderOfThisFile } from '../support/folder.js'
import { approveAll } from '../support/ledger.js'
import { openAiServer, type Question, type Reply, type WireCall } from '../support/openai-server.js'
import { chatAt } from './house.js'

const integrity = `sha512-${Buffer.alloc(64).toString('base64')}`
const files = {
  'package.json': { name: 'tiny', version: '1.0.0', dependencies: { lodash: '^4.17.20' } },
  'package-lock.json': {
    name: 'tiny',
    version: '1.0.0',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: 'tiny', version: '1.0.0', dependencies: { lodash: '^4.17.20' } },
      'node_modules/lodash': {
        version: '4.17.20',
        resolved: 'https://registry.npmjs.org/lodash/-/lodash-4.17.20.tgz',
        integrity,
      },
    },
  },
}

function tinyProject(): string {
  const folder = folderOfThisFile('tiny')
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), `${JSON.stringify(content, null, 2)}\n`)
  return folder
}

interface Named {
  readonly name: string
  readonly version: string
}

/** What a model that follows its instructions asks for next; undefined when it is done. */
function nextCall({ tools, task, turn, toolResult }: Question): WireCall | undefined {
  const [said = '', ...lines] = task.split('\n')
  const repository = JSON.parse(/"(?:[^"\\]|\\.)*"/.exec(said)?.[0] ?? 'null')
  if (turn === 1 && tools.length === 2) {
    const { packages } = JSON.parse(toolResult ?? '') as { readonly packages: readonly Named[] }
    return ['advisories__match', { packages: packages.map(({ name, version }) => `${name}@${version}`) }]
  }
  if (turn > 0) return undefined
  switch (tools[0]) {
    case 'repository__list_manifests':
    case 'repository__read_inventory':
      return [tools[0], { repository }]
    case 'advisories__match':
      return [tools[0], { packages: lines }]
    case 'repository__plan_fixes':
      return [tools[0], { repository, fix: lines, allow_major: said.includes('allow_major is true') }]
    case 'repository__apply_patch':
      return [tools[0], lines.join('\n')]
    default:
      return undefined
  }
}

const obedient = (question: Question): Reply => {
  const call = nextCall(question)
  return call ? { calls: [call] } : 'I am done.'
}

async function patch(script?: (question: Question) => Reply) {
  const program = await catalogue['vulnerability-patching']?.()
  if (!program?.prepare) throw new Error('the program is missing')
  const repo = tinyProject()
  const { input, resources, request } = await program.prepare({ repo }, { cwd: repo, options: {} })
  const server = await openAiServer(script ?? [])
  const runtime = await createRuntime()
  try {
    await runtime.register({ agents: program.agents })
    const run = await runtime.start(program.workflow, {
      input,
      resources,
      ...(request !== undefined && { request }),
      onApproval: approveAll,
      ...(script && { model: { name: 'openai:test', chat: chatAt(server.url) } }),
    })
    const result = await run.result()
    const output = JSON.parse(JSON.stringify(result.output).replaceAll(repo, 'REPO')) as JsonObject
    const read = (name: string) => readFileSync(join(repo, name), 'utf8')
    const content = Object.keys(files).map(read)
    return { result, output, content, server }
  } finally {
    await runtime.close()
    await server.close()
  }
}

const untouched = Object.values(files).map((content) => `${JSON.stringify(content, null, 2)}\n`)

it('vulnerable dependencies are patched through a model as they are without one', async () => {
  const scripted = await patch()
  expect(scripted.result.failure).toBeUndefined()
  const driven = await patch(obedient)
  expect(driven.result.failure).toBeUndefined()
  expect(driven.result.status).toBe('completed')
  expect(driven.output).toEqual(scripted.output)
  expect(driven.output['before']).toMatchObject([{ package: 'lodash', version: '4.17.20' }])
  expect(driven.output['after']).toEqual([])
  expect(driven.content).toEqual(scripted.content)
  expect(driven.content).not.toEqual(untouched)
  expect(driven.result.steps.map(({ step, hops }) => [step, hops])).toEqual(
    scripted.result.steps.map(({ step, hops }) => [step, hops]),
  )
  // Seven calls by six agents, and a last word of each.
  expect(driven.server.asked).toHaveLength(13)
})

it('a patcher whose model edits the approved plan writes nothing', async () => {
  const greedy = (question: Question): Reply => {
    const call = nextCall(question)
    if (call?.[0] !== 'repository__apply_patch') return obedient(question)
    return { calls: [[call[0], String(call[1]).replaceAll('4.17.21', '4.17.19')]] }
  }
  const { result, content } = await patch(greedy)
  expect(result).toMatchObject({
    status: 'refused',
    failure: { code: 'ERR_APPROVAL_ARGUMENTS', step: 'patch' },
  })
  expect(content).toEqual(untouched)
})

it('a classifier whose model leaves packages out does not make them safe', async () => {
  const lazy = (question: Question): Reply =>
    question.tools[0] === 'advisories__match' && question.turn === 0
      ? { calls: [['advisories__match', { packages: [] }]] }
      : obedient(question)
  const { result, content } = await patch(lazy)
  expect(result).toMatchObject({ status: 'failed', failure: { code: 'ERR_MODEL_OUTPUT', step: 'classify' } })
  expect(content).toEqual(untouched)
})
