/** `baton runs`: what has been run here, or one run in full. */
import type { Runtime } from '../runtime.js'
import { exitCodes } from './exit-code.js'
import { type PlaceOptions, placeOf, withRuntime } from './place.js'
import { progressLine } from './progress.js'
import type { Write } from './run.js'
import { table } from './table.js'

export interface RunsFlags extends PlaceOptions {
  readonly json?: boolean
}

export async function runsCommand(
  runId: string | undefined,
  flags: RunsFlags,
  write: Write,
): Promise<number> {
  return withRuntime(placeOf(flags), async (runtime) => {
    if (runId === undefined) await listRuns(runtime, flags, write)
    else await showRun(runId, runtime, flags, write)
    return exitCodes.done
  })
}

async function listRuns(runtime: Runtime, flags: RunsFlags, write: Write): Promise<void> {
  const runs = await runtime.runs(50)
  if (flags.json) {
    const rows = runs.map(({ executionId, workflowId, status, startedAt, endedAt }) => ({
      run: executionId,
      workflow: workflowId,
      status,
      started_at: new Date(startedAt).toISOString(),
      ended_at: endedAt === undefined ? null : new Date(endedAt).toISOString(),
    }))
    write(JSON.stringify(rows))
    return
  }
  if (runs.length === 0) {
    write('no runs yet')
    return
  }
  const rows = runs.map((run) => [
    run.executionId,
    run.workflowId,
    run.status,
    new Date(run.startedAt).toISOString(),
    run.initiator.initiatedBy,
  ])
  write(table([['run', 'workflow', 'status', 'started', 'by'], ...rows]))
}

async function showRun(runId: string, runtime: Runtime, flags: RunsFlags, write: Write): Promise<void> {
  const { execution, steps, approvals, receipts } = await runtime.run(runId)
  const events = await runtime.events(runId)
  if (flags.json) {
    write(
      JSON.stringify({
        run: execution.executionId,
        workflow: execution.workflowId,
        status: execution.status,
        initiated_by: execution.initiator.initiatedBy,
        intent_hash: execution.intentHash,
        failure: execution.failure ?? null,
        steps,
        approvals: approvals.map(({ args: _args, jws: _jws, ...approval }) => approval),
        receipts,
        events: events.map(({ seq, at, type, step, data }) => ({ seq, at, type, step, data })),
      }),
    )
    return
  }
  write(
    `run ${execution.executionId} of ${execution.workflowId} ${execution.workflowVersion}: ${execution.status}`,
  )
  write(
    `by ${execution.initiator.initiatedBy} (${execution.initiator.auth.method}), intent ${execution.intentHash}`,
  )
  const rows = steps.map((step) => [
    step.step,
    step.agent ?? '(gate)',
    step.state,
    String(step.attempt),
    step.scope.join(' '),
    step.hops === 0 ? '' : String(step.hops),
    `${step.ms} ms`,
  ])
  write(`\n${table([['step', 'agent', 'state', 'attempt', 'token scope', 'hops', 'time'], ...rows])}\n`)
  for (const event of events) write(`${new Date(event.at).toISOString()}  ${progressLine(event, false)}`)
}
