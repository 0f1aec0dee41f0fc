/**
 * Foreign test vectors are not part of this project. The suites that use them run wherever the folder is
 * found (`BATON_VECTORS`, or `../shared/vectors` beside the checkout), say so when it is not, and fail
 * when it is missing although `BATON_REQUIRE_VECTORS=1`.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const beside = fileURLToPath(new URL('../../../shared/vectors', import.meta.url))
const folder = process.env['BATON_VECTORS'] ?? beside

/** @returns the path of a vector file or folder, undefined when there is none */
export function vectors(path: string): string | undefined {
  const found = join(folder, path)
  if (existsSync(found)) return found
  if (process.env['BATON_REQUIRE_VECTORS'] === '1') {
    throw new Error(`foreign vectors are required but "${path}" was not found; set BATON_VECTORS`)
  }
  process.stdout.write(`foreign vectors "${path}" not found: their suite does not run\n`)
  return undefined
}
