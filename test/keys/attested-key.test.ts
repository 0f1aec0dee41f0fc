import {
  chmodSync,
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
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { loadAttestedKey } from '../../runtime/keys/attested-key.js'
import { signKeyProof, verifyKeyProof } from '../../runtime/keys/key-proof.js'
import { createKeyring } from '../../runtime/keys/keyring.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'

const windows = process.platform === 'win32'
const keyring = createKeyring()
let folder = ''
let file = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-attested-'))
  file = join(folder, 'agent.key')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const load = (create = false) => loadAttestedKey(file, { create }, keyring)

describe('an attested key', () => {
  it('is made once, of mode 0600, and is the same agent’s after a restart', () => {
    const made = load(true)
    expect(readdirSync(folder)).toEqual(['agent.key'])
    if (!windows) expect(statSync(file).mode & 0o777).toBe(0o600)
    for (const create of [true, false])
      expect(load(create).publicKey.thumbprint).toBe(made.publicKey.thumbprint)
    rmSync(file)
    expect(load(true).publicKey.thumbprint).not.toBe(made.publicKey.thumbprint)
  })

  it('proves itself with nothing but its public half and a proof leaving', () => {
    const clock = fakeClock()
    const key = load(true)
    const subject = {
      issuer: 'https://authority.example',
      agentId: 'scanner',
      agentChecksum: 'sha256:0',
      epoch: 0,
    }
    const sent = JSON.stringify({
      jwk: key.publicKey.jwk,
      proof: signKeyProof({ ...subject, key: key.publicKey }, key, { clock }),
    })
    expect(sent).not.toContain(readFileSync(file).toString('base64url'))
    const { jwk, proof } = JSON.parse(sent) as { jwk: unknown; proof: string }
    const rules = { ...subject, key: keyring.publicKey(jwk), now: nowSeconds(clock) }
    expect(() => verifyKeyProof(proof, rules)).not.toThrow()
  })

  it('is missed when it is not there and must not be made', async () => {
    await expectCode(() => load(), 'ERR_KEY_FILE_MISSING')
    expect(readdirSync(folder)).toEqual([])
  })

  it.skipIf(windows)(
    'is refused when others have a right to its file, and read once that is mended',
    async () => {
      load(true)
      for (const mode of [0o640, 0o604, 0o620, 0o602]) {
        chmodSync(file, mode)
        await expectCode(() => load(true), 'ERR_KEY_FILE_EXPOSED')
        chmodSync(file, 0o600)
        expect(() => load()).not.toThrow()
      }
    },
  )

  it.skipIf(windows)('is not followed through a link', async () => {
    load(true)
    renameSync(file, `${file}.moved`)
    symlinkSync(`${file}.moved`, file)
    await expectCode(() => load(true), 'ERR_KEY_FILE_INVALID')
  })

  it('is refused at any other length, and never overwritten', async () => {
    for (const length of [0, 31, 33]) {
      rmSync(file, { force: true })
      writeFileSync(file, Buffer.alloc(length, 5), { mode: 0o600 })
      await expectCode(() => load(true), 'ERR_KEY_FILE_INVALID')
      expect(readFileSync(file)).toHaveLength(length)
    }
  })
})
