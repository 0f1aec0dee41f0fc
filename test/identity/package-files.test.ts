import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { codeDigest } from '../../runtime/identity/code-digest.js'
import { observeFiles } from '../../runtime/identity/observed-files.js'
import { packageFiles } from '../../runtime/identity/package-files.js'
import { attack } from '../support/attack.js'
import { codeProject, installed, lock, settled } from '../support/code-project.js'
import { expectCode } from '../support/expect-code.js'

const deep = { 'node_modules/pkg/lib/deep/a.js': 'exports.a = 1', 'node_modules/pkg/data.bin': '\0\u0001' }
const files = { 'a.js': `import 'pkg'`, ...installed('pkg'), ...deep }
const locked = lock({ 'node_modules/pkg': { version: '1.0.0', integrity: 'sha512-x' } })

/** The packages' digest before and after a change, by an observer that has seen the files before. */
async function depsAround(
  all: Readonly<Record<string, string>>,
  change: (p: ReturnType<typeof codeProject>) => void,
) {
  const project = codeProject(all)
  const graph = await codeDigest(project.url('a.js'), { cache: settled() })
  const before = graph.deps
  change(project)
  graph.recheck()
  const fresh = (await codeDigest(project.url('a.js'))).deps
  expect(graph.deps).toBe(fresh)
  return { before, after: graph.deps }
}

describe('an installed package without a lock file', () => {
  const changes: [what: string, change: (p: ReturnType<typeof codeProject>) => void][] = [
    ['a file edited in place', (p) => p.write('node_modules/pkg/index.js', 'module.exports = 22')],
    ['a file deep inside', (p) => p.write('node_modules/pkg/lib/deep/a.js', 'exports.a = 22')],
    ['a file that is no code', (p) => p.write('node_modules/pkg/data.bin', '\0\0\0')],
    ['a file more', (p) => p.write('node_modules/pkg/lib/deep/b.js', '')],
    ['a folder more', (p) => p.write('node_modules/pkg/lib/other/b.js', '')],
    ['a file less', (p) => p.remove('node_modules/pkg/data.bin')],
    ['its package.json', (p) => p.write('node_modules/pkg/package.json', '{"name":"pkg","version":"1.0.0"}')],
  ]
  for (const [what, change] of changes) {
    attack('T4', `is another one after ${what}`, async () => {
      const { before, after } = await depsAround(files, change)
      expect(after).not.toBe(before)
    })
  }

  it('is the same after changes beside it, and where the lock file vouches for it', async () => {
    const beside = await depsAround({ ...files, ...installed('other') }, (p) =>
      p.write('node_modules/other/index.js', 'changed'),
    )
    expect(beside.after).toBe(beside.before)
    const vouched = await depsAround({ ...files, ...locked }, (p) =>
      p.write('node_modules/pkg/index.js', '2'),
    )
    expect(vouched.after).toBe(vouched.before)
  })

  it('does not hold the packages that it brings along, which are listed by themselves', async () => {
    const inner = { 'node_modules/pkg/node_modules/inner/package.json': '{"name":"inner","version":"1.0.0"}' }
    const { before, after } = await depsAround({ ...files, ...inner }, (p) =>
      p.write('node_modules/pkg/node_modules/inner/x.js', ''),
    )
    expect(after).toBe(before) // nothing depends on it
    const needed = { ...files, ...inner, ...installed('pkg', '1.0.0', { dependencies: { inner: '1' } }) }
    const listed = await depsAround(needed, (p) => p.write('node_modules/pkg/node_modules/inner/x.js', ''))
    expect(listed.after).not.toBe(listed.before)
  })

  it('counts a link to a file by what it leads to, and refuses one to a folder or to nothing', async () => {
    const linked = (target: string) => {
      const project = codeProject({ ...files, 'elsewhere/x.js': 'let x', 'elsewhere/y.js': 'let y' })
      project.link('node_modules/pkg/linked.js', target)
      return project
    }
    const depsOf = async (target: string) => (await codeDigest(linked(target).url('a.js'))).deps
    expect(await depsOf('../../elsewhere/x.js')).not.toBe(await depsOf('../../elsewhere/y.js'))
    const written = linked('../../elsewhere/x.js')
    const graph = await codeDigest(written.url('a.js'), { cache: settled() })
    const before = graph.deps
    written.write('elsewhere/x.js', 'let changed')
    graph.recheck()
    expect(graph.deps).not.toBe(before)
    for (const target of ['../../elsewhere', '../../nothing.js']) {
      await expectCode(depsOf(target), 'ERR_CODE_UNRESOLVED')
    }
  })

  attack('X14', 'has a bounded number of files', async () => {
    const directory = dirname(fileURLToPath(codeProject(files).url('node_modules/pkg/package.json')))
    const observed = observeFiles(settled())
    const found = observed.packageIn(directory)
    if (found === undefined) throw new Error('the package is there')
    await expectCode(() => packageFiles(observed, found, 3), 'ERR_CODE_UNRESOLVED')
    expect(packageFiles(observed, found, 4)).toBe(packageFiles(observed, found))
  })
})
