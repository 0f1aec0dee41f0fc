/** How a command that cannot go on says so: one sentence, one exit code, with --json one object. */
import { CommanderError } from 'commander'
import { isAgenticError } from '../errors.js'
import { exitCodeOfError, exitCodes, UsageError } from './exit-code.js'
import { printableLine } from './progress.js'

export interface ReportOptions {
  readonly json: boolean
  /** Prints where an error comes from. */
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
  const shown = printableLine(message)
  // Commander has said its own sentence already.
  if (!(error instanceof CommanderError)) {
    options.err(`baton: ${shown}${isAgenticError(error) ? ` (${code})` : ''}`)
  }
  if (options.json) {
    const status = exitCode === exitCodes.refused ? 'refused' : 'failed'
    options.out(JSON.stringify({ status, error: { code, message: shown } }))
  }
  if (options.debug) options.err(error instanceof Error ? String(error.stack) : String(error))
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
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
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
