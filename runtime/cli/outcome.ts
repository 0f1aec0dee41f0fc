/** What a finished run is shown as: the report, the table of steps, the audit verdict; or one JSON object. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifyAuditLog } from '../audit/auditor/verify.js'
import type { JsonValue } from '../encoding/canonical-json.js'
import type { Program } from '../program.js'
import type { RunResult, Runtime } from '../runtime.js'
import { exitCodeOfStatus } from './exit-code.js'
import type { Place } from './place.js'
import { type Format, printable, printableLine } from './progress.js'
import { table } from './table.js'

export interface AuditVerdict {
  readonly records: number
  readonly root: string
  readonly verified: boolean
}

/** Reads the log again from its files, by code that shares nothing with its writer. */
export async function auditVerdict(place: Place, runtime: Runtime): Promise<AuditVerdict> {
  const { verifierKey, checkpoint } = runtime.audit()
  const verdict = await verifyAuditLog(
    { folder: join(place.state, 'audit') },
    { vkey: verifierKey, ...(checkpoint !== undefined && { trustedCheckpoint: checkpoint }) },
  )
  return { records: verdict.records, root: verdict.root, verified: verdict.ok }
}

/** Prints a run's outcome. @returns the exit code */
export async function showOutcome(
  result: RunResult,
  program: Program,
  place: Place,
  runtime: Runtime,
  format: Format,
  write: (line: string) => void,
): Promise<number> {
  const audit = await auditVerdict(place, runtime)
  const report = result.status === 'completed' && program.report ? program.report(result.output) : undefined
  if (report !== undefined) saveReport(place, result.run, report)
  if (format === 'json') write(JSON.stringify(outcomeJson(result, program, audit)))
  else showWords(result, report, program, audit, write)
  if (!audit.verified) return exitCodeOfStatus('failed')
  return exitCodeOfStatus(result.status)
}

function showWords(
  result: RunResult,
  report: string | undefined,
  program: Program,
  audit: AuditVerdict,
  write: (line: string) => void,
): void {
  if (report !== undefined) write(`\n${printable(report).trimEnd()}`)
  write(`\n${stepTable(result, program)}`)
  write(`\nrun ${result.run}: ${result.status}`)
  if (result.failure) write(`  ${result.failure.code}: ${printableLine(result.failure.message)}`)
  for (const approval of result.pending) {
    write(`  waits for approval of "${approval.gate}": baton approve ${result.run} ${approval.gate}`)
    write(`  and then: baton resume ${result.run}`)
  }
  write(
    audit.verified
      ? `audit: ${audit.records} records under a signed checkpoint, verified (root ${audit.root})`
      : 'audit: THE LOG DOES NOT VERIFY; run "baton audit verify"',
  )
}

function stepTable(result: RunResult, program: Program): string {
  const gates = gatesOf(program)
  const rows = result.steps.map((step) => [
    step.step,
    gates.has(step.step) ? '(gate)' : (step.agent ?? ''),
    step.agentChecksum?.slice(0, 'sha256:'.length + 12) ?? '',
    step.scope.join(' '),
    step.hops === 0 ? '' : String(step.hops),
    String(step.attempt),
    step.state,
    `${step.ms} ms`,
  ])
  return table([['step', 'agent', 'checksum', 'token scope', 'hops', 'attempt', 'state', 'time'], ...rows])
}

/** The object for scripts. Gates are no agent's steps; they stand under `gates`. A step not begun is in neither. */
export function outcomeJson(result: RunResult, program: Program, audit: AuditVerdict): JsonValue {
  const completed = result.status === 'completed'
  const gates = gatesOf(program)
  return {
    run: result.run,
    workflow: result.workflow,
    status: result.status,
    steps: result.steps
      .filter((step) => step.agent !== undefined)
      .map((step) => ({
        step: step.step,
        agent: step.agent ?? null,
        agent_checksum: step.agentChecksum ?? null,
        scope: step.scope.join(' '),
        hops: step.hops,
        attempt: step.attempt,
        ms: step.ms,
        state: step.state,
      })),
    gates: result.steps
      .filter((step) => gates.has(step.step))
      .map(({ step, state, attempt, ms }) => ({ step, state, attempt, ms })),
    result: completed ? (program.summary?.(result.output) ?? result.output) : null,
    ...(result.failure && { failure: { ...result.failure } }),
    ...(result.pending.length > 0 && { waiting_for: result.pending.map((approval) => approval.gate) }),
    audit: { ...audit },
  }
}

/** The names of a program's gates. */
export function gatesOf(program: Program): ReadonlySet<string> {
  return new Set(program.workflow.steps.filter((step) => step.kind === 'gate').map((step) => step.id))
}

function saveReport(place: Place, run: string, report: string): void {
  const folder = join(place.state, 'reports')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, `${run}.md`), report, { mode: 0o600 })
}
