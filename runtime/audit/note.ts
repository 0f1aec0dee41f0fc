/**
 * Signed notes (C2SP signed-note v1.0.0) with Ed25519: a text, an empty line, and one line per signature.
 * The form in which a log's checkpoints travel, and in which witnesses add their own signatures.
 */
import { decodeBase64url } from '../encoding/base64url.js'
import { sha256 } from '../encoding/digest.js'
import { AgenticError } from '../errors.js'
import type { PublicKey } from '../keys/public-key.js'
import type { SigningKey } from '../keys/signing-key.js'

const ed25519Type = 0x01
const keyIdBytes = 4
const signatureBytes = 64
const maxSignatures = 16

/** @returns the name of a key, which for a log is its origin
 * @throws TypeError when it is empty or holds white space, `+` or a control character */
export function requireKeyName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (typeof name !== 'string' || name === '' || /[\s+\u0000-\u001f\u007f\u0085]/u.test(name)) {
    throw new TypeError('a log origin is a name without white space, "+" or control characters')
  }
  return name
}

/** The first four bytes of SHA-256(name ‖ newline ‖ type ‖ public key). */
export function keyIdOf(name: string, key: PublicKey): Uint8Array {
  return sha256(Buffer.concat([Buffer.from(`${name}\n`), typedKey(key)])).subarray(0, keyIdBytes)
}

/** What a stranger needs to verify notes: `name+hex(key id)+base64(type ‖ public key)`. */
export function verifierKeyOf(name: string, key: PublicKey): string {
  const id = Buffer.from(keyIdOf(name, key)).toString('hex')
  return `${requireKeyName(name)}+${id}+${typedKey(key).toString('base64')}`
}

/** Signs a text.
 * @param text ends in a newline; no control character but newlines
 * @returns the note, ending in a newline
 * @throws TypeError */
export function signNote(text: string, name: string, key: SigningKey): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (!text.endsWith('\n') || /[\u0000-\u0009\u000b-\u001f]/.test(text)) {
    throw new TypeError('the text of a note ends in a newline and holds no other control character')
  }
  const signature = Buffer.concat([keyIdOf(name, key.publicKey), key.sign(text)]).toString('base64')
  return `${text}\n— ${requireKeyName(name)} ${signature}\n`
}

export interface SignedNote {
  readonly text: string
  readonly signatures: readonly {
    readonly name: string
    readonly keyId: Uint8Array
    readonly signature: Uint8Array
  }[]
}

/** Takes a note apart; proves nothing.
 * @throws AgenticError ERR_AUDIT_CORRUPT */
export function parseNote(note: string): SignedNote {
  const split = note.lastIndexOf('\n\n')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (split === -1 || !note.endsWith('\n') || /[\u0000-\u0009\u000b-\u001f]/.test(note)) throw malformed()
  const lines = note.slice(split + 2, -1).split('\n')
  if (lines.length > maxSignatures) throw malformed()
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignatureLine) }
}

/** Proves that a note is signed by this key. Signatures of unknown keys are ignored, as the format demands.
 * @throws AgenticError ERR_AUDIT_CORRUPT */
export function verifyNote(note: SignedNote, name: string, key: PublicKey): void {
  const keyId = Buffer.from(keyIdOf(name, key))
  const own = note.signatures.filter((line) => line.name === name && keyId.equals(line.keyId))
  if (own.length === 0) throw new AgenticError('ERR_AUDIT_CORRUPT', "a note without the log's signature")
  for (const line of own) {
    if (line.signature.length !== signatureBytes || !key.verify(note.text, line.signature)) {
      throw new AgenticError('ERR_AUDIT_CORRUPT', "the log's signature on a note does not hold")
    }
  }
}

function parseSignatureLine(line: string): SignedNote['signatures'][number] {
  const match = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line)
  const [, name, base64] = match ?? []
  if (name === undefined || base64 === undefined) throw malformed()
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.toString('base64') !== base64 || bytes.length <= keyIdBytes) throw malformed()
  return { name, keyId: bytes.subarray(0, keyIdBytes), signature: bytes.subarray(keyIdBytes) }
}

function typedKey(key: PublicKey): Buffer {
  return Buffer.concat([Buffer.of(ed25519Type), decodeBase64url(key.jwk.x)])
}

function malformed(): AgenticError {
  return new AgenticError('ERR_AUDIT_CORRUPT', 'a signed note is malformed')
}
