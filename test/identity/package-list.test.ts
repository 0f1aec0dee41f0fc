import { describe, expect, it } from 'vitest'
import { digestOf, sha256Hex } from '../../runtime/encoding/digest.js'
import { codeDigest } from '../../runtime/identity/code-digest.js'
import { codeProject, digestsOf, installed, lock } from '../support/code-project.js'
import { expectCode } from '../support/expect-code.js'

describe('packages in `deps`', () => {
  const a = { 'a.js': `import 'pkg'\nimport 'pkg/sub.js'` }
  const integrity = 'sha512-x'

  it('are named by name, version and the lock file’s integrity', async () => {
    const { deps, modules } = await digestsOf({
      ...a,
      ...installed('pkg'),
      ...lock({ 'node_modules/pkg': { version: '1.0.0', integrity } }),
    })
    expect(deps).toBe(digestOf({ packages: [{ name: 'pkg', version: '1.0.0', integrity }], absent: [] }))
    expect(modules).toBe(1)
  })

  it('count their files where no lock file vouches for the installed version', async () => {
    const files: Record<string, string> = { ...a, ...installed('pkg') }
    const hashes = ['index.js', 'package.json'].map((path) => [
      path,
      sha256Hex(files[`node_modules/pkg/${path}`] ?? ''),
    ])
    const entry = { name: 'pkg', version: '1.0.0', files: digestOf(hashes) }
    const expected = digestOf({ packages: [entry], absent: [] })
    expect((await digestsOf(files)).deps).toBe(expected)
    for (const unlocked of [
      { 'node_modules/pkg': { version: '1.0.1', integrity } },
      { 'node_modules/pkg': { version: '1.0.0' } },
      { 'node_modules/other': { version: '1.0.0', integrity } },
    ]) {
      expect((await digestsOf({ ...files, ...lock(unlocked) })).deps).toBe(expected)
    }
  })

  it('include what those packages depend on', async () => {
    const chain = (version: string) => ({
      ...a,
      ...installed('pkg', '1.0.0', { dependencies: { deep: '*' } }),
      ...installed('deep', version),
    })
    expect((await digestsOf(chain('1.0.0'))).deps).not.toBe((await digestsOf(chain('1.0.1'))).deps)
    expect((await digestsOf({ ...chain('1.0.0'), ...installed('other') })).deps).toBe(
      (await digestsOf(chain('1.0.0'))).deps,
    )
  })

  it('include CommonJS, and files reached inside node_modules by path', async () => {
    const pkg = { ...installed('pkg'), 'node_modules/pkg/index.cjs': '' }
    const byPath = await digestsOf({ 'a.js': `import './node_modules/pkg/index.cjs'`, ...pkg })
    expect(byPath.deps).toBe((await digestsOf({ 'a.js': `import 'pkg'`, ...pkg })).deps)
    expect(byPath.modules).toBe(1)
  })

  it('may be missing when optional and imported dynamically, which `deps` says', async () => {
    const optional = { 'package.json': '{"type":"module","optionalDependencies":{"pkg":"1"}}' }
    const without = await digestsOf({ ...optional, 'a.js': `import('pkg').catch(() => 0)` })
    expect(without.deps).toBe(digestOf({ packages: [], absent: ['pkg'] }))
    await expectCode(digestsOf({ ...optional, 'a.js': `import 'pkg'` }), 'ERR_CODE_UNRESOLVED')
    await expectCode(digestsOf({ 'a.js': `import('pkg').catch(() => 0)` }), 'ERR_CODE_UNRESOLVED')
  })

  it('count as modules when they are links to a directory of one’s own', async () => {
    const workspace = (text: string) => {
      const made = codeProject({
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
    expect((await digestsOf({ ...self, 'a.js': `import 'self'\nimport 'self/p/y.js'` })).modules).toBe(3)
    for (const hidden of [
      'self/lib/y.js',
      'self/p/y.mjs',
      'self/p/y.ts',
      'self/p/y.xx',
      'self/p/../x.js',
      'self/y.js',
    ]) {
      await expectCode(digestsOf({ ...self, 'a.js': `import '${hidden}'` }), 'ERR_CODE_UNRESOLVED')
    }
  })
})
