/** What a runtime tells of its runs: how one ended, and what each step did. */
import type { RunResult as EngineResult } from './engine/run.js'
import type { ActivationRow } from './execution/records.js'
import type { Parts } from './parts.js'
import type { RunDetail, RunResult, StepReport } from './runtime.js'

/** How the run ended is the engine's word: a store that failed may still say that it is running. */
export async function resultOf(ended: EngineResult, parts: Parts): Promise<RunResult> {
  const { steps } = await detailOf(ended.executionId, parts)
  return {
    run: ended.executionId,
    workflow: ended.workflow,
    status: ended.status,
    steps,
    output: ended.result ?? null,
    ...(ended.failure && { failure: ended.failure }),
    pending: ended.approvals,
  }
}

/** @see Runtime.run */
export async function detailOf(run: string, parts: Parts): Promise<RunDetail> {
  const { execution, activations, receipts, approvals } = await parts.store.executions.snapshot(run)
  return {
    execution,
    steps: [...activations].sort((a, b) => a.startedAt - b.startedAt).map((row) => stepReport(row, parts)),
    approvals,
    receipts: [...receipts].sort((a, b) => a.at - b.at).map((receipt) => receipt.jws),
  }
}

function stepReport(row: ActivationRow, parts: Parts): StepReport {
  return {
    step: row.step,
    ...(row.agentId !== undefined && { agent: row.agentId }),
    ...(row.agentChecksum !== undefined && { agentChecksum: row.agentChecksum }),
    state: row.state,
    scope: row.scope,
    hops: row.chain.length,
    attempt: row.attempt,
    ms: (row.endedAt ?? parts.clock.nowMs()) - row.startedAt,
    chain: row.chain,
  }
}
