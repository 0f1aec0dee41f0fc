import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { CodeCache } from '../../runtime/identity/code-cache.js'
import { codeDigest } from '../../runtime/identity/code-digest.js'
import { freezeAgent } from '../../runtime/identity/live-agent.js'
import { codeProject, settled } from '../support/code-project.js'

/** The names of the files that were read, in the order they were. */
const read: string[] = []
beforeEach(() => {
  read.length = 0
})

function counting(): CodeCache {
  const cache = settled()
  return {
    ...cache,
    file: ((path, stat, reader) =>
      cache.file(path, stat, (bytes) => {
        read.push(path.slice(path.lastIndexOf('/') + 1))
        return reader(bytes)
      })) as CodeCache['file'],
  }
}

describe('createCodeCache', () => {
  it('reads a file once for all graphs that share it, as long as its stat is the same', async () => {
    const shared = codeProject({ 'a.js': `import './c.js'`, 'b.js': `import './c.js'`, 'c.js': 'export {}' })
    const cache = counting()
    const graph = await codeDigest(shared.url('a.js'), { cache })
    await codeDigest(shared.url('b.js'), { cache })
    expect(read.sort()).toEqual(['a.js', 'b.js', 'c.js', 'package.json'])
    shared.write('c.js', 'export let changed')
    graph.recheck()
    expect(read.filter((name) => name === 'c.js')).toHaveLength(2)
    expect(read).toHaveLength(5)
  })
})

describe('the checksum of an agent', () => {
  const files = { 'agent.js': `import './lib.js'`, 'tool.js': `import './lib.js'`, 'lib.js': 'export {}' }
  const agentOf = (url: (path: string) => string, cache: CodeCache, code?: 'shallow') =>
    freezeAgent(
      {
        id: 'scanner',
        prompt: 'Scan.',
        tools: [
          {
            name: 'read',
            description: 'Reads.',
            parameters: z.object({}),
            scope: 'repo:read',
            run: () => 'ok',
            module: url('tool.js'),
          },
        ],
        scopes: ['repo:read'],
        module: url('agent.js'),
        run: () => 'ok',
        ...(code && { code }),
      },
      { cache },
    )

  it('reads no file again until one changes, and then that one alone', async () => {
    const project = codeProject(files)
    const agent = await agentOf(project.url, counting())
    expect(read.sort()).toEqual(['agent.js', 'lib.js', 'package.json', 'tool.js'])
    const before = agent.checksum()
    for (let round = 0; round < 3; round++) expect(agent.checksum()).toBe(before)
    expect(read).toHaveLength(4)
    project.write('lib.js', 'export let changed = 1')
    expect(agent.checksum()).not.toBe(before)
    expect(agent.checksum()).not.toBe(before)
    expect(read.slice(4)).toEqual(['lib.js'])
  })

  it('reads no file at all where it is shallow, not even one that is not there', async () => {
    const project = codeProject(files)
    const cache = counting()
    const agent = await agentOf(project.url, cache, 'shallow')
    project.remove('lib.js')
    const manifest = agent.manifest()
    expect(manifest.configuration).not.toHaveProperty('code')
    expect(manifest.tools[0]).not.toHaveProperty('source_code')
    expect(read).toEqual([])
  })
})
