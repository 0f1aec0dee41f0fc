/** File system errors as one sentence for people. */
import { AgenticError } from '../../runtime/index.js'

/** The `code` of a file system error, e.g. `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** An error of ours stays; any other becomes ERR_TOOL_FAILED with a sentence.
 * @param file relative path, as a message may show it */
export function fileError(error: unknown, file: string): AgenticError {
  if (error instanceof AgenticError) return error
  return new AgenticError('ERR_TOOL_FAILED', sentence(systemCode(error), file), { cause: error })
}

function sentence(code: string | undefined, file: string): string {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `the disk is full, ${file} cannot be written`
    case 'EROFS':
      return `the file system is read-only, ${file} cannot be written`
    case 'EACCES':
    case 'EPERM':
      return `${file} or its folder is not accessible to this user`
    case 'ELOOP':
      return `${file} is or lies behind a symbolic link, which is not followed`
    case 'ENOENT':
      return `${file} is gone`
    case 'ENOTDIR':
      return `${file} lies in something that is no folder`
    case 'EISDIR':
      return `${file} is a folder, not a file`
    default:
      return `${file} cannot be used (${code ?? 'unknown error'})`
  }
}
