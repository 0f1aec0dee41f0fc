import { describe, expect, it } from 'vitest'
import { memoryAuditStorage } from '../../runtime/audit/memory-storage.js'
import { entry, openLog } from '../support/audit-logs.js'
import { expectCode } from '../support/expect-code.js'
import { failingAuditStorage } from '../support/failing-audit-storage.js'
import { expectSound, recordsOf } from '../support/sound-log.js'

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
