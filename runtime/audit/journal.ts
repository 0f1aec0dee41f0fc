/**
 * How authority and guard write into the log: one call per outcome, payloads only as digests under the
 * run's salt (PROTOCOL 16).
 */
import type { JsonObject, JsonValue } from '../encoding/canonical-json.js'
import type { AuditLog } from './log.js'
import { createSaltedDigests } from './salt.js'

/** Per-run random salts for payload digests, kept beside the payloads and erased with them. */
export interface Salts {
  /** The run's salt, made on first use. */
  getOrCreate(executionId: string): Promise<Uint8Array>
}

export interface JournalEntry {
  readonly type: string
  /** Who acted: `authority`, `engine`, an initiator, an approver or `agent:<id>`. */
  readonly actor: string
  readonly executionId?: string
  readonly activationId?: string
  readonly subjects?: Readonly<Record<string, string>>
  readonly data: JsonObject
}

export interface Journal {
  /** Durable under a signed checkpoint when it returns. @throws AgenticError ERR_AUDIT_WRITE */
  record(entry: JournalEntry): Promise<void>
  /** HMAC digest of a payload under the run's salt. */
  digest(executionId: string, payload: JsonValue): Promise<string>
}

export function createJournal(deps: { readonly audit: AuditLog; readonly salts: Salts }): Journal {
  const digests = createSaltedDigests()
  return {
    async record(entry) {
      await deps.audit.append({
        type: entry.type,
        actor: entry.actor,
        ...(entry.executionId !== undefined && { execution_id: entry.executionId }),
        ...(entry.activationId !== undefined && { activation_id: entry.activationId }),
        ...(entry.subjects && { subjects: entry.subjects }),
        data: entry.data,
      })
    },
    async digest(executionId, payload) {
      return digests.payloadDigest(await deps.salts.getOrCreate(executionId), payload)
    },
  }
}
