import { describe, expect, it } from 'vitest'
import { takeInventory } from '../../agents/dependencies/inventory.js'
import { expectCode } from '../support/expect-code.js'
import { fixtureFolder, lockVersions, projectIn } from '../support/fixture-project.js'
import { type Files, lockOf, projectOf } from '../support/memory-project.js'

async function inventoryOf(files: Files) {
  return takeInventory(await projectOf(files))
}

async function sentenceOf(files: Files): Promise<string> {
  return (await expectCode(() => inventoryOf(files), 'ERR_TOOL_FAILED')).message
}

describe.each(lockVersions)('a lock file of version %d', (version) => {
  it('gives every instance with its place, and who asked for it', async () => {
    const inventory = takeInventory(await projectIn(fixtureFolder(version)))
    expect(inventory.lock).toEqual({ file: 'package-lock.json', version })
    expect(inventory.notes).toEqual([])
    const seen = inventory.installed.map((one) => ({
      place: `${one.path} ${one.name}@${one.version}`,
      by: [
        ...one.direct.map((direct) => `${direct.manifest} ${direct.field} ${direct.range}`),
        ...one.dependents.map((dependent) => `${dependent.path} ${dependent.range}`),
      ],
    }))
    expect(seen).toEqual([
      { place: 'node_modules/ansi-regex ansi-regex@5.0.0', by: ['package.json devDependencies 5.0.0'] },
      { place: 'node_modules/lodash lodash@4.17.15', by: ['package.json dependencies ^4.17.15'] },
      { place: 'node_modules/minimist minimist@1.2.5', by: ['package.json dependencies 1.2.5'] },
      { place: 'node_modules/mkdirp mkdirp@0.5.1', by: ['package.json dependencies 0.5.1'] },
      {
        place: 'node_modules/mkdirp/node_modules/minimist minimist@0.0.8',
        by: ['node_modules/mkdirp 0.0.8'],
      },
      {
        place: 'node_modules/old-lodash lodash@4.17.11',
        by: ['package.json dependencies npm:lodash@4.17.11'],
      },
      { place: 'node_modules/ws ws@7.4.4', by: ['packages/a/package.json dependencies 7.4.4'] },
      {
        place: 'packages/a/node_modules/minimist minimist@0.2.0',
        by: ['packages/a/package.json dependencies 0.2.0'],
      },
    ])
    expect(inventory.installed.filter((one) => one.dev).map((one) => one.name)).toEqual(['ansi-regex'])
    expect(inventory.installed.find((one) => one.alias)?.alias).toBe('old-lodash')
  })
})

describe('an inventory', () => {
  const manifest = { name: 'x', dependencies: { a: '^1.0.0' } }
  const lock = lockOf({ '': manifest, 'node_modules/a': { version: '1.0.0' } })

  it('uses npm-shrinkwrap.json before package-lock.json, and says so', async () => {
    const other = lockOf({ '': manifest, 'node_modules/a': { version: '1.5.0' } })
    const inventory = await inventoryOf({
      'package.json': manifest,
      'package-lock.json': lock,
      'npm-shrinkwrap.json': other,
    })
    expect(inventory.installed.map((one) => one.version)).toEqual(['1.5.0'])
    expect(inventory.notes).toEqual(['npm-shrinkwrap.json is used and package-lock.json is not, as npm does'])
  })

  it('without a lock file judges exact versions only, and says what it cannot judge', async () => {
    const dependencies = { a: '1.0.0', b: '^1.0.0', '@s/c': 'npm:real@=2.0.0', d: 'latest' }
    const inventory = await inventoryOf({ 'package.json': { dependencies }, 'yarn.lock': '' })
    expect(inventory.lock).toBeUndefined()
    expect(inventory.installed.map((one) => `${one.name} ${one.version} ${one.path}`)).toEqual([
      'real 2.0.0 package.json#/dependencies/@s~1c',
      'a 1.0.0 package.json#/dependencies/a',
    ])
    expect(inventory.notes).toEqual([
      "yarn.lock is there but is not read: only npm's lock files are",
      'there is no npm lock file: only exact versions in package.json are judged, and nothing they bring along',
      'these can be any version, so they are not judged: b "^1.0.0", d "latest"',
    ])
  })

  it('marks what is bundled or comes from git, a file or a URL', async () => {
    const dependencies = { g: 'x/g', f: 'file:f.tgz', u: 'https://example.com/u.tgz', a: '1.0.0' }
    const inventory = await inventoryOf({
      'package.json': { dependencies },
      'package-lock.json': lockOf({
        '': { dependencies },
        'node_modules/a': { version: '1.0.0', dependencies: { b: '1.0.0' } },
        'node_modules/a/node_modules/b': { version: '1.0.0', inBundle: true },
        'node_modules/f': { version: '1.0.0', resolved: 'file:f.tgz' },
        'node_modules/g': { version: '1.0.0', resolved: 'git+ssh://git@github.com/x/g.git#abc' },
        'node_modules/u': { version: '1.0.0', resolved: 'https://example.com/u.tgz' },
      }),
    })
    expect(inventory.installed.map((one) => `${one.name} ${one.source}`)).toEqual([
      'a registry',
      'b bundled',
      'f file',
      'g git',
      'u tarball',
    ])
  })

  it('finds what a linked folder outside the workspaces asks for', async () => {
    const inventory = await inventoryOf({
      'package.json': { dependencies: { l: 'file:libs/l' } },
      'package-lock.json': lockOf({
        '': {},
        'libs/l': { version: '1.0.0', dependencies: { a: '^1.0.0' } },
        'node_modules/a': { version: '1.0.0' },
        'node_modules/l': { resolved: 'libs/l', link: true },
      }),
    })
    expect(inventory.installed.map((one) => [one.path, one.dependents.map((by) => by.path)])).toEqual([
      ['node_modules/a', ['libs/l']],
    ])
  })

  it('says when manifest and lock file differ', async () => {
    const inventory = await inventoryOf({
      'package.json': { dependencies: { a: '^2.0.0', b: '1.0.0' }, optionalDependencies: { c: '1.0.0' } },
      'package-lock.json': lock,
    })
    expect(inventory.notes).toEqual([
      'package.json declares a (dependencies) as "^2.0.0" but the lock file holds 1.0.0',
      'package.json declares b (dependencies) but the lock file does not hold it: run `npm install` first',
    ])
  })

  it('says which packages have no version, or one that is no semantic version', async () => {
    const inventory = await inventoryOf({
      'package.json': {},
      'package-lock.json': lockOf({ 'node_modules/a': { version: 'one' }, 'node_modules/b': {} }),
    })
    expect(inventory.notes).toEqual([
      'package-lock.json gives no version, so these are not judged: node_modules/b (registry)',
      'not semantic versions, so not judged: a one',
    ])
  })

  it('expands workspace patterns as npm does', async () => {
    const member = { dependencies: { a: '^1.0.0' } }
    const inventory = await inventoryOf({
      'package.json': {
        workspaces: { packages: ['./apps/**', 'libs/{x,y}/', '!apps/deep/skipped', 'none/*'] },
      },
      'package-lock.json': lockOf({ '': {}, 'node_modules/a': { version: '1.0.0' } }),
      'apps/one/package.json': member,
      'apps/one/node_modules/z/package.json': member,
      'apps/deep/two/package.json': member,
      'apps/deep/skipped/package.json': member,
      'apps/.hidden/package.json': member,
      'libs/x/package.json': member,
      'libs/z/package.json': member,
    })
    expect(inventory.installed[0]?.direct.map((direct) => direct.manifest)).toEqual([
      'apps/deep/two/package.json',
      'apps/one/package.json',
      'libs/x/package.json',
    ])
  })

  it.each([
    [{}, 'there is no package.json in the project folder'],
    [{ 'package.json': '{\n  "name": x\n}' }, 'package.json is not valid JSON (line 2, column 11)'],
    [{ 'package.json': '[]' }, 'package.json must hold a JSON object'],
    [{ 'package.json': { name: 5 } }, 'package.json: "name" must be a string, found a number'],
    [
      { 'package.json': { dependencies: [] } },
      'package.json: "dependencies" must be an object, found an array',
    ],
    [
      { 'package.json': { dependencies: { a: null } } },
      'package.json, "dependencies": "a" must be a string, found null',
    ],
    [
      { 'package.json': { workspaces: 'packages/*' } },
      'package.json: "workspaces" must be an array of strings',
    ],
    [{ 'package.json': { workspaces: ['../other'] } }, 'the workspace pattern "../other" is not understood'],
    [
      { 'package.json': { workspaces: ['p/*'] }, 'p/x/package.json': '{"a": }' },
      'p/x/package.json is not valid JSON (line 1, column 7)',
    ],
    [
      { 'package.json': {}, 'package-lock.json': '{"lockfileVersion": 9}' },
      'package-lock.json: "lockfileVersion" must be 1, 2 or 3',
    ],
    [
      { 'package.json': {}, 'package-lock.json': '{"lockfileVersion": 3}' },
      'package-lock.json: "packages" is missing',
    ],
    [
      { 'package.json': {}, 'package-lock.json': lockOf({ 'node_modules/a': { version: 1 } }) },
      'package-lock.json, "packages", "node_modules/a": "version" must be a string, found a number',
    ],
    [
      { 'package.json': {}, 'package-lock.json': '{"dependencies": {"a": "1.0.0"}}' },
      'package-lock.json, "a" must be an object',
    ],
  ])('of broken files is one clear sentence (%#)', async (files: Files, sentence) => {
    expect(await sentenceOf(files)).toBe(sentence)
  })

  it('reads manifests without name and version, with a byte order mark, and names like `__proto__`', async () => {
    const inventory = await inventoryOf({
      'package.json': '\uFEFF{"dependencies": {"__proto__": "1.0.0", "constructor": "1.0.0"}}',
      'package-lock.json':
        '{"lockfileVersion": 3, "packages": {"node_modules/__proto__": {"version": "1.0.0"}, "node_modules/constructor": {"version": "1.0.0"}}}',
    })
    expect(inventory.installed.map((one) => [one.name, one.direct.length])).toEqual([
      ['__proto__', 1],
      ['constructor', 1],
    ])
  })
})
