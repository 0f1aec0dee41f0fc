/** What the environment says of the master secret, as it is read when a program loads the runtime. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadMasterSecret, masterSecretFrom } from '../../runtime/keys/master-secret.js'
import type { RuntimeOptions } from '../../runtime/parts.js'

const bytes = new Uint8Array(32).fill(6)
const text = Buffer.from(bytes).toString('base64url')
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-environment-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

/** Loads the runtime in this environment, as a new process would, and opens one.
 * @returns the `kid` of its authority, or the code of the refusal */
async function opened(env: Record<string, string>, options: RuntimeOptions = {}): Promise<unknown> {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  vi.resetModules()
  const { createRuntime } = await import('../../runtime/compose.js')
  try {
    const runtime = await createRuntime(options)
    const { keys } = runtime.jwkSet()
    await runtime.close()
    return keys[0]?.kid
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

describe('BATON_MASTER_SECRET', () => {
  it('is the master secret, wherever the store is, and leaves no file', async () => {
    const given = await opened({}, { masterSecret: bytes })
    expect(await opened({ BATON_MASTER_SECRET: text })).toBe(given)
    const stateFolder = join(folder, 'state')
    mkdirSync(stateFolder)
    expect(await opened({ BATON_MASTER_SECRET: text }, { stateFolder })).toBe(given)
    expect(readdirSync(stateFolder)).not.toContain('master.key')
  })

  it('is taken out of the environment, so that no child process inherits it', async () => {
    await opened({ BATON_MASTER_SECRET: text })
    expect(process.env['BATON_MASTER_SECRET']).toBeUndefined()
  })

  it('serves every runtime of the process, and an option has the last word', async () => {
    vi.stubEnv('BATON_MASTER_SECRET', text)
    vi.resetModules()
    const { createRuntime } = await import('../../runtime/compose.js')
    const kids: unknown[] = []
    for (const options of [{}, {}, { masterSecret: new Uint8Array(32).fill(1) }]) {
      const runtime = await createRuntime(options)
      kids.push(runtime.jwkSet().keys[0]?.kid)
      await runtime.close()
    }
    expect(kids[1]).toBe(kids[0])
    expect(kids[2]).not.toBe(kids[0])
  })

  it.each(['', `${text}=`, text.slice(1), bytes.toString()])(
    'of another form stops the runtime',
    async (wrong) => {
      expect(await opened({ BATON_MASTER_SECRET: wrong })).toBe('ERR_MASTER_SECRET_INVALID')
    },
  )
})

describe('a runtime in production', () => {
  const production = { NODE_ENV: 'production' }

  it('makes no secret of its own, in a folder or in memory', async () => {
    expect(await opened(production)).toBe('ERR_MASTER_SECRET_MISSING')
    expect(await opened(production, { stateFolder: folder })).toBe('ERR_MASTER_SECRET_MISSING')
    expect(readdirSync(folder)).not.toContain('master.key')
  })

  it('uses the one it is given: in the environment, in its file, or by a source', async () => {
    const given = await opened({}, { masterSecret: bytes })
    expect(await opened({ ...production, BATON_MASTER_SECRET: text })).toBe(given)
    const source = { load: async () => masterSecretFrom(bytes) }
    expect(await opened(production, { masterSecret: source })).toBe(given)
    loadMasterSecret(join(folder, 'master.key'), { create: true })
    expect(await opened(production, { stateFolder: folder })).toMatch(/^[\w-]{43}$/)
  })

  it('may be told otherwise; elsewhere a secret is made on first use, or demanded', async () => {
    expect(await opened(production, { masterSecretRequired: false })).toMatch(/^[\w-]{43}$/)
    const development = { NODE_ENV: 'development' }
    expect(await opened(development, { stateFolder: folder, masterSecretRequired: true })).toBe(
      'ERR_MASTER_SECRET_MISSING',
    )
    const first = await opened(development, { stateFolder: folder })
    expect(readdirSync(folder)).toContain('master.key')
    expect(await opened(development, { stateFolder: folder })).toBe(first)
  })
})
