import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { readAuditRecords } from '../../runtime/audit/auditor/read.js'
import { verifyAuditLog } from '../../runtime/audit/auditor/verify.js'
import { fileAuditStorage } from '../../runtime/audit/file-storage.js'
import { lockFileName } from '../../runtime/audit/folder-lock.js'
import type { AuditLog } from '../../runtime/audit/log.js'
import { auditVkey, entry, logFolder, openLog } from '../support/audit-logs.js'
import { expectCode } from '../support/expect-code.js'

const segmentBytes = 1_000
const first = '00000000.log'

async function openAt(folder: string, options = {}): Promise<AuditLog> {
  const log = await openLog(fileAuditStorage(folder, options))
  onTestFinished(() => log.close())
  return log
}

async function expectSound(folder: string, records: number): Promise<void> {
  const verdict = await verifyAuditLog({ folder }, { vkey: auditVkey })
  expect(verdict).toMatchObject({ ok: true, records, trailing: 0 })
}

describe('a log in a folder', () => {
  it('is a segment of lines and its verifier key, readable by its owner', async () => {
    const folder = logFolder()
    const log = await openAt(folder)
    await log.append(entry('a'))
    const lines = readFileSync(join(folder, first), 'utf8').split('\n')
    expect(lines).toHaveLength(3)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      v: 1,
      seq: 0,
      type: 'token.minted',
      data: { note: 'a' },
    })
    expect(JSON.parse(lines[1] ?? '')).toBe(log.checkpoint())
    expect(readFileSync(join(folder, 'verifier.vkey'), 'utf8')).toBe(`${auditVkey}\n`)
    expect(readdirSync(folder).sort()).toEqual([first, 'verifier.vkey', lockFileName])
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, first)).mode & 0o777).toBe(0o600)
  })

  it('goes on in a new segment when the last one is large, and is read back over all of them', async () => {
    const folder = logFolder()
    const log = await openAt(folder, { segmentBytes })
    for (let index = 0; index < 12; index++) await log.append(entry(`${index}`))
    expect(readdirSync(folder).filter((name) => name.endsWith('.log')).length).toBeGreaterThan(2)
    await expectSound(folder, 12)
    const again = await openAt(folder, { segmentBytes })
    expect(again.head()).toEqual(log.head())
    await again.append(entry('12'))
    const records = await readAuditRecords(folder)
    expect(records.map((record) => record.data.note)).toEqual(
      Array.from({ length: 13 }, (_, index) => `${index}`),
    )
  })

  it('cut short at any place of its last batch opens, with what was acknowledged', async () => {
    const folder = logFolder()
    const log = await openAt(folder)
    await log.append(entry('a'))
    const path = join(folder, first)
    const acknowledged = statSync(path).size
    await Promise.all([log.append(entry('b')), log.append(entry('c'))])
    await log.close()
    const whole = readFileSync(path)
    for (let length = acknowledged; length < whole.length; length += 29) {
      writeFileSync(path, whole.subarray(0, length))
      const again = await openLog(fileAuditStorage(folder))
      const torn = length > acknowledged
      expect(again.head().size).toBe(torn ? 2 : 1)
      await again.append(entry('next'))
      await again.close()
      expect(readFileSync(path).subarray(0, acknowledged)).toEqual(whole.subarray(0, acknowledged))
      await expectSound(folder, torn ? 3 : 2)
    }
  })

  it('is cut back to its checkpoint when a crash left the beginning of a new segment', async () => {
    const folder = logFolder()
    const log = await openAt(folder, { segmentBytes })
    for (let index = 0; index < 4; index++) await log.append(entry(`${index}`))
    await log.close()
    const newest = readdirSync(folder).filter((name) => name.endsWith('.log')).length
    const next = join(folder, `${String(newest).padStart(8, '0')}.log`)
    writeFileSync(next, '{"actor":"agent:sc')
    const again = await openAt(folder, { segmentBytes })
    expect(again.head().size).toBe(5)
    expect(readFileSync(next, 'utf8')).toMatch(/^\{.*torn_tail_cut/)
    await expectSound(folder, 5)
  })

  it('does not open with a segment missing, or damaged behind an older one', async () => {
    const folder = logFolder()
    const log = await openAt(folder, { segmentBytes })
    for (let index = 0; index < 12; index++) await log.append(entry(`${index}`))
    await log.close()
    const path = join(folder, first)
    const whole = readFileSync(path)
    truncateSync(path, whole.length - 100)
    await expectCode(openLog(fileAuditStorage(folder)), 'ERR_AUDIT_CORRUPT')
    expect(await verifyAuditLog({ folder })).toMatchObject({
      ok: false,
      firstBad: { reason: /another segment/ },
    })
    rmSync(path)
    await expectCode(openLog(fileAuditStorage(folder)), 'ERR_AUDIT_CORRUPT')
    expect(await verifyAuditLog({ folder })).toMatchObject({ ok: false, firstBad: { reason: /is missing/ } })
    writeFileSync(path, whole)
    expect((await openAt(folder)).head().size).toBe(12)
  })

  it('does not follow a symbolic link where a segment should be', async () => {
    const folder = logFolder()
    const log = await openAt(folder)
    await log.append(entry('a'))
    await log.close()
    const other = logFolder()
    mkdirSync(other)
    symlinkSync(join(folder, first), join(other, first))
    await expectCode(openLog(fileAuditStorage(other)), 'ERR_AUDIT_WRITE')
    rmSync(join(other, first))
    copyFileSync(join(folder, first), join(other, first))
    expect((await openAt(other)).head().size).toBe(1)
  })

  it('in a folder that cannot be made says that it cannot be written', async () => {
    const folder = logFolder()
    writeFileSync(folder, 'a file')
    await expectCode(openLog(fileAuditStorage(join(folder, 'audit'))), 'ERR_AUDIT_WRITE')
    expect(() => fileAuditStorage('')).toThrow(TypeError)
  })
})

describe('a batch whose sync fails', () => {
  it('is taken back, so that nobody builds on what the disk may not hold (A4)', async () => {
    const folder = logFolder()
    const log = await openAt(folder)
    const other = await openAt(folder)
    await log.append(entry('a'))
    const size = statSync(join(folder, first)).size
    const handle = await open(join(folder, first))
    const datasync = vi.spyOn(Object.getPrototypeOf(handle), 'datasync')
    await handle.close()
    datasync.mockRejectedValueOnce(new Error('EIO'))
    await expectCode(log.append(entry('b')), 'ERR_AUDIT_WRITE')
    expect(statSync(join(folder, first)).size).toBe(size)
    expect(await other.append(entry('c'))).toEqual({ seq: 1 })
    await expectSound(folder, 2)
  })
})

describe('a log that changes while it is open', () => {
  it('ends when it was rolled back to an earlier state', async () => {
    const folder = logFolder()
    const log = await openAt(folder)
    await log.append(entry('a'))
    const earlier = readFileSync(join(folder, first))
    await log.append(entry('b'))
    writeFileSync(join(folder, first), earlier)
    await expectCode(log.append(entry('c')), 'ERR_AUDIT_CORRUPT')
    expect((await openAt(folder)).head().size).toBe(1)
  })

  it('ends when it was removed', async () => {
    const folder = logFolder()
    const log = await openAt(folder)
    await log.append(entry('a'))
    rmSync(join(folder, first))
    await expectCode(log.append(entry('b')), 'ERR_AUDIT_WRITE')
  })

  it('ends when somebody appended what is no batch', async () => {
    const folder = logFolder()
    const log = await openAt(folder)
    await log.append(entry('a'))
    appendFileSync(join(folder, first), '{"seq":1}\n"no note"\n')
    await expectCode(log.append(entry('b')), 'ERR_AUDIT_CORRUPT')
  })
})

describe('two writers of one folder', () => {
  it('append concurrently to one sound log, over segments too', async () => {
    const folder = logFolder()
    const logs = [await openAt(folder, { segmentBytes }), await openAt(folder, { segmentBytes })] as const
    const places = await Promise.all(
      Array.from({ length: 16 }, async (_, writer) => {
        const seqs: number[] = []
        for (let turn = 0; turn < 4; turn++) {
          const { seq } = await (logs[writer % 2] as AuditLog).append(entry(`${writer}/${turn}`))
          seqs.push(seq)
        }
        return seqs
      }),
    )
    for (const seqs of places) expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
    expect(places.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, seq) => seq))
    await expectSound(folder, 64)
  })

  it('of which one waits at a gate while the other opens, writes and closes, share the log', async () => {
    const folder = logFolder()
    const run = await openAt(folder)
    await run.append(entry('gate reached'))
    const approve = await openLog(fileAuditStorage(folder))
    await approve.append(entry('approved'))
    await approve.close()
    expect(await run.append(entry('gate passed'))).toEqual({ seq: 2 })
    await expectSound(folder, 3)
  })
})

describe('the lock of a folder', () => {
  /** A process that takes the lock of a folder and keeps it until it is killed. */
  async function holdLock(folder: string): Promise<ChildProcess> {
    const script = fileURLToPath(new URL('../support/hold-lock.mjs', import.meta.url))
    const child = spawn(process.execPath, [script, join(folder, lockFileName)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
    return child
  }

  it('held by another process fails the batch with nothing written, and the next one is tried again', async () => {
    const folder = logFolder()
    const log = await openAt(folder, { lockWaitMs: 20 })
    await log.append(entry('a'))
    const size = statSync(join(folder, first)).size
    const child = await holdLock(folder)
    const error = await expectCode(log.append(entry('b')), 'ERR_AUDIT_WRITE')
    expect(error.message).toBe('another process writes this audit log')
    await expectCode(openLog(fileAuditStorage(folder, { lockWaitMs: 20 })), 'ERR_AUDIT_WRITE')
    expect(statSync(join(folder, first)).size).toBe(size)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await log.append(entry('c'))).toEqual({ seq: 1 })
    await expectSound(folder, 2)
  })

  it('is waited for, and falls to the next writer when its holder dies', async () => {
    const folder = logFolder()
    const log = await openAt(folder, { lockWaitMs: 20_000 })
    const child = await holdLock(folder)
    const appended = log.append(entry('a'))
    child.kill('SIGKILL')
    expect(await appended).toEqual({ seq: 0 })
  })

  it('does not keep readers out', async () => {
    const folder = logFolder()
    await (await openAt(folder)).append(entry('a'))
    await holdLock(folder)
    await expectSound(folder, 1)
  })
})
