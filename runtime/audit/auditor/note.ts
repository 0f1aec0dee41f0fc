/** The auditor's own reading of signed checkpoints (C2SP signed-note and tlog-checkpoint v1.0.0, Ed25519). */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'

/** A key that the auditor believes, from its text form `name+hex(key id)+base64(type ‖ key)`. */
export interface VerifierKey {
  readonly name: string
  readonly id: string
  readonly key: KeyObject
}

export interface AuditedCheckpoint {
  readonly origin: string
  readonly size: number
  /** Standard base64, as it stands on the checkpoint. */
  readonly root: string
}

export type CheckpointReading =
  | { readonly ok: true; readonly checkpoint: AuditedCheckpoint }
  | { readonly ok: false; readonly reason: string }

const ed25519 = '01'
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** @returns undefined when the text is no Ed25519 verifier key, or its key id is not that of its key */
export function readVerifierKey(text: string): VerifierKey | undefined {
  const [, name, id, base64] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text.trim()) ?? []
  if (name === undefined || id === undefined || base64 === undefined) return undefined
  const typed = Buffer.from(base64, 'base64')
  if (typed.length !== 33 || typed.subarray(0, 1).toString('hex') !== ed25519) return undefined
  if (createHash('sha256').update(`${name}\n`).update(typed).digest('hex').slice(0, 8) !== id)
    return undefined
  try {
    const der = Buffer.concat([spkiPrefix, typed.subarray(1)])
    return { name, id, key: createPublicKey({ key: der, format: 'der', type: 'spki' }) }
  } catch {
    return undefined
  }
}

/** Verifies a note under a key, then reads its text as a checkpoint of that key's log; never throws. */
export function readCheckpoint(note: string, verifier: VerifierKey): CheckpointReading {
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) return bad('a checkpoint is not a signed note')
  const text = note.slice(0, end + 1)
  let held = 0
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const [, name, base64] = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line) ?? []
    if (name === undefined || base64 === undefined)
      return bad('a signature line of a checkpoint is malformed')
    const bytes = Buffer.from(base64, 'base64')
    if (bytes.toString('base64') !== base64) return bad('a signature line of a checkpoint is malformed')
    if (name !== verifier.name || bytes.subarray(0, 4).toString('hex') !== verifier.id) continue
    if (!verify(null, Buffer.from(text, 'utf8'), verifier.key, bytes.subarray(4))) {
      return bad('the signature of a checkpoint does not hold')
    }
    held++
  }
  if (held === 0) return bad("a checkpoint is not signed by the log's key")
  const [origin = '', size = '', root = '', ...rest] = text.split('\n')
  if (rest.pop() !== '' || rest.includes('') || origin === '' || !/^(0|[1-9]\d*)$/.test(size)) {
    return bad('the text of a checkpoint is malformed')
  }
  if (!Number.isSafeInteger(Number(size)) || Buffer.from(root, 'base64').length !== 32) {
    return bad('the text of a checkpoint is malformed')
  }
  return { ok: true, checkpoint: { origin, size: Number(size), root } }
}

function bad(reason: string): CheckpointReading {
  return { ok: false, reason }
}
