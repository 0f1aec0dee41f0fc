/** What agent steps and gates have in common: an activation round their work, and a receipt at its end. */
import { isGraphBubbleUp } from '@langchain/langgraph'
import type { JsonObject } from '../encoding/canonical-json.js'
import { AgenticError } from '../errors.js'
import type { RunEventType } from '../execution/events.js'
import type { ActivationRow } from '../execution/records.js'
import { evaluateCondition, type RunData } from '../workflow/condition.js'
import type { Step } from '../workflow/definition.js'
import type { StepOutcome } from './authority-port.js'
import { failureOf, stepError } from './failures.js'
import { dataOf, outputChannel, type RunState } from './graph.js'
import type { RunScope } from './scope.js'
import type { NodeCall } from './secure.js'
import { type StateValue, settleValue, valueDigest, writesDigest } from './state-values.js'

/** A step whose activation is live. */
export interface LiveStep<S extends Step = Step> {
  readonly step: S
  readonly scope: RunScope
  readonly call: NodeCall
  readonly activation: ActivationRow
  /** The run's input, and the outputs of the steps that have ended; frozen. */
  readonly data: RunData
}

/**
 * Opens the activation, does the work in it, and reports a failure of either. A step whose condition is
 * false is skipped: it gets its receipt, and nothing acts in it.
 * @returns what the step writes to the state
 * @throws AgenticError the reason the step failed; LangGraph's own error when a gate waits
 */
export async function withActivation<S extends Step>(
  call: NodeCall,
  step: S,
  scope: RunScope,
  work: (live: LiveStep<S>) => Promise<RunState>,
): Promise<RunState> {
  const { authority } = scope.deps
  const place = { workflow: scope.workflow, step: step.id, iteration: 0, item: 0 }
  let activation: ActivationRow | undefined
  try {
    activation = await authority.activate(scope.lease, place)
    const live = { step, scope, call, activation, data: dataOf(call.state as RunState, scope.workflow) }
    if (step.when !== undefined && !evaluateCondition(step.when, live.data)) {
      return await finish(live, { input: null, output: null, tokens: [], calls: [], skipped: true })
    }
    scope.events.add('step.started', eventData(activation), step.id)
    return await work(live)
  } catch (error) {
    if (typeof error === 'object' && error !== null && isGraphBubbleUp(error)) throw error
    const reason = stepError(step.id, error)
    await reportFailure(step, activation, reason, scope)
    throw reason
  }
}

export interface FinishedWork extends Pick<StepOutcome, 'tokens' | 'calls' | 'skipped'> {
  readonly input: unknown
  readonly output: unknown
}

/** Hands the receipt to the checkpointer, which commits it together with what is returned here. */
export async function finish(live: LiveStep, work: FinishedWork): Promise<RunState> {
  const { step, scope, call, activation } = live
  const channel = outputChannel(step.id)
  const output = await settleOutput(live, work.output)
  const receipt = scope.deps.authority.prepareReceipt(scope.lease, activation, {
    inputDigest: await valueDigest(work.input ?? null, scope.serializer),
    outputDigest: output.digest,
    writesDigest: writesDigest([[channel, output.digest]]),
    tokens: work.tokens,
    calls: work.calls,
    ...(work.skipped === true && { skipped: true }),
  })
  await scope.events.written()
  if (call.signal?.aborted) throw new AgenticError('ERR_CANCELLED', `step "${step.id}" was cancelled`)
  const told: RunEventType = work.skipped === true ? 'step.skipped' : 'step.completed'
  scope.receipts.put(call.taskId, {
    steps: receipt.steps,
    decide: receipt.decide,
    async committed() {
      await receipt.committed()
      const ms = scope.deps.clock.nowMs() - activation.startedAt
      scope.events.add(told, { ...eventData(activation), ms }, step.id)
    },
  })
  return { [channel]: output.value }
}

async function settleOutput({ step, scope }: LiveStep, output: unknown): Promise<StateValue> {
  try {
    return await settleValue(output, scope.serializer)
  } catch (cause) {
    throw new AgenticError('ERR_STEP_FAILED', `step "${step.id}" returned what cannot be kept as state`, {
      cause,
    })
  }
}

/** The first reason counts: that it could not be reported, too, is seen when the run ends. */
async function reportFailure(
  step: Step,
  activation: ActivationRow | undefined,
  reason: AgenticError,
  scope: RunScope,
): Promise<void> {
  if (reason.code !== 'ERR_CANCELLED') scope.failedStep ??= step.id
  scope.events.add('step.failed', { code: reason.code, message: reason.message }, step.id)
  if (activation === undefined) return
  const { activationId } = activation
  const failure = failureOf(reason, step.id)
  await scope.deps.authority
    .endActivation(scope.lease, { activationId, step: step.id, state: 'failed', failure })
    .catch(() => undefined)
}

export function eventData(activation: ActivationRow): JsonObject {
  return {
    activation_id: activation.activationId,
    attempt: activation.attempt,
    ...(activation.agentId !== undefined && { agent: activation.agentId }),
  }
}
