/**
 * Re-verifies a whole log: every line is its own canonical form, numbers are dense, every checkpoint is signed
 * by the log's key and gives the root of the records before it. What a log by itself cannot show, that it was
 * rolled back or rewritten by the holder of its key, shows against a checkpoint kept elsewhere.
 */
import { type LogSource, readKeyBeside, readSegments } from './folder.js'
import { cutLines, readLine } from './line.js'
import { readCheckpoint, readVerifierKey, type VerifierKey } from './note.js'
import { createAuditTree } from './tree.js'

export interface AuditExpectations {
  /** The key to believe. Default: the one beside the log, which proves only that the log fits itself. */
  readonly vkey?: string
  /** A checkpoint of this log kept from earlier, as a signed note: the log must still extend it. */
  readonly trustedCheckpoint?: string
  /** The origin expected; default: the name in the verifier key. */
  readonly origin?: string
}

export interface AuditVerdict {
  readonly ok: boolean
  /** Records under the last good checkpoint. */
  readonly records: number
  /** The root over them, in base64 as on a checkpoint. */
  readonly root: string
  /** Good checkpoints. */
  readonly checkpoints: number
  readonly origin: string | undefined
  /** Records above the last good checkpoint: being written, or left by an interrupted write; never acknowledged. */
  readonly trailing: number
  /** The first thing wrong: at which line (from 1, over all segments) and which record number. */
  readonly firstBad?: { readonly reason: string; readonly line?: number; readonly seq?: number }
}

/** Verifies a log; content is never trusted and never makes it throw.
 * @param source a folder as the file storage keeps it, or the bytes of all segments in order
 * @throws TypeError when the arguments are not what they should be
 * @see PROTOCOL 16 */
export async function verifyAuditLog(
  source: LogSource,
  expected: AuditExpectations = {},
): Promise<AuditVerdict> {
  requireSource(source)
  const audit = new Audit()
  const keyText = expected.vkey ?? (await readKeyBeside(source))
  const verifier = keyText === undefined ? undefined : readVerifierKey(keyText)
  if (verifier === undefined) {
    return audit.verdict({
      reason: keyText === undefined ? 'no verifier key is known' : 'the verifier key is malformed',
    })
  }
  const origin = expected.origin ?? verifier.name
  audit.origin = origin
  if (verifier.name !== origin) return audit.verdict({ reason: 'the verifier key is of another origin' })
  const bad = (await audit.readAll(source, verifier)) ?? audit.compare(expected.trustedCheckpoint, verifier)
  return audit.verdict(bad)
}

type Bad = NonNullable<AuditVerdict['firstBad']>

class Audit {
  origin: string | undefined
  readonly #tree = createAuditTree()
  #covered = 0
  #checkpoints = 0
  #line = 0

  async readAll(source: LogSource, verifier: VerifierKey): Promise<Bad | undefined> {
    try {
      let unfinished = false
      for await (const segment of readSegments(source)) {
        if (unfinished || this.#tree.size > this.#covered) {
          return this.#bad('an unfinished batch is followed by another segment')
        }
        for (const { bytes, whole } of cutLines(segment)) {
          unfinished = !whole
          if (unfinished) {
            // An interrupted write never has another byte where a newline belongs.
            const whole = readLine(bytes.subarray(0, -1)).kind !== 'unreadable'
            if (whole) return this.#bad('a line does not end in a newline')
            break
          }
          this.#line++
          const bad = this.#take(bytes, verifier)
          if (bad !== undefined) return bad
        }
      }
      return undefined
    } catch (error) {
      return this.#bad(error instanceof Error ? error.message : 'the log cannot be read')
    }
  }

  /** The consistency with an earlier checkpoint, recomputed from the records themselves. */
  compare(trusted: string | undefined, verifier: VerifierKey): Bad | undefined {
    if (trusted === undefined) return undefined
    const reading = readCheckpoint(trusted, verifier)
    if (!reading.ok) return { reason: `the trusted checkpoint is not of this log: ${reading.reason}` }
    const { size, root, origin } = reading.checkpoint
    if (origin !== this.origin) return { reason: 'the trusted checkpoint is of another origin' }
    if (size > this.#covered)
      return { reason: 'the log ends before the trusted checkpoint', seq: this.#covered }
    if (this.#tree.rootOfFirst(size).toString('base64') === root) return undefined
    return { reason: 'the log does not extend the trusted checkpoint' }
  }

  verdict(bad: Bad | undefined): AuditVerdict {
    return {
      ok: bad === undefined,
      records: this.#covered,
      root: this.#tree.rootOfFirst(this.#covered).toString('base64'),
      checkpoints: this.#checkpoints,
      origin: this.origin,
      trailing: this.#tree.size - this.#covered,
      ...(bad === undefined ? {} : { firstBad: bad }),
    }
  }

  #take(bytes: Uint8Array, verifier: VerifierKey): Bad | undefined {
    const line = readLine(bytes)
    switch (line.kind) {
      case 'unreadable':
        return this.#bad(line.reason)
      case 'record':
        if (line.record.seq !== this.#tree.size) return this.#bad('a record is missing or out of place')
        this.#tree.add(bytes)
        return undefined
      case 'checkpoint':
        return this.#takeCheckpoint(line.note, verifier)
    }
  }

  #takeCheckpoint(note: string, verifier: VerifierKey): Bad | undefined {
    const reading = readCheckpoint(note, verifier)
    if (!reading.ok) return this.#bad(reading.reason)
    const { origin, size, root } = reading.checkpoint
    if (origin !== this.origin) return this.#bad('a checkpoint is of another origin')
    if (size !== this.#tree.size) return this.#bad('a checkpoint counts other records than those before it')
    if (size === this.#covered) return this.#bad('a checkpoint covers no new record')
    if (this.#tree.rootOfFirst(size).toString('base64') !== root) {
      return this.#bad('a checkpoint has another root than the records before it')
    }
    this.#covered = size
    this.#checkpoints++
    return undefined
  }

  #bad(reason: string): Bad {
    return { reason, line: this.#line, seq: this.#tree.size }
  }
}

function requireSource(source: LogSource): void {
  const known = 'folder' in source ? typeof source.folder === 'string' : source.bytes instanceof Uint8Array
  if (!known) throw new TypeError('a log is given by its folder or its bytes')
}
