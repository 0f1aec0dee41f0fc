/**
 * base64url without padding (RFC 4648 §5, RFC 7515 §2), one spelling per byte string: what decodes here
 * encodes back to the same text, so two different tokens never carry the same bytes.
 */
import { AgenticError } from '../errors.js'

/** Encodes bytes, or the UTF-8 bytes of a text. */
export function encodeBase64url(data: Uint8Array | string): string {
  if (typeof data === 'string') return Buffer.from(data, 'utf8').toString('base64url')
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64url')
}

/** Decodes strictly: no padding, no white space, no other alphabet, no stray bits in the last character.
 * @returns bytes of their own, not a view of a shared pool
 * @throws AgenticError ERR_BASE64URL_INVALID
 * @see PROTOCOL 4
 */
export function decodeBase64url(text: string): Uint8Array {
  return new Uint8Array(viewBase64url(text))
}

/** The same without the copy, which costs more than the decoding: a view of a pool that other buffers share,
 * for bytes that are read at once and not passed on.
 * @throws AgenticError ERR_BASE64URL_INVALID */
export function viewBase64url(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url')
  // Node skips what it does not know; comparing the re-encoding catches that, padding and stray bits at once.
  if (bytes.toString('base64url') !== text) {
    throw new AgenticError('ERR_BASE64URL_INVALID', 'expected base64url without padding or stray bits')
  }
  return bytes
}
