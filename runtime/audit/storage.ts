/**
 * The port through which a log keeps its bytes: one or more segments, each a run of lines. A line is a record
 * (a canonical JSON object) or a checkpoint (a JSON string that holds the signed note over every record
 * before it); a batch is its record lines followed by one checkpoint line.
 */

/** A place in the log. Order: by segment, then by offset in bytes. */
export interface AuditPosition {
  readonly segment: number
  readonly offset: number
}

/** The bytes of one segment from an offset on. */
export interface AuditChunk extends AuditPosition {
  readonly bytes: Uint8Array
}

/** What the one writer may do; valid only inside `exclusively`. */
export interface AuditWriter {
  /** The present end: the end of the newest segment, or the beginning of the first when there is none.
   * @throws AgenticError ERR_AUDIT_WRITE when the log was removed from under the writer */
  end(): Promise<AuditPosition>
  /** Removes everything from a position in the newest segment on; durable when it returns. */
  cut(position: AuditPosition): Promise<void>
  /** Makes everything that is there durable, whoever wrote it. */
  sync(): Promise<void>
  /** Adds a batch, whole in one segment; durable when it returns. When it throws nothing is promised: the
   * batch may be there, in part, or not at all.
   * @returns the new end */
  append(batch: Uint8Array): Promise<AuditPosition>
}

/** Shared by every process that writes the log. Reading needs no lock and sees batches half written. */
export interface AuditStorage {
  /** One chunk per segment, the first from `position` on, even when it is empty.
   * @throws AgenticError ERR_AUDIT_CORRUPT when a segment is missing */
  read(position: AuditPosition): AsyncIterable<AuditChunk>
  /** Runs `work` as the only writer among all processes, and lets others in when it is done. Nothing else is
   * excluded in between: what others wrote since is there to be read first.
   * @throws AgenticError ERR_AUDIT_WRITE, without having called `work`, when another writer keeps the log */
  exclusively<T>(work: (writer: AuditWriter) => Promise<T>): Promise<T>
  /** The verifier key kept beside the log, for strangers; undefined when there is none yet. */
  readVerifierKey(): Promise<string | undefined>
  /** Durable when it returns. Called only inside `exclusively`. */
  writeVerifierKey(verifierKey: string): Promise<void>
  close(): Promise<void>
}

/** True when `a` lies before `b`. */
export function isBefore(a: AuditPosition, b: AuditPosition): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset)
}
