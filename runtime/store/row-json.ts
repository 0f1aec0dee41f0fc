/**
 * Rows as text. Written canonical and read strictly, with the same bounds, so that what was written can be
 * read and nothing else is believed.
 */
import { canonicalize } from '../encoding/canonical-json.js'
import { parseJsonObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'

/** UTF-16 units of one row. */
const maxRowLength = 32 * 1024 * 1024

/** @throws AgenticError ERR_JSON_NOT_CANONICAL, ERR_STORE_FAILED (too large) */
export function encodeRow(row: object): string {
  const text = canonicalize(row)
  if (text.length > maxRowLength) {
    throw new AgenticError(
      'ERR_STORE_FAILED',
      `a row may have ${maxRowLength} characters, found ${text.length}`,
    )
  }
  return text
}

/** Reads a row that `encodeRow` wrote; each call gives a copy of its own.
 * @param key the property by which the row was found, and the value it must therefore have
 * @throws AgenticError ERR_STORE_FAILED when the text is not such a row
 */
export function decodeRow<T extends object>(text: string, key: keyof T & string, value: string): T {
  let row: object
  try {
    row = parseJsonObject(text, { maxBytes: maxRowLength })
  } catch (cause) {
    throw new AgenticError('ERR_STORE_FAILED', 'the store holds a damaged row', { cause })
  }
  if ((row as T)[key] !== value) {
    throw new AgenticError('ERR_STORE_FAILED', 'the store holds a row under a name that is not its own')
  }
  return row as T
}
