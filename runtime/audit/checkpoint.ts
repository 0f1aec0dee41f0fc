/** The text of a checkpoint (C2SP tlog-checkpoint v1.0.0): which log, how many records, and their root. */
import { AgenticError } from '../errors.js'

export interface Checkpoint {
  readonly origin: string
  /** Number of records. */
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
}

/** Three lines, each ended by a newline; we write no extension lines. */
export function checkpointText(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${Buffer.from(checkpoint.root).toString('base64')}\n`
}

/** Reads the text of a checkpoint; extension lines are passed over, as the format demands.
 * @throws AgenticError ERR_AUDIT_CORRUPT */
export function parseCheckpointText(text: string): Checkpoint {
  const [origin, size, root, ...more] = text.split('\n')
  const wellFormed =
    more.at(-1) === '' &&
    more.slice(0, -1).every((line) => line !== '') &&
    origin !== undefined &&
    origin !== '' &&
    size !== undefined &&
    /^(0|[1-9][0-9]{0,15})$/.test(size) &&
    Number.isSafeInteger(Number(size)) &&
    root !== undefined
  const bytes = Buffer.from(root ?? '', 'base64')
  if (!wellFormed || bytes.length !== 32 || bytes.toString('base64') !== root) {
    throw new AgenticError('ERR_AUDIT_CORRUPT', 'the text of a checkpoint is malformed')
  }
  return { origin, size: Number(size), root: new Uint8Array(bytes) }
}
