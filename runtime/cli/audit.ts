/** `baton audit verify`: reads the log again from its files, with code that shares nothing with its writer. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { verifyAuditLog } from '../audit/auditor/verify.js'
import { exitCodes, UsageError } from './exit-code.js'
import { type PlaceOptions, placeOf } from './place.js'
import type { Write } from './run.js'

export interface AuditFlags extends PlaceOptions {
  /** The verifier key (vkey) that the log must be signed with; default: the one kept beside the log. */
  readonly key?: string
  /** A file with a checkpoint kept from earlier, which the log must still extend. */
  readonly checkpoint?: string
  readonly json?: boolean
}

/** @returns the exit code: 0 the log verifies, 1 it does not */
export async function auditVerifyCommand(flags: AuditFlags, write: Write): Promise<number> {
  const place = placeOf(flags)
  const folder = join(place.state, 'audit')
  if (!existsSync(folder)) throw new UsageError(`there is no audit log in ${place.state}`)
  const trustedCheckpoint = flags.checkpoint && readCheckpoint(resolve(place.cwd, flags.checkpoint))
  const verdict = await verifyAuditLog(
    { folder },
    { ...(flags.key !== undefined && { vkey: flags.key }), ...(trustedCheckpoint && { trustedCheckpoint }) },
  )
  if (flags.json) {
    const { records, root, ok, firstBad } = verdict
    write(JSON.stringify({ records, root, ok, ...(firstBad && { first_bad: firstBad }) }))
  } else if (verdict.ok) {
    write(`${verdict.records} records, root ${verdict.root}: every record is under a signed checkpoint`)
    if (flags.key === undefined)
      write('checked against the key beside the log; give --key to hold it against one you trust')
    if (!trustedCheckpoint)
      write('give --checkpoint FILE to show that nothing was taken away since you kept it')
  } else {
    write(`THE LOG DOES NOT VERIFY: ${JSON.stringify(verdict.firstBad)}`)
  }
  return verdict.ok ? exitCodes.done : exitCodes.failed
}

function readCheckpoint(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new UsageError('--checkpoint must name a readable file that holds a signed note')
  }
}
