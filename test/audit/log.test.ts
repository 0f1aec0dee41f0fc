import { describe, expect, it, vi } from 'vitest'
import { openAuditLog } from '../../runtime/audit/log.js'
import { memoryAuditStorage } from '../../runtime/audit/memory-storage.js'
import { parseNote, verifyNote } from '../../runtime/audit/note.js'
import type { AuditEntry } from '../../runtime/audit/record.js'
import { auditKey, auditOrigin, auditVkey, entry, openLog } from '../support/audit-logs.js'
import { expectCode } from '../support/expect-code.js'
import { failingAuditStorage } from '../support/failing-audit-storage.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey } from '../support/fixed-keys.js'
import { expectSound, recordsOf } from '../support/sound-log.js'

describe('a log', () => {
  it('acknowledges an entry under a checkpoint that its key signed (A1)', async () => {
    const storage = memoryAuditStorage()
    const log = await openLog(storage)
    expect(log.verifierKey).toBe(auditVkey)
    expect(log.checkpoint()).toBeUndefined()
    expect(await log.append(entry('first'))).toEqual({ seq: 0 })
    await expectSound(storage.bytes(), 1)
    const checkpoint = parseNote(log.checkpoint() ?? '')
    verifyNote(checkpoint, auditOrigin, auditKey.publicKey)
    expect(checkpoint.text).toBe(`${auditOrigin}\n1\n${log.head().root}\n`)
  })

  it('acknowledges nothing before the batch is durable (A1)', async () => {
    const inner = memoryAuditStorage()
    let finish = () => {}
    const gate = new Promise<void>((resolve) => {
      finish = resolve
    })
    const log = await openLog({
      ...inner,
      exclusively: (work) =>
        inner.exclusively((writer) =>
          work({
            ...writer,
            append: async (batch) => {
              const end = await writer.append(batch)
              await gate
              return end
            },
          }),
        ),
    })
    const acknowledged = vi.fn()
    const appended = log.append(entry('first')).then(acknowledged)
    await vi.waitFor(() => expect(inner.bytes().length).toBeGreaterThan(0))
    expect(acknowledged).not.toHaveBeenCalled()
    expect(log.head().size).toBe(0)
    finish()
    await appended
    expect(acknowledged).toHaveBeenCalledOnce()
  })

  it('stores records in the order in which they were appended (A2)', async () => {
    const storage = memoryAuditStorage()
    const log = await openLog(storage)
    const notes = Array.from({ length: 50 }, (_, index) => `note ${index}`)
    await Promise.all(notes.map((note) => log.append(entry(note))))
    expect(recordsOf(storage.bytes()).map((record) => record.data.note)).toEqual(notes)
  })

  it('gives 64 concurrent writers dense numbers, and to each its own (A3)', async () => {
    const storage = memoryAuditStorage()
    const log = await openLog(storage)
    const seen = new Map<number, string>()
    await Promise.all(
      Array.from({ length: 64 }, async (_, writer) => {
        for (let turn = 0; turn < 10; turn++) {
          const { seq } = await log.append(entry(`${writer}/${turn}`))
          seen.set(seq, `${writer}/${turn}`)
        }
      }),
    )
    const stored = recordsOf(storage.bytes())
    expect(stored.map((record) => record.seq)).toEqual(Array.from({ length: 640 }, (_, seq) => seq))
    expect(stored.map((record) => record.data.note)).toEqual(stored.map((record) => seen.get(record.seq)))
    await expectSound(storage.bytes(), 640)
  })

  it('writes what was asked for while a batch was written as one batch', async () => {
    const storage = failingAuditStorage(memoryAuditStorage())
    const log = await openLog(storage)
    await Promise.all(Array.from({ length: 64 }, (_, index) => log.append(entry(`${index}`))))
    expect(storage.appends).toBe(1)
    await log.append(entry('alone'))
    expect(storage.appends).toBe(2)
  })

  it('splits what is too much for one write', async () => {
    const storage = failingAuditStorage(memoryAuditStorage())
    const log = await openLog(storage)
    const large = 'x'.repeat(60_000)
    await Promise.all(Array.from({ length: 100 }, () => log.append(entry(large))))
    expect(storage.appends).toBe(2)
    expect(log.head().size).toBe(100)
  })

  it('refuses a bad entry and goes on with the next', async () => {
    const log = await openLog(memoryAuditStorage())
    await expect(log.append(entry('x', { type: 'nodots' }))).rejects.toThrow(TypeError)
    await expectCode(log.append(entry('x'.repeat(70_000))), 'ERR_AUDIT_ENTRY_TOO_LARGE')
    await expectCode(
      log.append({ ...entry('x'), data: { note: Number.NaN } } as AuditEntry),
      'ERR_JSON_NOT_CANONICAL',
    )
    expect(await log.append(entry('good'))).toEqual({ seq: 0 })
  })

  it('goes on where it stood when it is opened again', async () => {
    const storage = memoryAuditStorage()
    const first = await openLog(storage)
    await Promise.all([first.append(entry('a')), first.append(entry('b')), first.append(entry('c'))])
    await first.close()
    const second = await openLog(storage)
    expect(second.head()).toEqual(first.head())
    expect(second.checkpoint()).toBe(first.checkpoint())
    expect(await second.append(entry('d'))).toEqual({ seq: 3 })
    await expectSound(storage.bytes(), 4)
  })

  it('writes what is queued when it is closed, and takes no more', async () => {
    const storage = memoryAuditStorage()
    const log = await openLog(storage)
    const queued = log.append(entry('queued'))
    await log.close()
    expect(await queued).toEqual({ seq: 0 })
    await expectCode(log.append(entry('late')), 'ERR_AUDIT_WRITE')
    await expectSound(storage.bytes(), 1)
  })

  it('cannot have an origin that is no key name', async () => {
    const open = (origin: string) =>
      openAuditLog({ storage: memoryAuditStorage(), origin, key: auditKey, clock: fakeClock() })
    await expect(open('my log')).rejects.toThrow(TypeError)
    expect((await open('my-log')).verifierKey).toMatch(/^my-log\+/)
  })

  it('is not opened with another key or under another origin', async () => {
    const storage = memoryAuditStorage()
    await (await openLog(storage)).append(entry('first'))
    const clock = fakeClock()
    const other = fixedKey('another log')
    const refused = openAuditLog({ storage, origin: auditOrigin, key: other, clock })
    expect((await expectCode(refused, 'ERR_AUDIT_CORRUPT')).message).toMatch(/another key or origin/)
    await expectCode(openAuditLog({ storage, origin: 'other', key: auditKey, clock }), 'ERR_AUDIT_CORRUPT')
    // Nor when the key beside the log is gone: the checkpoints say whose it is.
    const bare = memoryAuditStorage(storage.bytes())
    await expectCode(
      openAuditLog({ storage: bare, origin: auditOrigin, key: other, clock }),
      'ERR_AUDIT_CORRUPT',
    )
    expect(await bare.readVerifierKey()).toBeUndefined()
    expect((await openLog(bare)).head().size).toBe(1)
    expect(await bare.readVerifierKey()).toBe(auditVkey)
  })
})
