import { describe, expect, it } from 'vitest'
import { memoryAuditStorage } from '../../runtime/audit/memory-storage.js'
import { entry, openLog } from '../support/audit-logs.js'
import { expectCode } from '../support/expect-code.js'
import { expectSound, recordsOf } from '../support/sound-log.js'

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
