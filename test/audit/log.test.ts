import { describe, expect, it, vi } from 'vitest'
import { verifyAuditLog } from '../../runtime/audit/auditor/verify.js'
import { openAuditLog } from '../../runtime/audit/log.js'
import { memoryAuditStorage } from '../../runtime/audit/memory-storage.js'
import { parseNote, verifyNote } from '../../runtime/audit/note.js'
import type { AuditEntry } from '../../runtime/audit/record.js'
import { auditKey, auditOrigin, auditVkey, entry, openLog } from '../support/audit-logs.js'
import { expectCode } from '../support/expect-code.js'
import { failingAuditStorage } from '../support/failing-audit-storage.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey } from '../support/fixed-keys.js'

type Stored = { readonly seq: number; readonly type: string; readonly data: { readonly note?: string } }

function recordsOf(bytes: Uint8Array): Stored[] {
  const lines = Buffer.from(bytes).toString('utf8').split('\n')
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Stored)
}

async function expectSound(bytes: Uint8Array, records: number): Promise<void> {
  expect(await verifyAuditLog({ bytes }, { vkey: auditVkey })).toMatchObject({
    ok: true,
    records,
    trailing: 0,
  })
}

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

describe('several handles on one log', () => {
  it('share one numbering and one tree (A3, A6)', async () => {
    const storage = memoryAuditStorage()
    const handles = await Promise.all([openLog(storage), openLog(storage), openLog(storage)])
    const places = await Promise.all(
      Array.from({ length: 90 }, (_, index) => (handles[index % 3] ?? handles[0]).append(entry(`${index}`))),
    )
    expect(places.map((place) => place.seq).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 90 }, (_, seq) => seq),
    )
    await expectSound(storage.bytes(), 90)
  })

  it('make durable what another wrote before they build on it (A1)', async () => {
    const inner = memoryAuditStorage()
    const steps: string[] = []
    const log = await openLog({
      ...inner,
      exclusively: (work) =>
        inner.exclusively((writer) =>
          work({
            ...writer,
            sync: async () => void steps.push('sync'),
            append: (batch) => {
              steps.push('append')
              return writer.append(batch)
            },
          }),
        ),
    })
    const other = await openLog(inner)
    steps.length = 0
    await log.append(entry('a'))
    expect(steps).toEqual(['append'])
    await other.append(entry('b'))
    await log.append(entry('c'))
    expect(steps).toEqual(['append', 'sync', 'append'])
  })

  it('end when another wrote a checkpoint that the key did not sign (A6)', async () => {
    const storage = memoryAuditStorage()
    const log = await openLog(storage)
    await log.append(entry('a'))
    const other = await openLog(storage)
    const before = storage.bytes().length
    await other.append(entry('b'))
    // The next batch as it was written, with the signature of the batch before it.
    const [mine, theirs] = [log, other].map(
      (handle) => (handle.checkpoint() ?? '').trimEnd().split('\n\n')[1] ?? '',
    )
    const forged = Buffer.from(
      Buffer.from(storage.bytes())
        .toString('utf8')
        .replace(theirs ?? '', mine ?? ''),
    )
    await storage.exclusively(async (writer) => {
      await writer.cut({ segment: 0, offset: before })
      await writer.append(forged.subarray(before))
    })
    await expectCode(log.append(entry('c')), 'ERR_AUDIT_CORRUPT')
    expect(recordsOf(storage.bytes())).toHaveLength(2)
  })

  it('end when an unfinished batch does not go on where the log stands', async () => {
    const storage = memoryAuditStorage()
    const log = await openLog(storage)
    await log.append(entry('a'))
    await storage.exclusively((writer) => writer.append(Buffer.from('{"seq":7}\n')))
    await expectCode(log.append(entry('b')), 'ERR_AUDIT_CORRUPT')
    await expectCode(openLog(storage), 'ERR_AUDIT_CORRUPT')
  })

  it('open although a batch that was read first was taken back by its writer', async () => {
    const inner = memoryAuditStorage()
    const log = await openLog(inner)
    await log.append(entry('a'))
    const end = await inner.exclusively((writer) => writer.end())
    await log.append(entry('taken back'))
    let taken = false
    const opened = await openLog({
      ...inner,
      exclusively: (work) =>
        inner.exclusively(async (writer) => {
          if (!taken) await writer.cut(end)
          taken = true
          return work(writer)
        }),
    })
    expect(opened.head().size).toBe(1)
    expect(await opened.append(entry('b'))).toEqual({ seq: 1 })
    await expectSound(inner.bytes(), 2)
  })

  it('end when the log became shorter under one of them (A6)', async () => {
    const inner = memoryAuditStorage()
    const log = await openLog(inner)
    await log.append(entry('first'))
    const { offset } = await inner.exclusively((writer) => writer.end())
    await log.append(entry('second'))
    await inner.exclusively((writer) => writer.cut({ segment: 0, offset }))
    await expectCode(log.append(entry('third')), 'ERR_AUDIT_CORRUPT')
    await expectCode(log.append(entry('fourth')), 'ERR_AUDIT_CORRUPT')
    expect(recordsOf(inner.bytes())).toHaveLength(1)
  })
})

describe('a write that fails', () => {
  it('fails what was queued while it ran, and writes none of it (A4)', async () => {
    const storage = failingAuditStorage(memoryAuditStorage())
    let behind: Promise<unknown> | undefined
    let opened = false
    const log = await openLog({
      ...storage,
      exclusively: (work) =>
        storage.exclusively((writer) => {
          if (opened && behind === undefined)
            behind = log.append(entry('behind')).catch((error: unknown) => error)
          return work(writer)
        }),
    })
    opened = true
    storage.failNext('unsaved')
    await expectCode(log.append(entry('a')), 'ERR_AUDIT_WRITE')
    expect(await behind).toMatchObject({ code: 'ERR_AUDIT_WRITE' })
    expect(storage.appends).toBe(1)
    await log.close()
    expect(storage.appends).toBe(1)
  })

  it.each(['unsaved', 'half saved', 'though saved'] as const)(
    '%s fails its whole batch and what is queued behind it, and ends the handle (A4)',
    async (how) => {
      const inner = memoryAuditStorage()
      const storage = failingAuditStorage(inner)
      const log = await openLog(storage)
      await log.append(entry('kept'))
      storage.failNext(how)
      const outcomes = await Promise.allSettled([log.append(entry('a')), log.append(entry('b'))])
      expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected'])
      const appends = storage.appends
      await expectCode(log.append(entry('c')), 'ERR_AUDIT_WRITE')
      expect(storage.appends).toBe(appends)
      expect(log.head().size).toBe(1)
    },
  )

  it.each([
    ['unsaved', ['token.minted', 'token.minted']],
    ['half saved', ['token.minted', 'audit.torn_tail_cut', 'token.minted']],
    ['though saved', ['token.minted', 'token.minted', 'token.minted', 'token.minted']],
  ] as const)('%s loses nothing that was acknowledged, and the log opens again', async (how, types) => {
    const inner = memoryAuditStorage()
    const storage = failingAuditStorage(inner)
    const log = await openLog(storage)
    await log.append(entry('kept'))
    const kept = Buffer.from(inner.bytes())
    storage.failNext(how)
    await Promise.allSettled([log.append(entry('a')), log.append(entry('b'))])
    const again = await openLog(storage)
    await again.append(entry('next'))
    expect(Buffer.from(inner.bytes()).subarray(0, kept.length)).toEqual(kept)
    expect(recordsOf(inner.bytes()).map((record) => record.type)).toEqual(types)
    await expectSound(inner.bytes(), types.length)
  })

  it('when another handle failed half way, the next writer cuts and reports before it writes (A5)', async () => {
    const inner = memoryAuditStorage()
    const failing = failingAuditStorage(inner)
    const broken = await openLog(failing)
    const other = await openLog(inner)
    failing.failNext('half saved')
    await expectCode(broken.append(entry('lost')), 'ERR_AUDIT_WRITE')
    expect(await other.append(entry('next'))).toEqual({ seq: 1 })
    expect(recordsOf(inner.bytes()).map((record) => record.type)).toEqual([
      'audit.torn_tail_cut',
      'token.minted',
    ])
    await expectSound(inner.bytes(), 2)
  })

  it('fails its entries only, when the lock was never had', async () => {
    const inner = memoryAuditStorage()
    let locked = false
    const log = await openLog({
      ...inner,
      exclusively: (work) => (locked ? Promise.reject(new Error('busy')) : inner.exclusively(work)),
    })
    locked = true
    await expectCode(log.append(entry('a')), 'ERR_AUDIT_WRITE')
    locked = false
    expect(await log.append(entry('b'))).toEqual({ seq: 0 })
  })
})

describe('a crash while a batch is written', () => {
  it('at any byte keeps every acknowledged record and cuts only what was not (A5)', async () => {
    const storage = memoryAuditStorage()
    const log = await openLog(storage)
    await Promise.all([log.append(entry('a')), log.append(entry('é'))])
    const acknowledged = storage.bytes().length
    await Promise.all([log.append(entry('c')), log.append(entry('d'))])
    const whole = storage.bytes()

    for (let length = acknowledged; length <= whole.length; length++) {
      const crashed = memoryAuditStorage(whole.slice(0, length))
      const again = await openLog(crashed)
      const stored = recordsOf(crashed.bytes())
      expect(Buffer.from(crashed.bytes().subarray(0, acknowledged))).toEqual(
        Buffer.from(whole.subarray(0, acknowledged)),
      )
      if (length === acknowledged) expect(stored).toHaveLength(2)
      else if (length === whole.length) expect(stored).toHaveLength(4)
      else {
        const lines = Buffer.from(whole.subarray(acknowledged, length)).toString('latin1').split('\n')
        const records = lines.slice(0, -1).length
        expect(stored.slice(2)).toMatchObject([
          { type: 'audit.torn_tail_cut', data: { bytes: length - acknowledged, records } },
        ])
      }
      await again.append(entry('next'))
      await expectSound(crashed.bytes(), stored.length + 1)
    }
  })

  it('below the last checkpoint is no crash: the log does not open', async () => {
    const storage = memoryAuditStorage()
    const log = await openLog(storage)
    await log.append(entry('a'))
    await log.append(entry('b'))
    const text = Buffer.from(storage.bytes()).toString('utf8')
    const half = Buffer.from(text.replace('"note":"a"', '"note":"'))
    await expectCode(openLog(memoryAuditStorage(half)), 'ERR_AUDIT_CORRUPT')
  })
})
