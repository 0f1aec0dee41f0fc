import { execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format, inspect } from 'node:util'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadMasterSecret, masterSecretFrom, masterSecretFromText } from '../../runtime/keys/master-secret.js'
import { expectCode } from '../support/expect-code.js'

const windows = process.platform === 'win32'
let folder = ''
let count = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-master-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A name that is not taken yet. */
function newFile(): string {
  count += 1
  return join(folder, `secret-${count}`)
}

/** A file of 32 bytes and mode 0600. */
function secretFile(bytes: Uint8Array = Buffer.alloc(32, 5)): string {
  const file = newFile()
  writeFileSync(file, bytes, { mode: 0o600 })
  return file
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('the master secret', () => {
  it('expands one info to the same bytes, another to others, at the length asked for', () => {
    const master = masterSecretFrom(Buffer.alloc(32, 5))
    expect(master.expand('a')).toHaveLength(32)
    expect(master.expand('a', 64)).toHaveLength(64)
    expect(hexOf(master.expand('a'))).toBe(hexOf(masterSecretFrom(Buffer.alloc(32, 5)).expand('a')))
    expect(hexOf(master.expand('a'))).not.toBe(hexOf(master.expand('b')))
  })

  it('is a copy: erasing the bytes it was made from changes nothing', () => {
    const bytes = Buffer.alloc(32, 5)
    const master = masterSecretFrom(bytes)
    const before = hexOf(master.expand('a'))
    bytes.fill(0)
    expect(hexOf(master.expand('a'))).toBe(before)
  })

  it('has nothing to print, and is frozen', () => {
    const bytes = Buffer.from('0123456789abcdef0123456789abcdef')
    const master = masterSecretFrom(bytes)
    const printed = format('%O %j', master, master) + inspect(master, { showHidden: true, depth: null })
    for (const secret of [bytes.toString(), bytes.toString('hex'), bytes.join(', ')])
      expect(printed).not.toContain(secret)
    expect(JSON.stringify(master)).toBe('{}')
    expect(Object.isFrozen(master)).toBe(true)
  })

  it('is 32 bytes, no more and no less', async () => {
    for (const length of [0, 31, 33, 64]) {
      await expectCode(() => masterSecretFrom(Buffer.alloc(length)), 'ERR_MASTER_SECRET_INVALID')
    }
    await expectCode(
      () => masterSecretFrom('x'.repeat(32) as unknown as Uint8Array),
      'ERR_MASTER_SECRET_INVALID',
    )
  })
})

describe('the master secret as text', () => {
  const bytes = Buffer.alloc(32, 0xfb)
  const text = bytes.toString('base64url')

  it('is 32 bytes in base64url, spelled in one way', async () => {
    expect(hexOf(masterSecretFromText(text).expand('a'))).toBe(hexOf(masterSecretFrom(bytes).expand('a')))
    for (const wrong of [
      '',
      `${text}=`,
      `${text}\n`,
      ` ${text}`,
      `${text.slice(0, -1)}9`,
      bytes.toString('base64').replace('=', ''),
      bytes.toString('hex'),
      Buffer.alloc(31, 1).toString('base64url'),
      Buffer.alloc(33, 1).toString('base64url'),
    ]) {
      const error = await expectCode(() => masterSecretFromText(wrong), 'ERR_MASTER_SECRET_INVALID')
      expect(`${error.stack}${String(error.cause)}`).not.toContain(wrong.slice(0, 20) || '=====')
    }
  })
})

describe('the file of the master secret', () => {
  it('is made when asked for, with mode 0600 and nothing left beside it, and read again after', () => {
    const inside = join(newFile(), 'sub')
    mkdirSync(inside, { recursive: true })
    const file = join(inside, 'master.key')
    const made = loadMasterSecret(file, { create: true })
    expect(readdirSync(inside)).toEqual(['master.key'])
    expect(readFileSync(file)).toHaveLength(32)
    if (!windows) expect(statSync(file).mode & 0o777).toBe(0o600)
    for (const create of [true, false]) {
      expect(hexOf(loadMasterSecret(file, { create }).expand('a'))).toBe(hexOf(made.expand('a')))
    }
  })

  it.skipIf(windows)('has mode 0600 under any umask', () => {
    for (const umask of [0o000, 0o777]) {
      const file = newFile()
      const before = process.umask(umask)
      try {
        loadMasterSecret(file, { create: true })
      } finally {
        process.umask(before)
      }
      expect(statSync(file).mode & 0o777).toBe(0o600)
    }
  })

  it('is another one each time it is made', () => {
    const [a, b] = [newFile(), newFile()].map((file) => loadMasterSecret(file, { create: true }).expand('a'))
    expect(a).not.toEqual(b)
  })

  it('is missed when it is not there and must not be made', async () => {
    const file = newFile()
    await expectCode(() => loadMasterSecret(file, { create: false }), 'ERR_MASTER_SECRET_MISSING')
    expect(readdirSync(folder)).not.toContain(file)
  })

  it.skipIf(windows).each([0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666])(
    'is refused with mode %o, and read once that is mended',
    async (mode) => {
      const file = secretFile()
      chmodSync(file, mode)
      await expectCode(() => loadMasterSecret(file, { create: true }), 'ERR_MASTER_SECRET_EXPOSED')
      for (const mended of [0o600, 0o400, 0o700]) {
        chmodSync(file, mended)
        expect(loadMasterSecret(file, { create: false }).expand('a')).toHaveLength(32)
      }
    },
  )

  it.skipIf(process.geteuid?.() !== 0)('is refused when it belongs to another user', async () => {
    const file = secretFile()
    chownSync(file, 65_534, 65_534)
    await expectCode(() => loadMasterSecret(file, { create: true }), 'ERR_MASTER_SECRET_EXPOSED')
    chownSync(file, 0, 0)
    expect(loadMasterSecret(file, { create: false }).expand('a')).toHaveLength(32)
  })

  it.skipIf(windows)(
    'is not followed through a link, not even to a good secret; a second name for it is fine',
    async () => {
      const target = secretFile()
      const link = newFile()
      symlinkSync(target, link)
      await expectCode(() => loadMasterSecret(link, { create: true }), 'ERR_MASTER_SECRET_INVALID')
      const dangling = newFile()
      symlinkSync(newFile(), dangling)
      await expectCode(() => loadMasterSecret(dangling, { create: true }), 'ERR_MASTER_SECRET_INVALID')
      const second = newFile()
      linkSync(target, second)
      expect(loadMasterSecret(second, { create: false }).expand('a')).toHaveLength(32)
    },
  )

  it.skipIf(windows)('is refused when it is a folder or a pipe, without waiting', async () => {
    const directory = newFile()
    mkdirSync(directory, { mode: 0o700 })
    await expectCode(() => loadMasterSecret(directory, { create: true }), 'ERR_MASTER_SECRET_INVALID')
    const pipe = newFile()
    execFileSync('mkfifo', ['-m', '600', pipe])
    await expectCode(() => loadMasterSecret(pipe, { create: true }), 'ERR_MASTER_SECRET_INVALID')
  })

  it('is refused at any other length, and never overwritten', async () => {
    for (const length of [0, 31, 33, 4096]) {
      const file = secretFile(Buffer.alloc(length, 5))
      await expectCode(() => loadMasterSecret(file, { create: true }), 'ERR_MASTER_SECRET_INVALID')
      expect(readFileSync(file)).toHaveLength(length)
    }
  })

  it('is the same for all processes that make it at once', async () => {
    const files = Array.from({ length: 25 }, newFile)
    const answers = await race(4, files)
    expect(new Set(answers).size).toBe(1)
    const mine = files.map((file) => hexOf(loadMasterSecret(file, { create: false }).expand('race')))
    expect(answers[0]).toBe(JSON.stringify(mine))
    expect(new Set(mine).size).toBe(files.length)
    expect(readdirSync(folder).filter((name) => name.endsWith('.new'))).toEqual([])
  })
})

/** Lets several processes load all files at the same moment; what each of them expanded, as JSON. */
async function race(processes: number, files: readonly string[]): Promise<string[]> {
  const script = transpiled()
  const children = Array.from({ length: processes }, () =>
    spawn(process.execPath, [script, ...files], { stdio: ['pipe', 'pipe', 'inherit'] }),
  )
  const output = children.map(() => '')
  const ended = children.map(
    (child, index) =>
      new Promise<void>((resolve, reject) => {
        child.on('error', reject)
        child.on('close', () => resolve())
        child.stdout.on('data', (chunk: Buffer) => {
          output[index] += String(chunk)
        })
      }),
  )
  // Each child says when it is ready; the last to say so starts all of them.
  await Promise.all(children.map((child) => new Promise((resolve) => child.stdout.once('data', resolve))))
  for (const child of children) child.stdin.end('go')
  await Promise.all(ended)
  return output.map((text) => text.replace('ready\n', ''))
}

/** The loader as plain JavaScript in a folder of its own, for processes that run without a test runner. */
function transpiled(): string {
  const out = join(folder, 'js')
  for (const room of ['keys', 'encoding']) mkdirSync(join(out, room), { recursive: true })
  writeFileSync(join(out, 'package.json'), '{"type":"module"}')
  for (const name of [
    'errors',
    'encoding/base64url',
    'encoding/random',
    'keys/secret-file',
    'keys/master-secret',
  ]) {
    const source = readFileSync(fileURLToPath(new URL(`../../runtime/${name}.ts`, import.meta.url)), 'utf8')
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
    writeFileSync(
      join(out, `${name}.js`),
      ts.transpileModule(source, { compilerOptions: options }).outputText,
    )
  }
  const script = join(out, 'load.js')
  writeFileSync(
    script,
    `import { loadMasterSecret } from './keys/master-secret.js'
process.stdout.write('ready\\n')
process.stdin.once('data', () => {
  const secrets = process.argv.slice(2).map((file) => loadMasterSecret(file, { create: true }))
  process.stdout.write(JSON.stringify(secrets.map((secret) => Buffer.from(secret.expand('race')).toString('hex'))))
})
`,
  )
  return script
}
