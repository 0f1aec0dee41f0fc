/**
 * The append-only log (PROTOCOL 16). What is promised:
 *
 * - A1 An entry is acknowledged only when its record lies under a signed checkpoint that is durable.
 * - A2 Records of one log handle stand in the order in which `append` was called.
 * - A3 `seq` is dense from 0, whoever writes: several handles and processes share one numbering.
 * - A4 A failed write fails every entry of its batch, and the handle takes no more until the log is opened
 *   again: what the write left behind is then looked at, not guessed.
 * - A5 What lies above the last checkpoint was never acknowledged: it is cut before anything is written, and a
 *   record of type `audit.torn_tail_cut` says so. Anything wrong below it refuses: ERR_AUDIT_CORRUPT.
 * - A6 The handle never signs a checkpoint that does not extend the last one it signed or read.
 *
 * Whoever holds the key can write another history; a log is evidence against the others, and against its
 * holder only for those who kept an earlier checkpoint.
 */
import type { Clock } from '../clock.js'
import { AgenticError, isAgenticError } from '../errors.js'
import type { SigningKey } from '../keys/signing-key.js'
import { checkpointText } from './checkpoint.js'
import { leafHash } from './merkle.js'
import { requireKeyName, type SignedNote, signNote, verifierKeyOf, verifyNote } from './note.js'
import { type AuditEntry, prepareRecord, recordLine, type UnnumberedRecord } from './record.js'
import { emptyLog, type LogState, replay } from './replay.js'
import { type AuditStorage, type AuditWriter, isBefore } from './storage.js'

export interface AuditLogOptions {
  readonly storage: AuditStorage
  /** The identity of the log, on every checkpoint: the issuer's URL. */
  readonly origin: string
  readonly key: SigningKey
  readonly clock: Clock
}

export interface AuditLog {
  /** Resolves when the entry's record is under a durable signed checkpoint (A1).
   * @throws TypeError, AgenticError ERR_JSON_NOT_CANONICAL, ERR_AUDIT_ENTRY_TOO_LARGE: the entry is refused and
   * the log goes on; ERR_AUDIT_WRITE: see A4; ERR_AUDIT_CORRUPT: the log was changed while it was open */
  append(entry: AuditEntry): Promise<{ readonly seq: number }>
  /** What this handle last wrote or read under a checkpoint. `root` is in base64, as on a checkpoint. */
  head(): { readonly size: number; readonly root: string }
  /** The last checkpoint as a signed note, to be kept elsewhere; undefined before the first record. */
  checkpoint(): string | undefined
  /** What a stranger needs to verify this log's checkpoints. */
  readonly verifierKey: string
  /** Writes what is queued, then lets go of the storage. */
  close(): Promise<void>
}

/** Batches are bounded, so that one write stays far below a segment. In UTF-16 units. */
const maxBatchLength = 4 * 1024 * 1024

/** Signatures verified at opening: the newest covers every record, those before it only tell damage early.
 * The auditor verifies all. */
const signaturesAtOpening = 256

/** Opens or begins a log and verifies what is there: numbers, root and text of every checkpoint, the
 * signatures of the newest, the torn tail (A5).
 * @throws TypeError for an origin that cannot name a log; AgenticError ERR_AUDIT_CORRUPT when the log is
 * damaged or another key's, ERR_AUDIT_WRITE when it cannot be read or written
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  requireKeyName(options.origin)
  const log = new Log(options)
  await log.open()
  return log
}

interface Waiting {
  readonly record: UnnumberedRecord
  readonly acknowledge: (place: { seq: number }) => void
  readonly fail: (error: AgenticError) => void
}

class Log implements AuditLog {
  readonly verifierKey: string
  readonly #storage: AuditStorage
  readonly #origin: string
  readonly #key: SigningKey
  readonly #clock: Clock
  #state: LogState = emptyLog
  #queue: Waiting[] = []
  #writing: Promise<void> | undefined
  #ended: AgenticError | undefined

  constructor({ storage, origin, key, clock }: AuditLogOptions) {
    this.#storage = storage
    this.#origin = origin
    this.#key = key
    this.#clock = clock
    this.verifierKey = verifierKeyOf(origin, key.publicKey)
  }

  async open(): Promise<void> {
    try {
      await this.#requireOwnKey()
      // The bulk is read before the lock is taken, so that a long log does not keep other writers out.
      const before = await replay(emptyLog, this.#storage.read(emptyLog.position), this.#origin)
      this.#verifySignatures(before.notes)
      this.#state = before.state
      await this.#storage.exclusively(async (writer) => {
        const kept = await this.#requireOwnKey()
        // A writer that failed may have taken back what was just read: then it never was there.
        if (isBefore(await writer.end(), this.#state.position)) this.#state = emptyLog
        const report = await this.#catchUp(writer, 'always')
        // Only after the log has proved to be this key's.
        if (kept === 'none') await this.#storage.writeVerifierKey(this.verifierKey)
        if (report.length > 0) await this.#write(writer, report)
      })
    } catch (error) {
      await this.#storage.close().catch(() => {})
      throw asFailure(error)
    }
  }

  async append(entry: AuditEntry): Promise<{ readonly seq: number }> {
    if (this.#ended !== undefined) throw this.#ended
    const record = prepareRecord(entry, this.#clock.nowMs())
    return new Promise((acknowledge, fail) => {
      this.#queue.push({ record, acknowledge, fail })
      this.#writing ??= this.#writeQueue()
    })
  }

  head(): { readonly size: number; readonly root: string } {
    const { frontier } = this.#state
    return { size: frontier.size, root: Buffer.from(frontier.root()).toString('base64') }
  }

  checkpoint(): string | undefined {
    return this.#state.checkpoint
  }

  async close(): Promise<void> {
    this.#ended ??= new AgenticError('ERR_AUDIT_WRITE', 'the audit log is closed')
    await this.#writing
    await this.#storage.close()
  }

  /** Group commit: a batch is what was queued while the one before it became durable. */
  async #writeQueue(): Promise<void> {
    while (this.#queue.length > 0) {
      // What is asked for in the same turn of the event loop shares a batch.
      await new Promise(setImmediate)
      await this.#writeBatch(this.#takeBatch())
    }
    this.#writing = undefined
  }

  #takeBatch(): Waiting[] {
    let length = 0
    const full = this.#queue.findIndex(({ record }) => {
      length += record.before.length + record.after.length
      return length > maxBatchLength
    })
    // A record is at most 64 KiB, so the first one always fits.
    return this.#queue.splice(0, full === -1 ? this.#queue.length : full)
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    let begun = false
    try {
      const first = await this.#storage.exclusively(async (writer) => {
        begun = true
        const report = await this.#catchUp(writer, 'when moved')
        const seq = this.#state.frontier.size + report.length
        await this.#write(writer, [...report, ...batch.map((waiting) => waiting.record)])
        return seq
      })
      batch.forEach((waiting, index) => {
        waiting.acknowledge({ seq: first + index })
      })
    } catch (error) {
      const failure = asFailure(error)
      const failed = [...batch]
      // Before the lock was had nothing was touched: then the entries fail, and the log goes on (A4).
      if (begun) {
        this.#ended = failure
        failed.push(...this.#queue.splice(0))
      }
      for (const waiting of failed) waiting.fail(failure)
    }
  }

  /** Reads what others wrote since, and cuts what nobody finished (A5).
   * @returns the record that reports the cut, to be written first */
  async #catchUp(writer: AuditWriter, when: 'always' | 'when moved'): Promise<UnnumberedRecord[]> {
    const { segment, offset } = this.#state.position
    const end = await writer.end()
    if (when === 'when moved' && end.segment === segment && end.offset === offset) return []
    if (isBefore(end, this.#state.position)) {
      throw new AgenticError('ERR_AUDIT_CORRUPT', 'the audit log became shorter while it was open')
    }
    const since = await replay(this.#state, this.#storage.read(this.#state.position), this.#origin)
    if (since.problem !== undefined) throw since.problem
    this.#verifySignatures(since.notes)
    this.#state = since.state
    // Whoever wrote this may have died before its sync; what comes next must not stand on it unsaved.
    await writer.sync()
    if (since.unfinished.bytes === 0) return []
    await writer.cut(since.state.position)
    const entry = { type: 'audit.torn_tail_cut', actor: 'audit', data: { ...since.unfinished } }
    return [prepareRecord(entry, this.#clock.nowMs())]
  }

  async #write(writer: AuditWriter, records: readonly UnnumberedRecord[]): Promise<void> {
    const frontier = this.#state.frontier.copy()
    let batch = ''
    for (const record of records) {
      const line = recordLine(record, frontier.size)
      frontier.append(leafHash(line))
      batch += `${line}\n`
    }
    const text = checkpointText({ origin: this.#origin, size: frontier.size, root: frontier.root() })
    const checkpoint = signNote(text, this.#origin, this.#key)
    const position = await writer.append(Buffer.from(`${batch}${JSON.stringify(checkpoint)}\n`))
    this.#state = { frontier, position, checkpoint }
  }

  #verifySignatures(notes: readonly SignedNote[]): void {
    for (const note of notes.slice(-signaturesAtOpening)) verifyNote(note, this.#origin, this.#key.publicKey)
  }

  async #requireOwnKey(): Promise<'own' | 'none'> {
    const kept = await this.#storage.readVerifierKey()
    if (kept === undefined) return 'none'
    if (kept === this.verifierKey) return 'own'
    throw new AgenticError('ERR_AUDIT_CORRUPT', 'the audit log belongs to another key or origin')
  }
}

function asFailure(error: unknown): AgenticError {
  if (isAgenticError(error)) return error
  return new AgenticError('ERR_AUDIT_WRITE', 'the audit log cannot be read or written', { cause: error })
}
