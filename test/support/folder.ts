import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

const made: string[] = []

/** A new folder, its real path, that is gone after the last test of the file. */
export function folderOfThisFile(name: string): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `baton-${name}-`)))
  made.push(folder)
  return folder
}

afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true })
})
