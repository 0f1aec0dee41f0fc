import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LogSource } from '../../../runtime/audit/auditor/folder.js'
import { readVerifierKey } from '../../../runtime/audit/auditor/note.js'
import { verifyAuditLog } from '../../../runtime/audit/auditor/verify.js'
import { fileAuditStorage } from '../../../runtime/audit/file-storage.js'
import { memoryAuditStorage } from '../../../runtime/audit/memory-storage.js'
import { signNote } from '../../../runtime/audit/note.js'
import { auditKey, auditOrigin, auditVkey, entry, logFolder, openLog } from '../../support/audit-logs.js'
import { fixedKey } from '../../support/fixed-keys.js'

const emptyRoot = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='

async function logOf(...notes: string[]) {
  const storage = memoryAuditStorage()
  const log = await openLog(storage)
  for (const note of notes) await log.append(entry(note))
  return { log, bytes: storage.bytes() }
}

describe('an audit', () => {
  it('of a folder takes the key that lies beside the log, unless it was given one', async () => {
    const folder = logFolder()
    const log = await openLog(fileAuditStorage(folder))
    await log.append(entry('a'))
    await log.close()
    expect(await verifyAuditLog({ folder })).toEqual({
      ok: true,
      records: 1,
      root: log.head().root,
      checkpoints: 1,
      origin: auditOrigin,
      trailing: 0,
    })
    writeFileSync(join(folder, 'verifier.vkey'), 'replaced')
    expect(await verifyAuditLog({ folder })).toMatchObject({
      ok: false,
      firstBad: { reason: /key is malformed/ },
    })
    expect(await verifyAuditLog({ folder }, { vkey: auditVkey })).toMatchObject({ ok: true })
  })

  it('of a log without a record finds it empty, and of no log at all finds nothing to audit', async () => {
    const folder = logFolder()
    expect(await verifyAuditLog({ folder }, { vkey: auditVkey })).toMatchObject({
      ok: false,
      firstBad: { reason: 'there is no log in this folder' },
    })
    mkdirSync(folder)
    expect(await verifyAuditLog({ folder })).toMatchObject({
      ok: false,
      firstBad: { reason: /no verifier key/ },
    })
    await (await openLog(fileAuditStorage(folder))).close()
    expect(await verifyAuditLog({ folder })).toMatchObject({ ok: true, records: 0, root: emptyRoot })
  })

  it('counts records above the last checkpoint apart, as not acknowledged', async () => {
    const { bytes } = await logOf('a', 'b')
    const text = Buffer.from(bytes).toString('utf8')
    const cut = Buffer.from(text.slice(0, text.lastIndexOf('"https') + 10))
    expect(await verifyAuditLog({ bytes: cut }, { vkey: auditVkey })).toMatchObject({
      ok: true,
      records: 1,
      checkpoints: 1,
      trailing: 1,
    })
  })

  it('says at which line and record the first wrong thing is', async () => {
    const { bytes } = await logOf('a', 'b', 'c')
    const text = Buffer.from(bytes).toString('utf8').replace('"note":"b"', '"note":"B"')
    expect(await verifyAuditLog({ bytes: Buffer.from(text) }, { vkey: auditVkey })).toMatchObject({
      ok: false,
      records: 1,
      firstBad: { line: 4, seq: 2 },
    })
  })

  it('expects the origin it was given', async () => {
    const { bytes } = await logOf('a')
    const at = (origin: string) => verifyAuditLog({ bytes }, { vkey: auditVkey, origin })
    expect(await at('https://other.example')).toMatchObject({
      ok: false,
      firstBad: { reason: /another origin/ },
    })
    expect(await at(auditOrigin)).toMatchObject({ ok: true })
  })

  it('finds a checkpoint that the right key signed for another log', async () => {
    const { log } = await logOf('a')
    const line = Buffer.from((await logOf('a')).bytes)
      .toString('utf8')
      .split('\n')[0]
    const text = `https://other.example\n1\n${log.head().root}\n`
    const bytes = Buffer.from(`${line}\n${JSON.stringify(signNote(text, auditOrigin, auditKey))}\n`)
    expect(await verifyAuditLog({ bytes }, { vkey: auditVkey })).toMatchObject({
      ok: false,
      firstBad: { reason: 'a checkpoint is of another origin' },
    })
  })

  it('believes a trusted checkpoint only under the key of the log', async () => {
    const { log, bytes } = await logOf('a')
    const forged = signNote(`${auditOrigin}\n1\n${log.head().root}\n`, auditOrigin, fixedKey('forger'))
    const against = (trustedCheckpoint: string) =>
      verifyAuditLog({ bytes }, { vkey: auditVkey, trustedCheckpoint })
    expect(await against(forged)).toMatchObject({ ok: false, firstBad: { reason: /not of this log/ } })
    const elsewhere = signNote(`https://other.example\n1\n${log.head().root}\n`, auditOrigin, auditKey)
    expect(await against(elsewhere)).toMatchObject({ ok: false, firstBad: { reason: /another origin/ } })
    expect(await against('no note')).toMatchObject({ ok: false, firstBad: { reason: /not of this log/ } })
    expect(await against(log.checkpoint() ?? '')).toMatchObject({ ok: true })
  })

  it('never throws, whatever the bytes are', async () => {
    const { bytes } = await logOf('a', 'b')
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(bytes.length), async (noise, at) => {
        const spoilt = Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)])
        const verdict = await verifyAuditLog({ bytes: spoilt }, { vkey: auditVkey })
        expect(verdict.ok).toBe(verdict.firstBad === undefined)
      }),
      { seed: 20260101, numRuns: 300 },
    )
  })

  it('of what is neither a folder nor bytes is a mistake of the caller', async () => {
    await expect(verifyAuditLog({ bytes: 'text' } as unknown as LogSource)).rejects.toThrow(TypeError)
  })
})

describe('a verifier key', () => {
  /** As for a witness's cosignature (0x04), with the key id that belongs to it. */
  function ofAnotherType(): string {
    const typed = Buffer.concat([Buffer.of(4), Buffer.from(auditKey.publicKey.jwk.x, 'base64url')])
    const id = createHash('sha256').update(`${auditOrigin}\n`).update(typed).digest('hex').slice(0, 8)
    return `${auditOrigin}+${id}+${typed.toString('base64')}`
  }

  it.each([
    ['another key id', auditVkey.replace(/\+[0-9a-f]{8}\+/, '+00000000+')],
    ['another name', `x${auditVkey}`],
    ['another type', ofAnotherType()],
    ['a short key', auditVkey.slice(0, -8)],
    ['no parts', 'key'],
  ])('with %s is not read', (_what, text) => {
    expect(readVerifierKey(text)).toBeUndefined()
  })

  it('as the writer prints it is read', () => {
    expect(readVerifierKey(`${auditVkey}\n`)).toMatchObject({ name: auditOrigin })
  })
})
