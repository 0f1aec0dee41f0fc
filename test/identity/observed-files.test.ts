import { statSync, utimesSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createCodeCache } from '../../runtime/identity/code-cache.js'
import { codeDigest } from '../../runtime/identity/code-digest.js'
import { codeProject, installed, settled } from '../support/code-project.js'
import { expectCode } from '../support/expect-code.js'

describe('recheck', () => {
  const files = { 'a.js': `import './b.js'`, 'b.js': 'export let b = 1', 'c.js': 'export let c = 1' }

  it('stays the same while nothing changes', async () => {
    const graph = await codeDigest(codeProject(files).url('a.js'))
    expect(graph.recheck()).toBe(graph.recheck())
  })

  it('is what a new walk gives after each kind of change', async () => {
    const changing = codeProject(files)
    const graph = await codeDigest(changing.url('a.js'))
    const seen = new Set([graph.digest])
    const changes: [what: string, change: () => void, modules: number][] = [
      ['a text', () => changing.write('b.js', 'export let b = 2'), 2],
      ['an import more', () => changing.write('b.js', `import './c.js'; export let b = 2`), 3],
      ['the new one’s text', () => changing.write('c.js', 'export let c = 2'), 3],
      ['an import less', () => changing.write('a.js', `import './c.js'`), 2],
    ]
    for (const [what, change, modules] of changes) {
      change()
      const digest = graph.recheck()
      expect(digest, what).toBe((await codeDigest(changing.url('a.js'))).digest)
      expect([graph.digest, graph.modules]).toEqual([digest, modules])
      seen.add(digest)
    }
    expect(seen.size).toBe(5)
  })

  it('notices another text of the same size whose times were put back', async () => {
    const changing = codeProject(files)
    const path = fileURLToPath(changing.url('b.js'))
    utimesSync(path, 1, 1)
    const graph = await codeDigest(changing.url('a.js'), { cache: settled() })
    const before = statSync(path, { bigint: true })
    do {
      changing.write('b.js', 'export let b = 3')
      utimesSync(path, 1, 1)
    } while (statSync(path, { bigint: true }).ctimeNs === before.ctimeNs) // the file system's clock ticks coarsely
    const after = statSync(path, { bigint: true })
    expect([after.size, after.mtimeNs, after.ino]).toEqual([before.size, before.mtimeNs, before.ino])
    const digest = graph.digest
    expect(graph.recheck()).not.toBe(digest)
  })

  it('does not trust a stat while a second write could leave the same', async () => {
    const changing = codeProject(files)
    let reads = 0
    // A file system whose clock stands still: every write leaves the same times and the same size.
    const cache = createCodeCache({ nowMs: () => 1_000_050 })
    const frozen = {
      ...cache,
      stat: (path: string) => {
        const stat = cache.stat(path)
        return stat && { ...stat, mtimeNs: 0n, ctimeNs: 0n }
      },
      file: ((path, stat, read) => {
        reads += 1
        return cache.file(path, stat, read)
      }) as typeof cache.file,
    }
    const graph = await codeDigest(changing.url('a.js'), { cache: frozen })
    const before = graph.digest
    changing.write('b.js', 'export let b = 9')
    expect(graph.recheck()).not.toBe(before)
    expect(reads).toBeGreaterThan(4)
  })

  it('refuses a graph that lost a file, and accepts it when it is back', async () => {
    const changing = codeProject(files)
    const graph = await codeDigest(changing.url('a.js'))
    const before = graph.digest
    changing.remove('b.js')
    await expectCode(() => graph.recheck(), 'ERR_CODE_UNRESOLVED')
    changing.write('b.js', files['b.js'])
    expect(graph.recheck()).toBe(before)
  })

  it('notices a link that leads elsewhere now', async () => {
    const changing = codeProject({
      ...files,
      'real/1.js': 'export let x = 1',
      'real/2.js': 'export let x = 2',
    })
    changing.link('b2.js', 'real/1.js')
    changing.write('a.js', `import './b2.js'`)
    const graph = await codeDigest(changing.url('a.js'))
    const before = graph.digest
    changing.remove('b2.js')
    changing.link('b2.js', 'real/2.js')
    expect(graph.recheck()).not.toBe(before)
  })

  it('notices a file that appears where one was looked for in vain', async () => {
    const changing = codeProject({ ...files, 'a.ts': `import './d.js'`, 'd.ts': 'export {}' })
    const graph = await codeDigest(changing.url('a.ts'), { cache: settled() })
    const before = graph.digest
    changing.write('d.js', 'export {}')
    expect(graph.recheck()).not.toBe(before)
  })

  it('notices a package of another version, and one nearer by', async () => {
    const changing = codeProject({ 'lib/a.js': `import 'pkg'`, ...installed('pkg') })
    const graph = await codeDigest(changing.url('lib/a.js'), { cache: settled() })
    const seen = [graph.deps]
    for (const [path, text] of Object.entries(installed('pkg', '1.0.10'))) changing.write(path, text)
    graph.recheck()
    seen.push(graph.deps)
    for (const [path, text] of Object.entries(installed('pkg', '9.0.0'))) changing.write(`lib/${path}`, text)
    graph.recheck()
    seen.push(graph.deps)
    expect(new Set(seen).size).toBe(3)
  })
})
