import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type AuditLog, openAuditLog } from '../../runtime/audit/log.js'
import { verifierKeyOf } from '../../runtime/audit/note.js'
import type { AuditEntry } from '../../runtime/audit/record.js'
import type { AuditStorage } from '../../runtime/audit/storage.js'
import { fakeClock } from './fake-clock.js'
import { fixedKey } from './fixed-keys.js'

export const auditOrigin = 'https://authority.example/t/acme'
export const auditKey = fixedKey('audit')
export const auditVkey = verifierKeyOf(auditOrigin, auditKey.publicKey)

/** Opens the one log of these tests on some storage. */
export function openLog(storage: AuditStorage): Promise<AuditLog> {
  return openAuditLog({ storage, origin: auditOrigin, key: auditKey, clock: fakeClock() })
}

export function entry(note: string, more: Partial<AuditEntry> = {}): AuditEntry {
  return { type: 'token.minted', actor: 'agent:scanner', data: { note }, ...more }
}

/** A folder that does not exist yet, in one that is removed when the test ends. */
export function logFolder(): string {
  const parent = mkdtempSync(join(tmpdir(), 'baton-audit-'))
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }))
  return join(parent, 'audit')
}
