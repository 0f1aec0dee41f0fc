import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fileDigest } from '../../agents/dependencies/change.js'
import type { FilePort } from '../../agents/repository/file-port.js'
import { openWorkingTree } from '../../agents/repository/working-tree.js'
import { expectCode } from '../support/expect-code.js'
import { failingFiles } from '../support/failing-files.js'

let parent: string
let root: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'tree-'))
  root = join(parent, 'project')
  write('package.json', 'manifest')
  write('package-lock.json', 'lock')
  write('packages/a/package.json', 'workspace')
  mkdirSync(join(parent, 'outside'))
  writeFileSync(join(parent, 'outside/package.json'), 'secret')
})
afterEach(() => rmSync(parent, { recursive: true }))

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), text)
}

/** Every file of the project with its content. */
function contents(): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort()
  return Object.fromEntries(paths.map((path) => [path.slice(root.length + 1), readFileSync(path, 'utf8')]))
}

const update = (file: string, before: string, after: string) => ({
  file,
  before: fileDigest(before),
  content: Buffer.from(after),
})

const updates = () => [
  update('package.json', 'manifest', 'new manifest'),
  update('packages/a/package.json', 'workspace', 'new workspace'),
  update('package-lock.json', 'lock', 'new lock'),
]

const original = {
  'package-lock.json': 'lock',
  'package.json': 'manifest',
  'packages/a/package.json': 'workspace',
}
const replaced = {
  'package-lock.json': 'new lock',
  'package.json': 'new manifest',
  'packages/a/package.json': 'new workspace',
}

async function updateWith(files?: FilePort, some = updates()) {
  const tree = await openWorkingTree(root, files ? { files } : {})
  return tree.update(some)
}

/** Two files in two folders suffice where every call is made to fail in turn. */
const two = () => updates().slice(0, 2)
const twoReplaced = { ...replaced, 'package-lock.json': 'lock' }

describe('a working tree', () => {
  it('reads files and folders of its project', async () => {
    const tree = await openWorkingTree(root)
    expect(await tree.read('packages/a/package.json', 100)).toEqual({
      file: 'packages/a/package.json',
      text: 'workspace',
      digest: fileDigest('workspace'),
    })
    expect(await tree.read('packages/b/package.json', 100)).toBeUndefined()
    expect([await tree.folders(''), await tree.folders('packages'), await tree.folders('none')]).toEqual([
      ['packages'],
      ['a'],
      [],
    ])
    expect([await tree.has('package.json'), await tree.has('packages/none/x')]).toEqual([true, false])
  })

  it.each([
    '/etc/passwd',
    '../outside/package.json',
    'packages/../package.json',
    './package.json',
    'packages//a',
    '',
    'a\\b',
    'c:x',
    'x\0',
  ])('refuses the path "%s"', async (path) => {
    const tree = await openWorkingTree(root)
    await expectCode(tree.read(path, 100), 'ERR_TOOL_FAILED')
    await expectCode(tree.update([update(path, '', 'x')]), 'ERR_TOOL_FAILED')
  })

  it('follows no link to a file, a folder, or out of the project, when reading or writing', async () => {
    rmSync(join(root, 'package.json'))
    symlinkSync(join(parent, 'outside/package.json'), join(root, 'package.json'))
    symlinkSync(join(parent, 'outside'), join(root, 'packages/b'))
    symlinkSync('a', join(root, 'packages/c'))
    const tree = await openWorkingTree(root)
    const read = await expectCode(tree.read('package.json', 100), 'ERR_TOOL_FAILED')
    expect(read.message).toBe('"package.json" is a symbolic link, which is not followed')
    for (const file of ['package.json', 'packages/b/package.json', 'packages/c/package.json']) {
      await expectCode(tree.read(file, 100), 'ERR_TOOL_FAILED')
      await expectCode(tree.update([update(file, 'secret', 'x')]), 'ERR_TOOL_FAILED')
    }
    expect(await tree.folders('packages')).toEqual(['a'])
    expect(readFileSync(join(parent, 'outside/package.json'), 'utf8')).toBe('secret')
  })

  it('may itself be reached through a link', async () => {
    symlinkSync(root, join(parent, 'link'))
    const tree = await openWorkingTree(join(parent, 'link'))
    expect(tree.root).toBe((await openWorkingTree(root)).root)
    expect((await tree.read('package.json', 100))?.text).toBe('manifest')
  })

  it('reads regular files only, and never waits for a pipe', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')])
    const tree = await openWorkingTree(root)
    expect((await expectCode(tree.read('pipe', 100), 'ERR_TOOL_FAILED')).message).toBe(
      '"pipe" is not a regular file',
    )
    await expectCode(tree.read('packages', 100), 'ERR_TOOL_FAILED')
    await expectCode(tree.read('package.json/x', 100), 'ERR_TOOL_FAILED')
  })

  it('refuses what is too large or not UTF-8, and reads what just fits', async () => {
    const tree = await openWorkingTree(root)
    write('package.json', 'x'.repeat(1_048_577))
    const large = await expectCode(tree.read('package.json', 1_048_576), 'ERR_TOOL_FAILED')
    expect(large.message).toBe('package.json is larger than 1 MiB')
    expect((await tree.read('package.json', 1_048_577))?.text).toHaveLength(1_048_577)
    writeFileSync(join(root, 'package.json'), Buffer.from([0xff, 0xfe, 0x7b, 0x00]))
    const encoded = await expectCode(tree.read('package.json', 100), 'ERR_TOOL_FAILED')
    expect(encoded.message).toBe('package.json is not UTF-8 text')
  })

  it('must exist, as a folder', async () => {
    await expectCode(openWorkingTree(join(parent, 'none')), 'ERR_TOOL_FAILED')
    await expectCode(openWorkingTree(join(root, 'package.json')), 'ERR_TOOL_FAILED')
  })

  it('that was replaced by another folder is no longer used', async () => {
    const tree = await openWorkingTree(root)
    renameSync(root, `${root}-moved`)
    symlinkSync(`${root}-moved`, root)
    await expectCode(tree.read('package.json', 100), 'ERR_TOOL_FAILED')
    rmSync(root)
    mkdirSync(root)
    writeFileSync(join(root, 'package.json'), 'other')
    await expectCode(tree.read('package.json', 100), 'ERR_TOOL_FAILED')
  })
})

describe('an update', () => {
  it('replaces all files, keeps their mode, and leaves nothing else behind', async () => {
    chmodSync(join(root, 'package.json'), 0o640)
    expect(await updateWith()).toEqual({
      written: ['package.json', 'packages/a/package.json', 'package-lock.json'],
      left: [],
    })
    expect(contents()).toEqual(replaced)
    expect(statSync(join(root, 'package.json')).mode & 0o7777).toBe(0o640)
  })

  it('can be repeated after it was cut off halfway', async () => {
    write('package.json', 'new manifest')
    expect((await updateWith()).written).toEqual(['packages/a/package.json', 'package-lock.json'])
    expect((await updateWith()).written).toEqual([])
    expect(contents()).toEqual(replaced)
  })

  it('changes nothing when one file is not as expected, is gone, or is named twice', async () => {
    const tree = await openWorkingTree(root)
    await expectCode(
      tree.update([...updates().slice(0, 2), update('package-lock.json', 'other', 'x')]),
      'ERR_TOOL_FAILED',
    )
    await expectCode(tree.update([...updates(), update('none.json', '', 'x')]), 'ERR_TOOL_FAILED')
    await expectCode(tree.update([...updates(), update('package.json', 'manifest', 'x')]), 'ERR_TOOL_FAILED')
    expect(contents()).toEqual(original)
    linkSync(join(root, 'package.json'), join(root, 'same.json'))
    await expectCode(tree.update([...updates(), update('same.json', 'manifest', 'x')]), 'ERR_TOOL_FAILED')
    rmSync(join(root, 'same.json'))
    await updateWith()
    expect(contents()).toEqual(replaced)
  })

  const called = async (): Promise<readonly string[]> => {
    const files = failingFiles()
    await updateWith(files, two())
    return files.log
  }

  it.each([
    ['that has no effect', false],
    ['that is done all the same', true],
  ])('is whole or not at all, whichever call fails: a failure %s', async (_, done) => {
    const calls = (await called()).length
    expect(calls).toBeGreaterThan(30)
    let refused = 0
    for (let at = 1; at <= calls; at++) {
      for (const [file, text] of Object.entries(original)) write(file, text)
      const outcome = await updateWith(failingFiles({ at, code: 'EIO', done }), two()).catch(
        (error: unknown) => error,
      )
      const failed = outcome instanceof Error
      if (failed) refused += 1
      expect(contents(), `call ${at}`).toEqual(failed ? original : twoReplaced)
    }
    expect(refused).toBeGreaterThan(25)
  })

  it('is whole or not at all on a file system without hard links', async () => {
    for (let at = 1; ; at++) {
      for (const [file, text] of Object.entries(original)) write(file, text)
      const files = failingFiles({ at, code: 'EIO' })
      const withoutLinks = {
        ...files,
        link: async () => {
          throw Object.assign(new Error('EPERM'), { code: 'EPERM' })
        },
      }
      const outcome = await updateWith(withoutLinks, two()).catch((error: unknown) => error)
      expect(contents(), `call ${at}`).toEqual(outcome instanceof Error ? original : twoReplaced)
      if (files.log.length < at) break
    }
    expect(contents()).toEqual(twoReplaced)
  })

  it.each([
    ['ENOSPC', 'write', 'nothing was changed: the disk is full, package.json cannot be written'],
    ['EROFS', 'create', 'nothing was changed: the file system is read-only, package.json cannot be written'],
    ['EACCES', 'create', 'nothing was changed: package.json or its folder is not accessible to this user'],
    ['EDQUOT', 'sync', 'nothing was changed: the disk is full, package.json cannot be written'],
  ])('says plainly what is wrong: %s', async (code, call, sentence) => {
    const error = await expectCode(
      updateWith(failingFiles({ at: 1, code, calls: [call] })),
      'ERR_TOOL_FAILED',
    )
    expect(error.message).toBe(sentence)
    expect(contents()).toEqual(original)
  })

  it('names the file and its second copy when even going back fails', async () => {
    const files = failingFiles({ at: 2, code: 'EIO', calls: ['rename'], onwards: true })
    const error = await expectCode(updateWith(files), 'ERR_TOOL_FAILED')
    expect(error.message).toMatch(
      /^could not be undone: .*the former package\.json is in \.package\.json\.\w+\.old/,
    )
    const kept = Object.entries(contents()).find(([file]) => /^\.package\.json\.\w+\.old$/.test(file))
    expect(kept?.[1]).toBe('manifest')
  })

  it('meets a link or a change that somebody puts in between, and changes nothing', async () => {
    const swap = (target: 'link' | 'content') => {
      let done = false
      return failingFiles(undefined, (call) => {
        // After the contents were checked, before the first file is exchanged.
        if (call !== 'link' || done) return
        done = true
        if (target === 'link') {
          rmSync(join(root, 'package.json'))
          symlinkSync(join(parent, 'outside/package.json'), join(root, 'package.json'))
        } else {
          writeFileSync(join(root, 'package.json'), 'theirs!!')
        }
      })
    }
    await expectCode(updateWith(swap('content')), 'ERR_TOOL_FAILED')
    expect(contents()).toEqual({ ...original, 'package.json': 'theirs!!' })
    write('package.json', 'manifest')
    await expectCode(updateWith(swap('link')), 'ERR_TOOL_FAILED')
    expect(readFileSync(join(parent, 'outside/package.json'), 'utf8')).toBe('secret')
    const { 'package.json': _, ...rest } = original
    expect(contents()).toEqual(rest)
  })

  it.runIf(process.platform === 'linux')(
    'stays in the folder it opened when a link takes its place',
    async () => {
      const files = failingFiles(undefined, (call) => {
        if (call !== 'create') return
        renameSync(join(root, 'packages'), join(root, 'moved'))
        symlinkSync(join(parent, 'outside'), join(root, 'packages'))
      })
      mkdirSync(join(parent, 'outside/a'))
      writeFileSync(join(parent, 'outside/a/package.json'), 'secret')
      const tree = await openWorkingTree(root, { files })
      await tree.update([update('packages/a/package.json', 'workspace', 'new workspace')])
      expect(readFileSync(join(parent, 'outside/a/package.json'), 'utf8')).toBe('secret')
      expect(readFileSync(join(root, 'moved/a/package.json'), 'utf8')).toBe('new workspace')
    },
  )
})
