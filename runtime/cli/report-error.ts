/**
 * How a command that cannot go on says so: one sentence, one exit code, with --json one object. Whatever it is,
 * no token reaches a terminal or the log behind it, not even one that was typed in the wrong place.
 */
import { CommanderError } from 'commander'
import { isAgenticError } from '../errors.js'
import { exitCodeOfError, exitCodes, UsageError } from './exit-code.js'
import { printableLine } from './progress.js'

export interface ReportOptions {
  readonly json: boolean
  /** Prints where an error comes from, in code; see `traceOf`. */
  readonly debug: boolean
  readonly out: (line: string) => void
  readonly err: (line: string) => void
}

/** @returns the exit code */
export function reportError(error: unknown, options: ReportOptions): number {
  const help = error instanceof CommanderError && error.exitCode === 0
  if (help) return exitCodes.done
  const { code, message } = described(error)
  const exitCode = code === 'ERR_USAGE' ? exitCodes.usage : exitCodeOfError(error)
  const shown = printableLine(withoutTokens(message))
  // Commander has said its own sentence already.
  if (!(error instanceof CommanderError)) {
    options.err(`baton: ${shown}${isAgenticError(error) ? ` (${code})` : ''}`)
  }
  if (options.json) {
    const status = exitCode === exitCodes.refused ? 'refused' : 'failed'
    options.out(JSON.stringify({ status, error: { code, message: shown } }))
  }
  if (options.debug) options.err(traceOf(error))
  else if (code === 'ERR_UNEXPECTED') options.err('BATON_DEBUG=1 shows where it comes from')
  return exitCode
}

function described(error: unknown): { readonly code: string; readonly message: string } {
  if (isAgenticError(error)) return { code: error.code, message: error.message }
  if (error instanceof UsageError) return { code: 'ERR_USAGE', message: error.message }
  if (error instanceof CommanderError) {
    return { code: 'ERR_USAGE', message: error.message.replace(/^error: /, '') }
  }
  if (isSystemError(error)) return { code: error.code, message: systemSentence(error) }
  return { code: 'ERR_UNEXPECTED', message: 'something unexpected failed' }
}

interface SystemError {
  readonly code: string
  readonly path?: string
}

function isSystemError(error: unknown): error is Error & SystemError {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return false
  return typeof error.code === 'string' && /^[A-Z][A-Z0-9_]{0,39}$/.test(error.code)
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not do that',
  EPERM: 'this user may not do that',
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a file is where a folder should be',
  EEXIST: 'something is in its place',
  EISDIR: 'it is a folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
}

function systemSentence({ code, path }: SystemError): string {
  const what = path === undefined ? 'a file cannot be used' : `${path} cannot be used`
  return `${what}: ${reasons[code] ?? 'the system refused'} (${code})`
}

/** A text with every compact JWS in it, or its beginning, struck out. */
export function withoutTokens(text: string): string {
  return text.replace(/eyJ[\w-]*(?:\.[\w-]*)+/g, '…')
}

const maxCauses = 8

/**
 * For the debugger: the places an error and its causes passed through. Our own words are shown; of an error that is
 * not ours only the kind is, for its text may quote a prompt, a payload or a key, and output ends up in bug reports.
 */
function traceOf(error: unknown): string {
  const traces: string[] = []
  let next: unknown = error
  while (next !== undefined && traces.length < maxCauses) {
    const caused = traces.length === 0 ? '' : 'caused by '
    traces.push([`${caused}${headOf(next)}`, ...framesOf(next)].join('\n'))
    next = next instanceof Error ? next.cause : undefined
  }
  return traces.join('\n')
}

function headOf(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}`
  const name = nameOf(error)
  if (isAgenticError(error)) return `${name}: ${printableLine(withoutTokens(error.message))} (${error.code})`
  return isSystemError(error) ? `${name} (${error.code})` : name
}

/** Of its class: a `name` can be set to any text. */
function nameOf(error: Error): string {
  const { name } = error.constructor
  return /^\w{1,64}$/.test(name) ? name : 'Error'
}

/** The lines of a stack that name a place; the message before them may look like one, so it is cut out first. */
function framesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return []
  const { stack, message } = error
  const end = message === '' ? 0 : stack.indexOf(message) + message.length
  // A message that was changed after the stack was taken cannot be told from the frames.
  if (message !== '' && end < message.length) return []
  return stack
    .slice(end)
    .split('\n')
    .filter((line) => /^ {4}at [^\p{Cc}]*(?::\d+:\d+|<anonymous>|native)\)?$/u.test(line))
}
