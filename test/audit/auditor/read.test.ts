import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAuditRecords } from '../../../runtime/audit/auditor/read.js'
import { fileAuditStorage } from '../../../runtime/audit/file-storage.js'
import { entry, logFolder, openLog } from '../../support/audit-logs.js'

async function makeFolder(): Promise<string> {
  const folder = logFolder()
  const log = await openLog(fileAuditStorage(folder))
  await log.append(entry('1', { execution_id: 'run-1' }))
  await log.append(entry('2', { execution_id: 'run-2' }))
  // Names another execution without being a record of it.
  await log.append(entry('3', { execution_id: 'run-2', subjects: { forked_from: 'run-1' } }))
  await log.append(entry('4', { execution_id: 'run-1' }))
  await log.close()
  return folder
}

describe('reading records', () => {
  it('gives those of one execution, in order', async () => {
    const records = await readAuditRecords(await makeFolder(), { executionId: 'run-1' })
    expect(records.map((record) => record.seq)).toEqual([0, 3])
  })

  it('gives all of them when no execution is named', async () => {
    expect(await readAuditRecords(await makeFolder())).toHaveLength(4)
  })

  it('leaves out what is not yet under a checkpoint', async () => {
    const folder = await makeFolder()
    const line = '{"actor":"a","data":{},"seq":4,"time":0,"type":"a.b","v":1}\n'
    appendFileSync(join(folder, '00000000.log'), line)
    expect(await readAuditRecords(folder)).toHaveLength(4)
  })

  it('of a folder without a log fails', async () => {
    await expect(readAuditRecords(logFolder())).rejects.toThrow('there is no log in this folder')
  })
})
