import { readdirSync, readFileSync, statSync, utimesSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterEach, describe, expect, it } from 'vitest'
import { digestOf, sha256Hex } from '../../runtime/encoding/digest.js'
import { createCodeCache } from '../../runtime/identity/code-cache.js'
import { type CodeDigest, codeDigest } from '../../runtime/identity/code-digest.js'
import { prepareLexer, readSyntax } from '../../runtime/identity/module-imports.js'
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

const digests = (graph: CodeDigest) => ({ digest: graph.digest, deps: graph.deps, modules: graph.modules })

/** The digests of a project with these files, entry `a.js`. */
async function of(
  files: Readonly<Record<string, string>>,
  entry = 'a.js',
): Promise<ReturnType<typeof digests>> {
  return digests(await codeDigest(project(files).url(entry)))
}

const installed = (name: string, version = '1.0.0', more: object = {}): Record<string, string> => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, version, main: 'index.js', ...more }),
  [`node_modules/${name}/index.js`]: 'module.exports = 1',
})
const lock = (packages: object) => ({ 'package-lock.json': JSON.stringify({ lockfileVersion: 3, packages }) })

describe('codeDigest (PROTOCOL 2.2)', () => {
  it('is over the sorted modules, named relative to the package, and the built-ins', async () => {
    const files = {
      'a.js': `import './lib/b.js'\nimport fs from 'fs'\nimport 'node:path'\nexport { fs }`,
      'lib/b.js': `export * from '../data.json' with { type: 'json' }\nawait import('./c.mjs')`,
      'lib/c.mjs': `import '../a.js'`,
      'data.json': '{}',
    }
    const modules = Object.entries(files)
      .map(([path, text]) => [path, sha256Hex(text)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    expect(await of(files)).toEqual({
      digest: digestOf({ modules, builtins: ['node:fs', 'node:path'] }),
      deps: digestOf({ packages: [], absent: [] }),
      modules: 4,
    })
  })

  it('does not depend on where the project lies, nor on files that are not imported', async () => {
    const files = { 'a.js': `import './b.js'`, 'b.js': 'export {}' }
    expect(await of(files)).toEqual(await of({ ...files, 'c.js': 'export {}' }))
    expect(await of(files)).not.toEqual(await of({ ...files, 'b.js': 'export { }' }))
  })

  it('changes when the same bytes get another name', async () => {
    const one = await of({
      'a.js': `import './b.js'\nimport './c.js'`,
      'b.js': 'export let b',
      'c.js': 'export let c',
    })
    const swapped = await of({
      'a.js': `import './b.js'\nimport './c.js'`,
      'b.js': 'export let c',
      'c.js': 'export let b',
    })
    expect(one.digest).not.toBe(swapped.digest)
  })

  const pairs: [
    what: string,
    refused: Record<string, string>,
    allowed: Record<string, string>,
    entry?: string,
  ][] = [
    ['an entry that is not there', {}, { 'a.js': '' }],
    [
      'an import that leads nowhere',
      { 'a.js': `import './b.js'` },
      { 'a.js': `import './b.js'`, 'b.js': '' },
    ],
    [
      'a directory import',
      { 'a.js': `import './b'`, 'b/index.js': '' },
      { 'a.js': `import './b/index.js'`, 'b/index.js': '' },
    ],
    [
      'a package that is not installed',
      { 'a.js': `import 'pkg'` },
      { 'a.js': `import 'pkg'`, ...installed('pkg') },
    ],
    [
      'an import over the network',
      { 'a.js': `import 'https://example.com/a.js'` },
      { 'a.js': `import 'data:text/javascript,1'` },
    ],
    ['a computed import()', { 'a.js': `import('./' + name)` }, { 'a.js': `import('./b.js')`, 'b.js': '' }],
    [
      'a template import()',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the template is in the module under test
      { 'a.js': 'import(`./${b}.js`)', 'b.js': '' },
      { 'a.js': 'import(`./b.js`)', 'b.js': '' },
    ],
    [
      'a template import() of a package',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as above
      { 'a.js': 'import(`pkg/${b}.js`)', ...installed('pkg') },
      { 'a.js': 'import(`pkg/b.js`)', ...installed('pkg') },
    ],
    [
      'an import() that leads nowhere',
      { 'a.js': `import('./b.js').catch(() => 0)` },
      { 'a.js': `import('./b.js')`, 'b.js': '' },
    ],
    ['a .cjs file', { 'a.js': `import './b.cjs'`, 'b.cjs': '' }, { 'a.js': `import './b.mjs'`, 'b.mjs': '' }],
    [
      'CommonJS by its package',
      { 'package.json': '{}', 'a.js': `const b = require('./b.js')`, 'b.js': '' },
      { 'package.json': '{}', 'a.js': `import './b.mjs'`, 'b.mjs': '' },
    ],
    ['JSX', { 'a.jsx': '' }, { 'a.mjs': '' }, 'a.jsx'],
    [
      'a native addon',
      { 'a.js': `import './b.node'`, 'b.node': '' },
      { 'a.js': `import './b.json'`, 'b.json': '{}' },
    ],
    ['what is no module', { 'a.js': 'export { from "' }, { 'a.js': 'export {}' }],
    [
      'createRequire kept in a variable',
      {
        'a.js': `import { createRequire } from 'node:module'\nconst load = createRequire(import.meta.url)\nload('./b.cjs')`,
      },
      {
        'a.js': `import { createRequire } from 'node:module'\n// createRequire: once\ncreateRequire(import.meta.url)('pkg')`,
        ...installed('pkg'),
      },
    ],
    [
      'createRequire of a file',
      {
        'a.js': `import { createRequire } from 'module'\ncreateRequire(import.meta.url)('./b.cjs')`,
        'b.cjs': '',
      },
      { 'a.js': `import { isBuiltin } from 'module'\nisBuiltin('fs')` },
    ],
    [
      'a missing private import',
      { 'a.js': `import '#b'` },
      { 'a.js': `import '#b'`, 'package.json': privateImports(), 'lib/b.js': '' },
    ],
    [
      'a broken package.json',
      { 'a.js': '', 'package.json': '[]' },
      { 'a.js': '', 'package.json': '{"type":"module"}' },
    ],
  ]

  it.each(pairs)('refuses %s', async (_, refused, allowed, entry = 'a.js') => {
    const error = await expectCode(of(refused, entry), 'ERR_CODE_UNRESOLVED')
    expect(error.message).toMatch(/^module "[ab]\.\w+"/) // relative to the package
    await of(allowed, 'a.mjs' in allowed ? 'a.mjs' : 'a.js')
  })

  it('refuses an entry that is no file URL', async () => {
    await expect(codeDigest('https://example.com/a.js')).rejects.toThrow(TypeError)
    await expect(codeDigest('/a.js')).rejects.toThrow(TypeError)
  })

  it('hashes the real content of a link, under the name it is imported by', async () => {
    const linked = project({ 'a.js': `import './b.js'`, 'real/b.js': `import './c.js'`, 'real/c.js': '' })
    linked.link('b.js', 'real/b.js')
    const graph = await codeDigest(linked.url('a.js'))
    const names = ['a.js', 'b.js', 'real/c.js']
    const texts = [`import './b.js'`, `import './c.js'`, '']
    expect(graph.digest).toBe(
      digestOf({ modules: names.map((name, index) => [name, sha256Hex(texts[index] ?? '')]), builtins: [] }),
    )
  })
})

function privateImports(): string {
  return JSON.stringify({ type: 'module', imports: { '#b': './lib/b.js' } })
}

describe('packages in `deps`', () => {
  const a = { 'a.js': `import 'pkg'\nimport 'pkg/sub.js'` }
  const integrity = 'sha512-x'

  it('are named by name, version and the lock file’s integrity', async () => {
    const { deps, modules } = await of({
      ...a,
      ...installed('pkg'),
      ...lock({ 'node_modules/pkg': { version: '1.0.0', integrity } }),
    })
    expect(deps).toBe(digestOf({ packages: [{ name: 'pkg', version: '1.0.0', integrity }], absent: [] }))
    expect(modules).toBe(1)
  })

  it('count their package.json where no lock file vouches for the installed version', async () => {
    const files: Record<string, string> = { ...a, ...installed('pkg') }
    const manifest = `sha256:${sha256Hex(files['node_modules/pkg/package.json'] ?? '')}`
    const expected = digestOf({ packages: [{ name: 'pkg', version: '1.0.0', manifest }], absent: [] })
    expect((await of(files)).deps).toBe(expected)
    expect(
      (await of({ ...files, ...lock({ 'node_modules/pkg': { version: '1.0.1', integrity } }) })).deps,
    ).toBe(expected)
  })

  it('include what those packages depend on', async () => {
    const chain = (version: string) => ({
      ...a,
      ...installed('pkg', '1.0.0', { dependencies: { deep: '*' } }),
      ...installed('deep', version),
    })
    expect((await of(chain('1.0.0'))).deps).not.toBe((await of(chain('1.0.1'))).deps)
    expect((await of({ ...chain('1.0.0'), ...installed('other') })).deps).toBe(
      (await of(chain('1.0.0'))).deps,
    )
  })

  it('include CommonJS, and files reached inside node_modules by path', async () => {
    const byPath = await of({
      'a.js': `import './node_modules/pkg/index.cjs'`,
      ...installed('pkg'),
      'node_modules/pkg/index.cjs': '',
    })
    expect(byPath.deps).toBe((await of({ 'a.js': `import 'pkg'`, ...installed('pkg') })).deps)
    expect(byPath.modules).toBe(1)
  })

  it('may be missing when optional and imported dynamically, which `deps` says', async () => {
    const optional = { 'package.json': '{"type":"module","optionalDependencies":{"pkg":"1"}}' }
    const without = await of({ ...optional, 'a.js': `import('pkg').catch(() => 0)` })
    expect(without.deps).toBe(digestOf({ packages: [], absent: ['pkg'] }))
    await expectCode(of({ ...optional, 'a.js': `import 'pkg'` }), 'ERR_CODE_UNRESOLVED')
    await expectCode(of({ 'a.js': `import('pkg').catch(() => 0)` }), 'ERR_CODE_UNRESOLVED')
  })

  it('count as modules when they are links to a directory of one’s own', async () => {
    const workspace = (text: string) => {
      const made = project({
        'app/package.json': '{"type":"module"}',
        'app/a.js': `import 'shared/x'`,
        'shared/package.json': '{"name":"shared","type":"module","exports":{"./x":{"import":"./src/x.js"}}}',
        'shared/src/x.js': text,
      })
      made.link('app/node_modules/shared', '../../shared')
      return codeDigest(made.url('app/a.js'))
    }
    const graph = await workspace('export {}')
    expect(graph.modules).toBe(2)
    expect(graph.digest).not.toBe((await workspace('export { }')).digest)
  })

  it('lead back into the package itself by its own name', async () => {
    const self = {
      'package.json': JSON.stringify({
        name: 'self',
        type: 'module',
        exports: { '.': { types: './x.d.ts', default: './x.js' }, './p/*.js': './lib/*.js' },
      }),
      'x.js': '',
      'lib/y.js': '',
    }
    expect((await of({ ...self, 'a.js': `import 'self'\nimport 'self/p/y.js'` })).modules).toBe(3)
    for (const hidden of [
      'self/lib/y.js',
      'self/p/y.mjs',
      'self/p/y.ts',
      'self/p/y.xx',
      'self/p/../x.js',
      'self/y.js',
    ]) {
      await expectCode(of({ ...self, 'a.js': `import '${hidden}'` }), 'ERR_CODE_UNRESOLVED')
    }
  })
})

describe('TypeScript sources run without being built', () => {
  it('resolve .js to .ts where the .js is not there', async () => {
    const typed = {
      'a.ts': `import { b } from './b.js'\nexport const a: number = b`,
      'b.ts': 'export const b = 1',
    }
    expect((await of(typed, 'a.ts')).modules).toBe(2)
    const both = project({ ...typed, 'b.js': 'export const b = 1' })
    const graph = await codeDigest(both.url('a.ts'))
    both.write('b.ts', 'export const b = 2')
    expect(graph.recheck()).toBe(graph.digest) // the .js is what runs
  })

  it('count type imports where they lead somewhere, and need none of them', async () => {
    const typed = {
      'a.ts': `import type { B } from './b.js'\nimport type { C } from 'c'\nexport type A = B | C\nexport const f = (d: import('./d.js').D) => d`,
    }
    expect((await of(typed, 'a.ts')).modules).toBe(1)
    expect((await of({ ...typed, 'b.ts': 'export type B = 1' }, 'a.ts')).modules).toBe(2)
  })

  it('are read as the TypeScript compiler reads them, this project’s own', async () => {
    await prepareLexer()
    const folder = fileURLToPath(new URL('../../runtime/', import.meta.url))
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.ts'),
    )
    expect(sources.length).toBeGreaterThan(50)
    for (const path of sources) {
      const text = readFileSync(`${folder}${path}`, 'utf8')
      const expected = ts.preProcessFile(text, true, false).importedFiles.map((file) => file.fileName)
      let found: string[]
      try {
        found = readSyntax(text, path).imports.map((item) => item.specifier)
      } catch {
        continue // a computed import: refused, not misread
      }
      expect(
        [path, ...new Set(expected)].filter((specifier) => specifier !== path && !found.includes(specifier)),
      ).toEqual([])
    }
  })
})

/** A cache that trusts every stat, so that only what is observed can tell a change. */
const settled = () => createCodeCache({ nowMs: () => Date.now() + 86_400_000 })

describe('recheck', () => {
  const files = { 'a.js': `import './b.js'`, 'b.js': 'export let b = 1', 'c.js': 'export let c = 1' }

  it('stays the same while nothing changes', async () => {
    const graph = await codeDigest(project(files).url('a.js'))
    expect(graph.recheck()).toBe(graph.recheck())
  })

  it('is what a new walk gives after each kind of change', async () => {
    const changing = project(files)
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
    const changing = project(files)
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
    const changing = project(files)
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
    const changing = project(files)
    const graph = await codeDigest(changing.url('a.js'))
    const before = graph.digest
    changing.remove('b.js')
    await expectCode(() => graph.recheck(), 'ERR_CODE_UNRESOLVED')
    changing.write('b.js', files['b.js'])
    expect(graph.recheck()).toBe(before)
  })

  it('notices a link that leads elsewhere now', async () => {
    const changing = project({ ...files, 'real/1.js': 'export let x = 1', 'real/2.js': 'export let x = 2' })
    changing.link('b2.js', 'real/1.js')
    changing.write('a.js', `import './b2.js'`)
    const graph = await codeDigest(changing.url('a.js'))
    const before = graph.digest
    changing.remove('b2.js')
    changing.link('b2.js', 'real/2.js')
    expect(graph.recheck()).not.toBe(before)
  })

  it('notices a file that appears where one was looked for in vain', async () => {
    const changing = project({ ...files, 'a.ts': `import './d.js'`, 'd.ts': 'export {}' })
    const graph = await codeDigest(changing.url('a.ts'), { cache: settled() })
    const before = graph.digest
    changing.write('d.js', 'export {}')
    expect(graph.recheck()).not.toBe(before)
  })

  it('notices a package of another version, and one nearer by', async () => {
    const changing = project({ 'lib/a.js': `import 'pkg'`, ...installed('pkg') })
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

describe('createCodeCache', () => {
  it('reads a file once for all graphs that share it, as long as its stat is the same', async () => {
    const shared = project({ 'a.js': `import './c.js'`, 'b.js': `import './c.js'`, 'c.js': 'export {}' })
    const tomorrow = settled()
    const read: string[] = []
    const cache = {
      ...tomorrow,
      file: ((path, stat, reader) =>
        tomorrow.file(path, stat, (text) => {
          read.push(path.slice(path.lastIndexOf('/') + 1))
          return reader(text)
        })) as typeof tomorrow.file,
    }
    const graph = await codeDigest(shared.url('a.js'), { cache })
    await codeDigest(shared.url('b.js'), { cache })
    expect(read.sort()).toEqual(['a.js', 'b.js', 'c.js', 'package.json'])
    shared.write('c.js', 'export let changed')
    graph.recheck()
    expect(read.filter((name) => name === 'c.js')).toHaveLength(2)
    expect(read).toHaveLength(5)
  })
})
