/**
 * Runs a workflow: compiles it, guards it, and drives it from start or resume to its end or to the next
 * question for a person. One call of `start` or `resume` is one segment, with one lease.
 *
 * E8 One writer per run: every write is fenced by the lease, and a writer that lost it ends nothing.
 * E9 A resumed run continues from what was committed; what was under way is a new attempt.
 */
import type { JsonObject, JsonValue } from '../encoding/canonical-json.js'
import { AgenticError } from '../errors.js'
import type { ApprovalRow, Failure, Initiator } from '../execution/records.js'
import type { Workflow } from '../workflow/definition.js'
import { failureOf, firstReason, isRefusal } from './failures.js'
import { buildGraph, type CompiledRun, inputChannel, outputChannel, type RunState } from './graph.js'
import { toolsForModel } from './model-tools.js'
import type { EngineDeps } from './ports.js'
import { openScope, type RunScope } from './scope.js'
import { secureRun } from './secure-run.js'
import { silently } from './silence.js'
import { requireInert } from './state-values.js'
import { type StepRecord, stepRecords } from './step-records.js'

export interface RunOptions {
  /**
   * Asked when a gate waits. True: the approval was decided meanwhile, with the authority; the run goes on
   * in this process. False or absent: the run pauses.
   */
  readonly onApproval?: (approval: ApprovalRow) => Promise<boolean>
  /** Cancels the run. */
  readonly signal?: AbortSignal
}

export interface StartRequest extends RunOptions {
  readonly workflow: Workflow
  /** Checked against the workflow's parameters. */
  readonly input: JsonObject
  readonly initiator: Initiator
  /** What was asked, in the initiator's words. */
  readonly request: string
  /** `scripted` or `provider:name`. */
  readonly driver: string
}

export interface ResumeRequest extends RunOptions {
  readonly executionId: string
  readonly workflow: Workflow
}

export type RunStatus = 'completed' | 'failed' | 'refused' | 'waiting'

export interface RunResult {
  readonly executionId: string
  readonly workflow: string
  readonly status: RunStatus
  /** The steps that agents completed, in the order they ended; also those of earlier segments. */
  readonly steps: readonly StepRecord[]
  /** The output of the workflow's `result` step, once completed. */
  readonly result?: JsonValue
  readonly failure?: Failure
  /** The questions it waits for. */
  readonly approvals: readonly ApprovalRow[]
}

/** A run under way. */
export interface EngineRun {
  readonly executionId: string
  /** Never rejects because of the run: what stopped it is in the result. */
  readonly result: Promise<RunResult>
}

export interface Engine {
  /** Resolves once the run is recorded. @throws AgenticError why it could not start; TypeError for tools a model cannot tell apart */
  start(request: StartRequest): Promise<EngineRun>
  /** Takes a paused or orphaned run over. @throws AgenticError ERR_WORKFLOW_CHANGED, ERR_AGENT_REVOKED, ERR_EXECUTION_ENDED, ERR_TOKEN_EXPIRED */
  resume(request: ResumeRequest): Promise<EngineRun>
}

export function createEngine(deps: EngineDeps): Engine {
  return {
    async start(request) {
      const { workflow, input, initiator, driver } = request
      requireReadable(input)
      requireModelTools(workflow, deps)
      const asked = { workflow, input, initiator, request: request.request, driver }
      const execution = await deps.authority.startExecution(asked)
      const scope = openScope(execution, workflow, deps)
      scope.events.add('run.started', {
        workflow: workflow.id,
        version: workflow.version,
        initiated_by: initiator.initiatedBy,
        driver,
      })
      return underWay(scope, request)
    },
    async resume(request) {
      const { workflow } = request
      requireModelTools(workflow, deps)
      const execution = await deps.authority.takeOver(request.executionId, workflow)
      const scope = openScope(execution, workflow, deps)
      const { activations, approvals } = await deps.executions.snapshot(
        execution.executionId,
        workflow.steps.map(({ id }) => id),
      )
      for (const { state, step, chain } of activations)
        if (state === 'completed') scope.chains.set(step, chain)
      for (const { approvalId } of approvals) scope.announced.add(approvalId)
      scope.events.add('run.resumed', { epoch: execution.epoch })
      return underWay(scope, request)
    },
  }
}

function underWay(scope: RunScope, options: RunOptions): EngineRun {
  const result = runSegment(scope, options)
  // Whoever started it may be interested in its events only.
  result.catch(() => undefined)
  return { executionId: scope.execution.executionId, result }
}

async function runSegment(scope: RunScope, options: RunOptions): Promise<RunResult> {
  const secured = secureRun(buildGraph(scope.workflow).compile({ checkpointer: scope.checkpointer }), scope)
  let outcome: Outcome
  try {
    outcome = await advance(secured.graph, scope, options)
  } catch (error) {
    outcome = outcomeOf(error, scope, options)
  }
  // A step that was cancelled may still be reporting so.
  await secured.idle()
  return conclude(outcome, scope)
}

type Outcome = Pick<RunResult, 'status' | 'result' | 'failure'>

/** Runs the graph until it ends or until somebody has to be asked who does not answer now. */
async function advance(graph: CompiledRun, scope: RunScope, options: RunOptions): Promise<Outcome> {
  const config = configFor(scope, options)
  let input = await firstInput(scope)
  for (;;) {
    scope.pending.clear()
    const given = input
    const state = await silently(() => graph.invoke(given, config))
    if (scope.pending.size === 0) return completed(state, scope)
    if (!(await askAll([...scope.pending.values()], options))) return { status: 'waiting' }
    // Not `Command({ resume })`: that answers whichever gate asks first. Each gate asks the authority itself.
    input = null
  }
}

async function askAll(questions: readonly ApprovalRow[], { onApproval }: RunOptions): Promise<boolean> {
  let decided = false
  if (onApproval) for (const question of questions) decided = (await onApproval(question)) || decided
  return decided
}

function configFor(scope: RunScope, { signal }: RunOptions): Record<string, unknown> {
  return {
    configurable: { thread_id: scope.execution.executionId },
    // A step is done when its writes and its receipt are durable, not before (E6).
    durability: 'sync',
    recursionLimit: scope.workflow.steps.length + 8,
    maxConcurrency: scope.deps.maxConcurrency ?? 8,
    ...(signal && { signal }),
  }
}

/** The run's input for a run that has no checkpoint yet; null to go on from the last one (E9). */
async function firstInput({ checkpointer, execution }: RunScope): Promise<RunState | null> {
  const saved = await checkpointer.getTuple({
    configurable: { thread_id: execution.executionId, checkpoint_ns: '' },
  })
  return saved === undefined ? { [inputChannel]: execution.input } : null
}

function completed(state: RunState, { workflow }: RunScope): Outcome {
  if ('__interrupt__' in state) {
    return {
      status: 'failed',
      failure: { code: 'ERR_STEP_FAILED', message: 'the run paused without a question' },
    }
  }
  const result: unknown = state[outputChannel(workflow.result)] ?? null
  return { status: 'completed', result: JSON.parse(JSON.stringify(result)) as JsonValue }
}

function outcomeOf(error: unknown, scope: RunScope, { signal }: RunOptions): Outcome {
  const reason = signal?.aborted
    ? new AgenticError('ERR_CANCELLED', 'the run was cancelled')
    : firstReason(error)
  return {
    status: statusOf(reason),
    failure: failureOf(reason, scope.failedStep),
  }
}

function statusOf(reason: AgenticError): 'refused' | 'failed' {
  return isRefusal(reason.code) ? 'refused' : 'failed'
}

/** Has the end recorded; the authority refuses that to a writer who lost the run to another (E8). */
async function conclude(outcome: Outcome, scope: RunScope): Promise<RunResult> {
  const { deps, execution, workflow, lease } = scope
  let ended = outcome
  try {
    await deps.authority.endExecution(lease, outcome)
  } catch (error) {
    ended = unrecorded(outcome, firstReason(error))
  }
  scope.events.add(`run.${ended.status}`, endData(ended, scope))
  await scope.events.written().catch((error: unknown) => {
    if (!ended.failure) throw error
  })
  const { activations } = await deps.executions.snapshot(
    execution.executionId,
    workflow.steps.map(({ id }) => id),
  )
  return {
    executionId: execution.executionId,
    workflow: workflow.id,
    steps: stepRecords(activations),
    approvals: ended.status === 'waiting' ? [...scope.pending.values()] : [],
    ...ended,
  }
}

/** A run whose end is not recorded has not succeeded. The first failure stays the reason, yet the second may explain it. */
function unrecorded({ status, failure }: Outcome, reason: AgenticError): Outcome {
  if (!failure) return { status: statusOf(reason), failure: failureOf(reason) }
  if (failure.code === reason.code) return { status, failure }
  const message = `${failure.message}; its end could not be recorded either: ${reason.message}`
  return { status, failure: { ...failure, message } }
}

function endData({ status, failure }: Outcome, scope: RunScope): JsonObject {
  if (failure)
    return { code: failure.code, message: failure.message, ...(failure.step && { step: failure.step }) }
  return status === 'waiting'
    ? { approvals: [...scope.pending.values()].map(({ approvalId }) => approvalId) }
    : {}
}

function requireReadable(input: JsonObject): void {
  try {
    requireInert(input)
  } catch (cause) {
    throw new AgenticError(
      'ERR_INPUT_INVALID',
      'the input holds data that would be read back as something else',
      {
        cause,
      },
    )
  }
}

/** Tools that a model could not tell apart are found before the run, not in the middle of it. */
function requireModelTools(workflow: Workflow, { agents, model }: EngineDeps): void {
  if (!model) return
  for (const step of workflow.steps)
    if (step.kind === 'agent') toolsForModel(agents.agent(step.agent).manifest())
}
