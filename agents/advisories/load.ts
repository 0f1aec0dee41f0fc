/** Where advisories come from: the embedded facts, or a folder of OSV records. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AgenticError, type JsonValue } from '../../runtime/index.js'
import { type AdvisorySet, advisorySet } from './advisory-set.js'
import { type Advisory, parseOsvRecord } from './osv-record.js'

const maxFileBytes = 256 * 1024 * 1024

/** The advisories that come with the project: bare facts, see README.md in this folder.
 * @throws AgenticError ERR_TOOL_FAILED when the installation lacks them */
export async function embeddedAdvisories(): Promise<AdvisorySet> {
  // Beside the source, or, seen from the compiled module, in the package's own folder.
  for (const place of ['./osv-facts.json', '../../../agents/advisories/osv-facts.json']) {
    const text = await readFile(new URL(place, import.meta.url), 'utf8').catch(() => undefined)
    if (text === undefined) continue
    const records = JSON.parse(text) as readonly JsonValue[]
    return advisorySet(
      records.map((record, index) => parseOsvRecord(record, `embedded advisory ${index + 1}`)),
    )
  }
  const folder = fileURLToPath(new URL('.', import.meta.url))
  throw new AgenticError('ERR_TOOL_FAILED', `the embedded advisories are missing from ${folder}`)
}

/** Reads OSV records from a folder and the folders in it: `.json` files with one record (or an array of them) and
 * `.jsonl` files with one a line. They are used *instead of* the embedded ones. Links are not followed.
 * @throws AgenticError ERR_TOOL_FAILED naming the file and line; also when the folder holds no record at all
 */
export async function loadAdvisories(folder: string): Promise<AdvisorySet> {
  const records: Advisory[] = []
  for (const file of await filesBelow(folder)) {
    const name = relative(folder, file)
    if ((await stat(file)).size > maxFileBytes)
      throw failed(`advisory file ${name} is larger than ${maxFileBytes} bytes`)
    const text = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '')
    if (file.endsWith('.jsonl')) {
      text.split('\n').forEach((line, index) => {
        const where = `advisory file ${name} line ${index + 1}`
        if (line.trim() !== '') records.push(parseOsvRecord(parse(line, where), where))
      })
    } else {
      const value = parse(text, `advisory file ${name}`)
      const many = Array.isArray(value) ? (value as readonly JsonValue[]) : [value]
      records.push(...many.map((record) => parseOsvRecord(record, `advisory file ${name}`)))
    }
  }
  if (records.length === 0)
    throw failed('the advisories folder holds no .json or .jsonl file with OSV records')
  return advisorySet(records)
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch((error: unknown) => {
    throw new AgenticError('ERR_TOOL_FAILED', `the advisories folder ${folder} cannot be read`, {
      cause: error,
    })
  })
  return entries
    .filter((entry) => entry.isFile() && /\.jsonl?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

function parse(text: string, where: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    throw failed(`${where} is not valid JSON`)
  }
}

function failed(sentence: string): AgenticError {
  return new AgenticError('ERR_TOOL_FAILED', sentence)
}
