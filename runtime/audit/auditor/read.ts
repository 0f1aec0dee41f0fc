/** Reads records back, for a console or a report. Proves nothing: verifyAuditLog does. */
import { readSegments } from './folder.js'
import { type AuditedRecord, cutLines, readLine } from './line.js'

/** The records under the last checkpoint, oldest first; lines that cannot be read are passed over.
 * @param options.executionId only the records of this execution
 * @throws Error when the folder holds no log that can be read */
export async function readAuditRecords(
  folder: string,
  options: { readonly executionId?: string } = {},
): Promise<AuditedRecord[]> {
  const found: AuditedRecord[] = []
  const wanted =
    options.executionId === undefined ? undefined : Buffer.from(JSON.stringify(options.executionId))
  for await (const segment of readSegments({ folder })) {
    let batch: AuditedRecord[] = []
    for (const { bytes, whole } of cutLines(segment)) {
      if (!whole) break
      if (bytes[0] === 0x22) {
        found.push(...batch)
        batch = []
        continue
      }
      // Most lines of a long log are of other executions: those are not worth parsing.
      if (wanted !== undefined && !asBuffer(bytes).includes(wanted)) continue
      const line = readLine(bytes)
      if (line.kind !== 'record') continue
      if (wanted === undefined || line.record.execution_id === options.executionId) batch.push(line.record)
    }
  }
  return found
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
