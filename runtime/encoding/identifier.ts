/** The identifiers of PROTOCOL 1: safe in a path, a log line, a file name and an object key. */
import { AgenticError } from '../errors.js'

const identifier = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/
const toolName = /^(?=.{1,128}$)[A-Za-z0-9][A-Za-z0-9._:-]*(?:\/[A-Za-z0-9][A-Za-z0-9._:-]*)*$/

/** True for `[A-Za-z0-9][A-Za-z0-9._:-]{0,127}`. */
export function isIdentifier(text: unknown): text is string {
  return typeof text === 'string' && identifier.test(text)
}

/** True for one or more identifiers joined by `/`, at most 128 characters in all. */
export function isToolName(text: unknown): text is string {
  return typeof text === 'string' && toolName.test(text)
}

/** @param what the name of the thing for the message, as in `agent id`
 * @throws AgenticError ERR_ID_INVALID; the message does not repeat the text */
export function requireIdentifier(text: unknown, what: string): string {
  if (isIdentifier(text)) return text
  throw new AgenticError(
    'ERR_ID_INVALID',
    `${what}: expected 1 to 128 of A-Z a-z 0-9 . _ : -, the first a letter or digit`,
  )
}
