/** The auditor's own way to the bytes of a log that lies in a folder. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export type LogSource = { readonly folder: string } | { readonly bytes: Uint8Array }

/** The segments of a log, oldest first, one at a time.
 * @throws Error with a sentence fit for a report, when a segment is missing or cannot be read */
export async function* readSegments(source: LogSource): AsyncGenerator<Uint8Array> {
  if ('bytes' in source) {
    yield source.bytes
    return
  }
  const names = await listSegments(source.folder)
  for (const [index, name] of names.entries()) {
    if (name !== `${String(index).padStart(8, '0')}.log`) throw new Error('a segment of the log is missing')
    yield await readFile(join(source.folder, name)).catch(() => {
      throw new Error(`the segment ${name} cannot be read`)
    })
  }
}

/** The verifier key that lies beside a log: whoever can replace the log can replace it too. */
export async function readKeyBeside(source: LogSource): Promise<string | undefined> {
  if ('bytes' in source) return undefined
  return readFile(join(source.folder, 'verifier.vkey'), 'utf8').catch(() => undefined)
}

async function listSegments(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => {
    throw new Error('there is no log in this folder')
  })
  return names.filter((name) => /^\d{8}\.log$/.test(name)).sort()
}
