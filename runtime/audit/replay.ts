/**
 * Reads a log back, as its writer does when it opens one and when another process has written since: every
 * line in its place, every checkpoint what the records before it give. The auditor does the same without this
 * file.
 */
import { AgenticError } from '../errors.js'
import { checkpointText } from './checkpoint.js'
import { createFrontier, type Frontier, leafHash } from './merkle.js'
import { parseNote, type SignedNote } from './note.js'
import type { AuditChunk, AuditPosition } from './storage.js'

/** Where a log stands at one of its checkpoints, or at its beginning. */
export interface LogState {
  /** Over the records under the checkpoint; never appended to, but copied. */
  readonly frontier: Frontier
  /** The end of the checkpoint's line. */
  readonly position: AuditPosition
  /** The checkpoint itself; undefined before the first. */
  readonly checkpoint: string | undefined
}

export const emptyLog: LogState = {
  frontier: createFrontier(),
  position: { segment: 0, offset: 0 },
  checkpoint: undefined,
}

export interface Replay {
  /** At the last checkpoint that was read whole. */
  readonly state: LogState
  /** The checkpoints passed, oldest first; their text is right, their signatures are not yet verified. */
  readonly notes: readonly SignedNote[]
  /** What lies above the last checkpoint: the beginning of a batch that was never finished. */
  readonly unfinished: { readonly bytes: number; readonly records: number }
  /** Set when something was read that no interrupted batch leaves behind; `state` is where it began. */
  readonly problem?: AgenticError
}

/** Follows a log from a known state on. An interrupted write leaves a beginning of its batch: whole records,
 * then perhaps a line without its newline, and no checkpoint. Whatever else does not fit is a problem.
 * @param origin what every checkpoint must name */
export async function replay(
  from: LogState,
  chunks: AsyncIterable<AuditChunk>,
  origin: string,
): Promise<Replay> {
  const notes: SignedNote[] = []
  let state = from
  let pending = state.frontier.copy()
  let unfinishedBytes = 0
  try {
    for await (const { segment, offset, bytes } of chunks) {
      if (unfinishedBytes > 0)
        throw corrupt(pending.size, 'an unfinished batch is followed by another segment')
      if (segment !== state.position.segment) state = { ...state, position: { segment, offset } }
      unfinishedBytes = bytes.length
      for (let start = 0; start < bytes.length; ) {
        const newline = bytes.indexOf(0x0a, start)
        if (newline === -1) {
          requireTorn(bytes.subarray(start), pending.size)
          break
        }
        const line = bytes.subarray(start, newline)
        start = newline + 1
        if (line[0] === 0x22) {
          const checkpoint = readCheckpoint(line, pending, state.frontier.size, origin)
          notes.push(checkpoint.note)
          state = {
            frontier: pending,
            position: { segment, offset: offset + start },
            checkpoint: checkpoint.text,
          }
          pending = pending.copy()
          unfinishedBytes = bytes.length - start
        } else {
          requireRecord(line, pending.size)
          pending.append(leafHash(line))
        }
      }
    }
  } catch (error) {
    if (!(error instanceof AgenticError)) throw error
    return { state, notes, unfinished: { bytes: unfinishedBytes, records: 0 }, problem: error }
  }
  return { state, notes, unfinished: { bytes: unfinishedBytes, records: pending.size - state.frontier.size } }
}

function readCheckpoint(line: Uint8Array, records: Frontier, sizeBefore: number, origin: string) {
  const text = parseLine(line, records.size)
  if (typeof text !== 'string') throw corrupt(records.size, 'a line is neither a record nor a checkpoint')
  const note = parseNote(text)
  const expected = checkpointText({ origin, size: records.size, root: records.root() })
  if (note.text !== expected) throw corrupt(records.size, 'a checkpoint does not match the records before it')
  if (records.size === sizeBefore) throw corrupt(records.size, 'a checkpoint covers no new record')
  return { text, note }
}

/** The root says that the bytes are those that were signed for; this only says which line is out of place. */
function requireRecord(line: Uint8Array, seq: number): void {
  const record = parseLine(line, seq)
  const inPlace = typeof record === 'object' && record !== null && 'seq' in record && record.seq === seq
  if (!inPlace) throw corrupt(seq, 'a record is missing or out of place')
}

/** A write that was interrupted ends anywhere, but never has another byte where a newline belongs: then a whole
 * line was there, perhaps acknowledged, and is damaged. */
function requireTorn(rest: Uint8Array, seq: number): void {
  let whole = true
  try {
    parseLine(rest.subarray(0, -1), seq)
  } catch {
    whole = false
  }
  if (whole) throw corrupt(seq, 'a line does not end in a newline')
}

function parseLine(line: Uint8Array, seq: number): unknown {
  try {
    return JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.length).toString('utf8'))
  } catch {
    throw corrupt(seq, 'a line cannot be read')
  }
}

function corrupt(seq: number, what: string): AgenticError {
  return new AgenticError('ERR_AUDIT_CORRUPT', `the audit log is damaged at record ${seq}: ${what}`)
}
