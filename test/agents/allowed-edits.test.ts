import { describe, expect, it } from 'vitest'
import { requireVersionChanges } from '../../agents/dependencies/allowed-edits.js'
import type { FileChange, JsonEdit } from '../../agents/dependencies/change.js'
import type { JsonValue } from '../../runtime/index.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'

const edit = (pointer: string, from: JsonValue, to: JsonValue): JsonEdit => ({ pointer, from, to })
const change = (file: string, ...edits: JsonEdit[]): FileChange => ({
  file,
  before: 'sha256:0',
  after: 'sha256:1',
  edits,
})
const url = (version: string) => `https://registry.npmjs.org/@s/x/-/x-${version}.tgz`
const entry = '/packages/node_modules~1@s~1x'

describe('a patch may', () => {
  it.each([
    change('package.json', edit('/dependencies/x', '^1.0.0', '^1.0.1')),
    change('package.json', edit('/devDependencies/x', '*', '>=1.0.1')),
    change('packages/a/package.json', edit('/dependencies/x', 'npm:y@^1.0.0', 'npm:y@^2.0.0')),
    change('package.json', edit('/overrides', null, { 'x@1.0.0': '1.0.1' })),
    change('package.json', edit('/overrides', {}, { 'x@>=1 <2': '1.0.1' })),
    change('package.json', edit('/overrides/@s~1x@1.0.0', null, '1.0.1')),
    change('package.json', edit('/overrides/x', '1.0.0', '1.0.1')),
    change('package-lock.json', edit('/packages//dependencies/x', '^1.0.0', '^1.0.1')),
    change('npm-shrinkwrap.json', edit('/packages/packages~1a/devDependencies/x', '^1.0.0', '^1.0.1')),
    change('package-lock.json', edit('/dependencies/a/requires/x', '^1.0.0', '^1.0.1')),
    change('package-lock.json', edit('/dependencies/a/dependencies/x/version', 'npm:y@1.0.0', 'npm:y@1.0.1')),
    change(
      'package-lock.json',
      edit(`${entry}/version`, '1.0.0', '1.0.1'),
      edit(`${entry}/resolved`, url('1.0.0'), url('1.0.1')),
      edit(`${entry}/integrity`, 'sha512-a', null),
    ),
    change(
      'package-lock.json',
      edit(`${entry}/version`, '1.0.0', '1.0.1'),
      edit(`${entry}/resolved`, 'git+x', null),
    ),
  ])('raise versions and ranges (%#)', (allowed) => {
    expect(requireVersionChanges([allowed])).toBeUndefined()
  })

  attack('X16', 'repeat neither file nor pointer that they refuse', async () => {
    const secret = 'eyJhbGciOiJFZDI1NTE5In0.e30.c2ln'
    for (const wrong of [
      change(secret, edit('/dependencies/x', '^1.0.0', '^1.0.1')),
      change('package.json', edit(`/${secret}`, '1.0.0', '1.0.1')),
    ]) {
      const { message } = await expectCode(() => requireVersionChanges([wrong]), 'ERR_TOOL_FAILED')
      expect(message).not.toContain('eyJ')
    }
  })

  it.each([
    ['another file', change('src/index.js', edit('/dependencies/x', '^1.0.0', '^1.0.1'))],
    [
      'an installed package',
      change('node_modules/x/package.json', edit('/dependencies/x', '^1.0.0', '^1.0.1')),
    ],
    ['a lock file elsewhere', change('a/package-lock.json', edit(`${entry}/version`, '1.0.0', '1.0.1'))],
    ['a script', change('package.json', edit('/scripts/postinstall', null, 'curl evil'))],
    ['a script by an edit of all', change('package.json', edit('/scripts', {}, { postinstall: 'x' }))],
    ['a new dependency', change('package.json', edit('/dependencies/evil', null, '1.0.0'))],
    ['fewer dependencies', change('package.json', edit('/dependencies/x', '^1.0.0', null))],
    [
      'another package under the name',
      change('package.json', edit('/dependencies/x', '^1.0.0', 'npm:evil@^2.0.0')),
    ],
    [
      'a package from a URL',
      change('package.json', edit('/dependencies/x', '^1.0.0', 'https://evil.example/x.tgz')),
    ],
    ['a package from git', change('package.json', edit('/dependencies/x', '^1.0.0', 'evil/x'))],
    ['a tag', change('package.json', edit('/dependencies/x', '^1.0.0', 'evil'))],
    ['a lower range', change('package.json', edit('/dependencies/x', '^1.2.0', '^1.1.0'))],
    [
      'an override to another package',
      change('package.json', edit('/overrides', null, { x: 'npm:evil@1.0.0' })),
    ],
    [
      'an override in place of others',
      change('package.json', edit('/overrides', { y: '1.0.0' }, { x: '1.0.0' })),
    ],
    ['a nested override', change('package.json', edit('/overrides', null, { x: { y: '1.0.0' } }))],
    ['a lower version', change('package-lock.json', edit(`${entry}/version`, '1.0.1', '1.0.0'))],
    [
      'another alias',
      change('package-lock.json', edit('/dependencies/x/version', 'npm:y@1.0.0', 'npm:z@1.0.1')),
    ],
    ['an install script flag', change('package-lock.json', edit(`${entry}/hasInstallScript`, null, true))],
    ['a whole entry', change('package-lock.json', edit(entry, null, { version: '1.0.0' }))],
    ['the root entry', change('package-lock.json', edit('/packages//version', null, '1.0.0'))],
    [
      'a registry',
      change(
        'package-lock.json',
        edit(`${entry}/version`, '1.0.0', '1.0.1'),
        edit(`${entry}/resolved`, url('1.0.0'), 'https://evil.example/@s/x/-/x-1.0.1.tgz'),
      ),
    ],
    [
      'the tarball of another version',
      change(
        'package-lock.json',
        edit(`${entry}/version`, '1.0.0', '1.0.1'),
        edit(`${entry}/resolved`, url('1.0.0'), url('1.0.2')),
      ),
    ],
    [
      'a tarball without its version',
      change('package-lock.json', edit(`${entry}/resolved`, url('1.0.0'), url('1.0.1'))),
    ],
    ['a bad pointer', change('package.json', edit('dependencies/x', '^1.0.0', '^1.0.1'))],
  ])('not change %s', async (_, refused) => {
    await expectCode(() => requireVersionChanges([refused]), 'ERR_TOOL_FAILED')
  })

  it('name each file once', async () => {
    const one = change('package.json', edit('/dependencies/x', '^1.0.0', '^1.0.1'))
    await expectCode(() => requireVersionChanges([one, one]), 'ERR_TOOL_FAILED')
  })
})
