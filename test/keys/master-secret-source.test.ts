import {
  chmodSync,
  copyFileSync,
  existsSync,
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
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { masterSecretFrom } from '../../runtime/keys/master-secret.js'
import {
  fileKeyWrapper,
  type KeyWrapper,
  wrappedMasterSecret,
} from '../../runtime/keys/master-secret-source.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'

const windows = process.platform === 'win32'
let folder = ''
let [file, keyFile] = ['', '']
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-wrapped-'))
  ;[file, keyFile] = [join(folder, 'master.wrapped'), join(folder, 'wrapping.key')]
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** What is expanded of the secret: two secrets are the same when this is. */
async function expanded(create = false, wrapper: KeyWrapper = fileKeyWrapper(keyFile, { create })) {
  const master = await wrappedMasterSecret({ file, wrapper, create }).load()
  return Buffer.from(master.expand('a')).toString('hex')
}

/** A service that keeps its key to itself and counts how often it is asked. */
function countingService(secret = new Uint8Array(32).fill(7)) {
  const asked = { wrap: 0, unwrap: 0 }
  const wrapper: KeyWrapper = {
    async wrap(bytes) {
      asked.wrap += 1
      return Uint8Array.from(bytes, (byte) => byte ^ 0x55)
    },
    async unwrap(bytes) {
      asked.unwrap += 1
      return Uint8Array.from(bytes, (byte) => byte ^ 0x55)
    },
  }
  return { wrapper, asked, secret, wrapped: secret.map((byte) => byte ^ 0x55) }
}

describe('a wrapped master secret', () => {
  it('is made once, of mode 0600, and unwrapped to the same secret after that', async () => {
    const made = await expanded(true)
    expect(readdirSync(folder).sort()).toEqual(['master.wrapped', 'wrapping.key'])
    if (!windows) for (const name of [file, keyFile]) expect(statSync(name).mode & 0o777).toBe(0o600)
    for (const create of [true, false]) expect(await expanded(create)).toBe(made)
  })

  it('shows neither itself nor its key in the file, and no two are alike', async () => {
    await expanded(true)
    const bytes = readFileSync(file)
    expect(bytes).toHaveLength(61)
    expect(bytes.includes(readFileSync(keyFile))).toBe(false)
    const first = await expanded()
    rmSync(file)
    expect(await expanded(true)).not.toBe(first)
    expect(readFileSync(file).subarray(1, 13)).not.toEqual(bytes.subarray(1, 13))
  })

  it('is one secret for all who make it at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => expanded(true)))
    expect(new Set([...answers, await expanded()]).size).toBe(1)
    expect(readdirSync(folder)).toHaveLength(2)
  })

  it('is missed when it, or its key, is not there and must not be made', async () => {
    await expectCode(expanded(), 'ERR_MASTER_SECRET_MISSING')
    expect(readdirSync(folder)).toEqual([])
    await expectCode(expanded(false, fileKeyWrapper(keyFile, { create: true })), 'ERR_MASTER_SECRET_MISSING')
    await expectCode(expanded(true, fileKeyWrapper(keyFile, { create: false })), 'ERR_MASTER_SECRET_MISSING')
    expect(readdirSync(folder)).toEqual([])
    await expanded(true)
    rmSync(keyFile)
    // No new key is made for what an old one wrapped, whatever is allowed.
    for (const create of [false, true]) await expectCode(expanded(create), 'ERR_MASTER_SECRET_MISSING')
    expect(existsSync(keyFile)).toBe(false)
  })

  attack('X6', 'no changed bit of it is unwrapped, and no shorter tag', async () => {
    const made = await expanded(true)
    const good = readFileSync(file)
    const write = (bytes: Uint8Array) => writeFileSync(file, bytes, { mode: 0o600 })
    for (let index = 0; index < good.length; index++) {
      const changed = Buffer.from(good)
      changed[index] = (good[index] ?? 0) ^ 1
      write(changed)
      await expectCode(expanded(), 'ERR_MASTER_SECRET_UNWRAP')
    }
    for (const length of [0, 1, 48, 49, 57, 60]) {
      write(good.subarray(0, length))
      await expectCode(expanded(), 'ERR_MASTER_SECRET_UNWRAP')
    }
    write(Buffer.concat([good, Buffer.of(0)]))
    await expectCode(expanded(), 'ERR_MASTER_SECRET_UNWRAP')
    write(good)
    expect(await expanded()).toBe(made)
  })

  it('is not unwrapped with another key', async () => {
    await expanded(true)
    const good = readFileSync(keyFile)
    writeFileSync(keyFile, Buffer.alloc(32, 1))
    await expectCode(expanded(), 'ERR_MASTER_SECRET_UNWRAP')
    for (const length of [0, 31, 33]) {
      writeFileSync(keyFile, Buffer.alloc(length, 1))
      await expectCode(expanded(), 'ERR_MASTER_SECRET_INVALID')
    }
    writeFileSync(keyFile, good)
    await expanded()
  })

  it.skipIf(windows)('is refused when others can read it or its key, or when it is a link', async () => {
    const made = await expanded(true)
    for (const name of [file, keyFile]) {
      for (const mode of [0o640, 0o604, 0o620]) {
        chmodSync(name, mode)
        await expectCode(expanded(), 'ERR_MASTER_SECRET_EXPOSED')
        chmodSync(name, 0o600)
      }
      copyFileSync(name, `${name}.moved`)
      rmSync(name)
      symlinkSync(`${name}.moved`, name)
      await expectCode(expanded(), 'ERR_MASTER_SECRET_INVALID')
      rmSync(name)
      copyFileSync(`${name}.moved`, name)
      chmodSync(name, 0o600)
    }
    expect(await expanded()).toBe(made)
  })
})

describe('a key management service', () => {
  it('is asked to unwrap what lies there, and to wrap only where there is nothing', async () => {
    const { wrapper, asked, secret, wrapped } = countingService()
    writeFileSync(file, wrapped, { mode: 0o600 })
    const expected = Buffer.from(masterSecretFrom(secret).expand('a')).toString('hex')
    for (const create of [false, true]) expect(await expanded(create, wrapper)).toBe(expected)
    expect(asked).toEqual({ wrap: 0, unwrap: 2 })
    rmSync(file)
    await expanded(true, wrapper)
    expect(asked).toEqual({ wrap: 1, unwrap: 3 })
  })

  it('that refuses, fails or answers with something else makes no secret', async () => {
    const { wrapper, wrapped } = countingService()
    writeFileSync(file, wrapped, { mode: 0o600 })
    const failing = { ...wrapper, unwrap: () => Promise.reject(new Error('access denied for 0x55')) }
    const error = await expectCode(expanded(false, failing), 'ERR_MASTER_SECRET_UNWRAP')
    expect(error.message).not.toContain('0x55')
    const short = { ...wrapper, unwrap: async () => new Uint8Array(31) }
    await expectCode(expanded(false, short), 'ERR_MASTER_SECRET_INVALID')
    await expanded(false, wrapper)
  })

  it('whose answer could never be read again is not believed', async () => {
    const { wrapper } = countingService()
    const wordy = { ...wrapper, wrap: async () => new Uint8Array(8193) }
    await expect(expanded(true, wordy)).rejects.toThrow(TypeError)
    expect(readdirSync(folder)).toEqual([])
  })
})
