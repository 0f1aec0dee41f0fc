/**
 * What one line of the log says. An entry is what a caller hands in; a record is the entry with its place
 * and time; its canonical line (RFC 8785) is what is stored, hashed and signed for.
 */
import { canonicalize, type JsonObject } from '../encoding/canonical-json.js'
import { AgenticError } from '../errors.js'

export interface AuditEntry {
  /** What happened: lower-case words joined by dots, `token.minted`. */
  readonly type: string
  /** Who did it: an agent, a client, `os:<uid>`, or a room of the runtime. */
  readonly actor: string
  readonly execution_id?: string
  readonly activation_id?: string
  /** What it was done to, by kind: { token: jti, registration: id }. Identifiers only. */
  readonly subjects?: Readonly<Record<string, string>>
  /** Never a payload, a prompt, a token or a key: digests of them (salt.ts). */
  readonly data: JsonObject
}

export interface AuditRecord extends AuditEntry {
  readonly v: 1
  /** Dense, from 0. */
  readonly seq: number
  /** Milliseconds since the epoch, when the entry was handed in. */
  readonly time: number
}

/** A record without its number, which is known only when its batch is written: the text around it. */
export interface UnnumberedRecord {
  readonly before: string
  readonly after: string
}

/** Longest line, in bytes. */
export const maxRecordBytes = 65_536
const longestSeq = 16

const typePattern = /^[a-z]+(\.[a-z_]+)+$/
const entryKeys = new Set(['type', 'actor', 'execution_id', 'activation_id', 'subjects', 'data'])

/** Checks an entry and prints everything of its record but the number. What the caller does to the entry
 * afterwards changes nothing.
 * @param timeMs milliseconds since the epoch
 * @throws TypeError for a wrong type, actor, identifier or key; AgenticError ERR_JSON_NOT_CANONICAL for data
 * that has no canonical form, ERR_AUDIT_ENTRY_TOO_LARGE above 64 KiB
 * @see PROTOCOL 16
 */
export function prepareRecord(entry: AuditEntry, timeMs: number): UnnumberedRecord {
  requireShape(entry)
  const { type, actor, execution_id, activation_id, subjects, data } = entry
  // Canonical order: activation_id, actor, data, execution_id, seq, subjects, time, type, v.
  const before =
    `{${member('activation_id', activation_id)}"actor":${canonicalize(actor)},"data":${canonicalize(data)},` +
    `${member('execution_id', execution_id)}"seq":`
  const after = `,${member('subjects', subjects)}"time":${canonicalize(timeMs)},"type":"${type}","v":1}`
  const bytes = Buffer.byteLength(before) + Buffer.byteLength(after) + longestSeq
  if (bytes > maxRecordBytes) {
    throw new AgenticError('ERR_AUDIT_ENTRY_TOO_LARGE', `an audit record of ${bytes} bytes is above 64 KiB`)
  }
  return { before, after }
}

function member(name: string, value: unknown): string {
  return value === undefined ? '' : `"${name}":${canonicalize(value)},`
}

/** The canonical line of a record, without a newline. */
export function recordLine(record: UnnumberedRecord, seq: number): string {
  return record.before + seq + record.after
}

function requireShape(entry: AuditEntry): void {
  const strange = Object.keys(entry).find((key) => !entryKeys.has(key))
  if (strange !== undefined) throw new TypeError(`an audit entry has no "${strange}"`)
  if (typeof entry.type !== 'string' || !typePattern.test(entry.type)) {
    throw new TypeError('the "type" of an audit entry is lower-case words joined by dots')
  }
  requireText(entry.actor, 'actor', 512)
  if (entry.execution_id !== undefined) requireText(entry.execution_id, 'execution_id', 128)
  if (entry.activation_id !== undefined) requireText(entry.activation_id, 'activation_id', 128)
  if (typeof entry.data !== 'object' || entry.data === null || Array.isArray(entry.data)) {
    throw new TypeError('the "data" of an audit entry is an object')
  }
  const { subjects } = entry
  if (subjects === undefined) return
  if (typeof subjects !== 'object' || subjects === null || Array.isArray(subjects)) {
    throw new TypeError('the "subjects" of an audit entry are an object')
  }
  for (const [kind, subject] of Object.entries(subjects)) requireText(subject, `subjects.${kind}`, 512)
}

function requireText(value: unknown, what: string, maxLength: number): void {
  if (typeof value !== 'string' || value.length === 0 || value.length > maxLength) {
    throw new TypeError(`the "${what}" of an audit entry is a text of 1 to ${maxLength} characters`)
  }
}
