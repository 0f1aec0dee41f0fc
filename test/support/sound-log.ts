import { expect } from 'vitest'
import { verifyAuditLog } from '../../runtime/audit/auditor/verify.js'
import { auditVkey } from './audit-logs.js'

type Stored = { readonly seq: number; readonly type: string; readonly data: { readonly note?: string } }

/** The records among the lines of a log, as they are stored and in that order; nothing is verified. */
export function recordsOf(bytes: Uint8Array): Stored[] {
  const lines = Buffer.from(bytes).toString('utf8').split('\n')
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Stored)
}

/** The auditor finds nothing wrong with the log, and nothing after its last checkpoint. */
export async function expectSound(bytes: Uint8Array, records: number): Promise<void> {
  expect(await verifyAuditLog({ bytes }, { vkey: auditVkey })).toMatchObject({
    ok: true,
    records,
    trailing: 0,
  })
}
