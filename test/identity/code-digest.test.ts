import { describe, expect, it } from 'vitest'
import { digestOf, sha256Hex } from '../../runtime/encoding/digest.js'
import { codeDigest } from '../../runtime/identity/code-digest.js'
import { codeProject, digestsOf, installed } from '../support/code-project.js'
import { expectCode } from '../support/expect-code.js'

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
    expect(await digestsOf(files)).toEqual({
      digest: digestOf({ modules, builtins: ['node:fs', 'node:path'] }),
      deps: digestOf({ packages: [], absent: [] }),
      modules: 4,
    })
  })

  it('does not depend on where the project lies, nor on files that are not imported', async () => {
    const files = { 'a.js': `import './b.js'`, 'b.js': 'export {}' }
    expect(await digestsOf(files)).toEqual(await digestsOf({ ...files, 'c.js': 'export {}' }))
    expect(await digestsOf(files)).not.toEqual(await digestsOf({ ...files, 'b.js': 'export { }' }))
  })

  it('changes when the same bytes get another name', async () => {
    const one = await digestsOf({
      'a.js': `import './b.js'\nimport './c.js'`,
      'b.js': 'export let b',
      'c.js': 'export let c',
    })
    const swapped = await digestsOf({
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
    const error = await expectCode(digestsOf(refused, entry), 'ERR_CODE_UNRESOLVED')
    expect(error.message).toMatch(/^module "[ab]\.\w+"/) // relative to the package
    await digestsOf(allowed, 'a.mjs' in allowed ? 'a.mjs' : 'a.js')
  })

  it('refuses an entry that is no file URL', async () => {
    await expect(codeDigest('https://example.com/a.js')).rejects.toThrow(TypeError)
    await expect(codeDigest('/a.js')).rejects.toThrow(TypeError)
  })

  it('hashes the real content of a link, under the name it is imported by', async () => {
    const linked = codeProject({ 'a.js': `import './b.js'`, 'real/b.js': `import './c.js'`, 'real/c.js': '' })
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

describe('TypeScript sources run without being built', () => {
  it('resolve .js to .ts where the .js is not there', async () => {
    const typed = {
      'a.ts': `import { b } from './b.js'\nexport const a: number = b`,
      'b.ts': 'export const b = 1',
    }
    expect((await digestsOf(typed, 'a.ts')).modules).toBe(2)
    const both = codeProject({ ...typed, 'b.js': 'export const b = 1' })
    const graph = await codeDigest(both.url('a.ts'))
    both.write('b.ts', 'export const b = 2')
    expect(graph.recheck()).toBe(graph.digest) // the .js is what runs
  })

  it('count type imports where they lead somewhere, and need none of them', async () => {
    const typed = {
      'a.ts': `import type { B } from './b.js'\nimport type { C } from 'c'\nexport type A = B | C\nexport const f = (d: import('./d.js').D) => d`,
    }
    expect((await digestsOf(typed, 'a.ts')).modules).toBe(1)
    expect((await digestsOf({ ...typed, 'b.ts': 'export type B = 1' }, 'a.ts')).modules).toBe(2)
  })
})
