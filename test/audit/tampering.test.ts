import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { verifyAuditLog } from '../../runtime/audit/auditor/verify.js'
import { openAuditLog } from '../../runtime/audit/log.js'
import { memoryAuditStorage } from '../../runtime/audit/memory-storage.js'
import { attack } from '../support/attack.js'
import { auditKey, auditOrigin, auditVkey, entry, openLog } from '../support/audit-logs.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey } from '../support/fixed-keys.js'

/** Three batches of three records, and what a stranger kept after the second. */
async function makeLog() {
  const storage = memoryAuditStorage()
  const log = await openLog(storage)
  const kept: string[] = []
  for (const batch of ['a', 'b', 'c']) {
    await Promise.all([1, 2, 3].map((index) => log.append(entry(`${batch}${index}`))))
    kept.push(log.checkpoint() ?? '')
  }
  return { bytes: storage.bytes(), kept, lines: linesOf(storage.bytes()) }
}

const linesOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8').split('\n').slice(0, -1)
const bytesOf = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''))

async function expectFound(bytes: Uint8Array, reason: RegExp): Promise<void> {
  const verdict = await verifyAuditLog({ bytes }, { vkey: auditVkey })
  expect(verdict.ok).toBe(false)
  expect(verdict.firstBad?.reason).toMatch(reason)
  await expectCode(openLog(memoryAuditStorage(bytes)), 'ERR_AUDIT_CORRUPT')
}

describe('the log as it was written', () => {
  it('is found sound by the auditor, extends what was kept, and opens', async () => {
    const { bytes, kept } = await makeLog()
    for (const trustedCheckpoint of kept) {
      const verdict = await verifyAuditLog(
        { bytes },
        { vkey: auditVkey, trustedCheckpoint, origin: auditOrigin },
      )
      expect(verdict).toMatchObject({
        ok: true,
        records: 9,
        checkpoints: 3,
        trailing: 0,
        origin: auditOrigin,
      })
    }
    const log = await openLog(memoryAuditStorage(bytes))
    const verdict = await verifyAuditLog({ bytes }, { vkey: auditVkey })
    expect(log.head()).toEqual({ size: verdict.records, root: verdict.root })
  })
})

describe('a log that was tampered with', () => {
  attack('X7', 'any changed byte of any line is found, by the auditor and at opening', async () => {
    const { bytes } = await makeLog()
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const flipped = Uint8Array.from(bytes)
        flipped[at] = (flipped[at] as number) ^ mask
        const verdict = await verifyAuditLog({ bytes: flipped }, { vkey: auditVkey })
        expect(verdict.ok).toBe(false)
        await expectCode(openLog(memoryAuditStorage(flipped)), 'ERR_AUDIT_CORRUPT')
      }),
      { seed: 20260101, numRuns: 400, examples: [[bytes.length - 1, 1]] },
    )
  })

  attack('X7', 'a changed value is found although it is well formed', async () => {
    const { lines } = await makeLog()
    const changed = lines.with(5, (lines[5] as string).replace('"b2"', '"B2"'))
    await expectFound(bytesOf(changed), /another root/)
  })

  attack('X7', 'a deleted record is found', async () => {
    const { lines } = await makeLog()
    await expectFound(bytesOf(lines.toSpliced(1, 1)), /missing or out of place/)
    await expectFound(bytesOf(lines.toSpliced(10, 1)), /counts other records/)
  })

  attack('X7', 'a whole batch taken from the middle is found', async () => {
    const { lines } = await makeLog()
    await expectFound(bytesOf(lines.toSpliced(4, 4)), /missing or out of place/)
  })

  attack('X7', 'two records that changed places are found', async () => {
    const { lines } = await makeLog()
    const swapped = lines.with(4, lines[5] as string).with(5, lines[4] as string)
    await expectFound(bytesOf(swapped), /missing or out of place/)
  })

  attack('X7', 'a record inserted with the right number is found', async () => {
    const { lines } = await makeLog()
    const inserted = lines.toSpliced(3, 0, (lines[2] as string).replace('"seq":2', '"seq":3'))
    await expectFound(bytesOf(inserted), /counts other records/)
  })

  attack('X7', 'a checkpoint that was taken out or repeated is found', async () => {
    const { lines } = await makeLog()
    await expectFound(bytesOf(lines.toSpliced(4, 0, lines[3] as string)), /covers no new record/)
    // Taking out one in the middle loses nothing: the next one covers the same records.
    const verdict = await verifyAuditLog({ bytes: bytesOf(lines.toSpliced(3, 1)) }, { vkey: auditVkey })
    expect(verdict).toMatchObject({ ok: true, records: 9, checkpoints: 2 })
  })

  attack('X7', 'a forged signature is found, on the last checkpoint and on an older one', async () => {
    const { lines } = await makeLog()
    for (const index of [11, 3]) {
      const note = JSON.parse(lines[index] as string) as string
      const signature = note.slice(note.lastIndexOf(' ') + 1, -1)
      const raw = Buffer.from(signature, 'base64')
      raw[20] = (raw[20] as number) ^ 1
      const forged = JSON.stringify(note.replace(signature, raw.toString('base64')))
      await expectFound(bytesOf(lines.with(index, forged)), /signature of a checkpoint does not hold/)
    }
  })

  attack('X7', 'a checkpoint that names another origin is found', async () => {
    const { lines } = await makeLog()
    const renamed = (lines[11] as string).replace(`"${auditOrigin}`, '"https://other.example')
    await expectFound(bytesOf(lines.with(11, renamed)), /does not hold/)
  })

  attack('X7', 'a log written anew with another key is found by who knows the key', async () => {
    const { kept } = await makeLog()
    const storage = memoryAuditStorage()
    const clock = fakeClock()
    const forger = await openAuditLog({ storage, origin: auditOrigin, key: fixedKey('forger'), clock })
    await forger.append(entry('a1'))
    await expectFound(storage.bytes(), /not signed by the log's key/)
    const own = await verifyAuditLog({ bytes: storage.bytes() }, { vkey: forger.verifierKey })
    expect(own.ok).toBe(true)
    const trusting = await verifyAuditLog(
      { bytes: storage.bytes() },
      { vkey: forger.verifierKey, trustedCheckpoint: kept[0] ?? '' },
    )
    expect(trusting.firstBad?.reason).toMatch(/trusted checkpoint is not of this log/)
  })

  attack('X7', 'a log that was cut below a kept checkpoint is found against it', async () => {
    const { bytes, lines, kept } = await makeLog()
    const rolledBack = bytesOf(lines.slice(0, 4))
    const trustedCheckpoint = kept[1] ?? ''
    const verdict = await verifyAuditLog({ bytes: rolledBack }, { vkey: auditVkey, trustedCheckpoint })
    expect(verdict).toMatchObject({
      ok: false,
      records: 3,
      firstBad: { reason: expect.stringMatching(/ends before/) },
    })
    // By itself an earlier state of the log is sound: only what was kept elsewhere shows the rollback.
    expect(await verifyAuditLog({ bytes: rolledBack }, { vkey: auditVkey })).toMatchObject({ ok: true })
    expect(await verifyAuditLog({ bytes }, { vkey: auditVkey, trustedCheckpoint })).toMatchObject({
      ok: true,
    })
    const midBatch = bytesOf(lines.slice(0, 6))
    const torn = await verifyAuditLog({ bytes: midBatch }, { vkey: auditVkey, trustedCheckpoint })
    expect(torn).toMatchObject({ ok: false, records: 3, trailing: 2 })
  })

  attack('X7', 'a history that its own key holder rewrote is found against a kept checkpoint', async () => {
    const { kept } = await makeLog()
    const storage = memoryAuditStorage()
    const log = await openLog(storage)
    await Promise.all(Array.from({ length: 9 }, (_, index) => log.append(entry(`rewritten ${index}`))))
    const verdict = await verifyAuditLog(
      { bytes: storage.bytes() },
      { vkey: auditVkey, trustedCheckpoint: kept[1] ?? '' },
    )
    expect(verdict.firstBad?.reason).toMatch(/does not extend the trusted checkpoint/)
  })
})

describe('opening a long log', () => {
  it('finds a damaged record anywhere, and a damaged signature among the newest 256', async () => {
    const storage = memoryAuditStorage()
    const log = await openLog(storage)
    for (let index = 0; index < 300; index++) await log.append(entry(`${index}`))
    const lines = linesOf(storage.bytes())
    const old = lines.with(2, (lines[2] as string).replace('"note":"1"', '"note":"2"'))
    await expectCode(openLog(memoryAuditStorage(bytesOf(old))), 'ERR_AUDIT_CORRUPT')
    const breakSignature = (index: number) => {
      const [head = '', tail = ''] = (JSON.parse(lines[index] as string) as string).split('\n\n')
      const other = (JSON.parse(lines[index - 2] as string) as string).split('\n\n')[1] as string
      expect(other).not.toBe(tail)
      return bytesOf(lines.with(index, JSON.stringify(`${head}\n\n${other}`)))
    }
    await expectCode(openLog(memoryAuditStorage(breakSignature(599 - 2 * 255))), 'ERR_AUDIT_CORRUPT')
    // Further back only the auditor looks; the newest signature covers every record all the same.
    const further = breakSignature(599 - 2 * 256)
    expect((await openLog(memoryAuditStorage(further))).head()).toEqual(log.head())
    expect(await verifyAuditLog({ bytes: further }, { vkey: auditVkey })).toMatchObject({ ok: false })
  })
})

it('the key of these tests is the one that signs', () => {
  expect(auditVkey).toContain(`${auditOrigin}+`)
  expect(auditKey.publicKey.alg).toBe('Ed25519')
})
