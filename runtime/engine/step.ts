/**
 * The walk of one step (README, How a step runs).
 *
 * E4 An agent's code runs only in a live activation, after its identity was verified again and its
 *    delegator signed what it may do.
 * E5 What an agent throws never steers the graph: LangGraph knows its own errors by marks that anybody can set.
 * E6 A step's output and its receipt are committed together, once.
 * E7 The context is dead before the step's result is looked at.
 */
import { nowSeconds } from '../clock.js'
import { decodeAssertion } from '../delegation/assertion.js'
import { AgenticError, type ErrorCode, isAgenticError } from '../errors.js'
import type { LiveAgent } from '../identity/live-agent.js'
import type { Registration } from '../identity/registration.js'
import { verifyIdentity } from '../identity/verify-identity.js'
import { createContext } from '../isolation/context.js'
import type { AgentStep } from '../workflow/definition.js'
import { stepInput } from '../workflow/mapping.js'
import { createDeadline } from './deadline.js'
import { isRefusal } from './failures.js'
import type { NodeResult, NodeWork, RunState } from './graph.js'
import { systemTimers } from './model-call.js'
import { canBeDriven, driveWithModel } from './model-loop.js'
import type { RunScope } from './scope.js'
import type { NodeCall } from './secure.js'
import { type FinishedWork, finish, type LiveStep, withActivation } from './step-activation.js'
import { obtainAuthority } from './step-authority.js'

/** An agent that has just been shown to be what is registered. */
interface VerifiedAgent {
  readonly agent: LiveAgent
  readonly registration: Registration
}

/** @throws AgenticError what stopped the step; it is reported already */
export function walkStep(
  call: NodeCall,
  step: AgentStep,
  scope: RunScope,
  invokeInner: (work: NodeWork) => Promise<unknown>,
): Promise<RunState> {
  return withActivation(call, step, scope, async (live) => {
    const verified = await verifyAgent(live)
    const held = await obtainAuthority(live, verified.registration)
    const work = await runAgent({ ...live, activation: held }, verified, invokeInner)
    return finish({ ...live, activation: held }, work)
  })
}

/** @throws AgenticError ERR_AGENT_UNKNOWN, ERR_AGENT_REVOKED, ERR_AGENT_CHECKSUM_MISMATCH */
async function verifyAgent({ step, scope, activation }: LiveStep<AgentStep>): Promise<VerifiedAgent> {
  const { agents } = scope.deps
  if (activation.registrationId === undefined) {
    throw new AgenticError('ERR_AGENT_UNKNOWN', `step "${step.id}" has no registered agent`)
  }
  const registration = await agents.registration(activation.registrationId)
  const agent = agents.agent(step.agent)
  verifyIdentity(agent, registration, nowSeconds(scope.deps.clock))
  return { agent, registration }
}

/** Runs the agent's code inside its node, with a context that ends when it does. */
async function runAgent(
  live: LiveStep<AgentStep>,
  { agent, registration }: VerifiedAgent,
  invokeInner: (work: NodeWork) => Promise<unknown>,
): Promise<FinishedWork> {
  const { step, scope, activation, call, data } = live
  const { deps, events } = scope
  const input = Object.freeze(stepInput(scope.workflow, step, data))
  const timeoutMs = step.timeoutSeconds === undefined ? undefined : step.timeoutSeconds * 1000
  const deadline = createDeadline(step.id, timeoutMs, call.signal, deps.timers ?? systemTimers)
  const { signal } = deadline
  const refusals = createRefusals(live)
  const client = deps.clients.open({
    activation,
    workflow: { id: scope.workflow.id },
    agentKey: deps.agents.keyOf(registration, decodeAssertion(activation.chain.at(-1) ?? '').jwk),
    input,
    signal,
  })
  const opened = createContext({
    run: { id: scope.execution.executionId, workflow: scope.workflow.id },
    step: { id: step.id, activation: activation.activationId, attempt: activation.attempt },
    tools: agent.definition.tools,
    client,
    signal,
    log: (message) => events.add('agent.log', { message }, step.id),
    called: ({ tool }) =>
      events.add('tool.called', { tool, activation_id: activation.activationId }, step.id),
    refused: refusals.report,
  })
  const { model } = deps
  const run = () =>
    model && canBeDriven(agent)
      ? driveWithModel({
          agent,
          model: model.chat,
          context: opened.context,
          input,
          calls: opened.calls,
          ...(model.limits && { limits: model.limits }),
          ...(deps.timers && { timers: deps.timers }),
        })
      : agent.definition.run(opened.context, input)

  let output: unknown
  try {
    const result = (await deadline.race(invokeInner({ run }))) as NodeResult
    deadline.requireTime()
    output = result.value
  } catch (error) {
    throw ofAgent(step, error)
  } finally {
    opened.end()
    deadline.clear()
  }
  refusals.requireReported()
  const { tokens, calls } = client.ledger()
  return { input, output, tokens, calls }
}

/** Refusals by policy go into the log before the agent learns of them; other errors are between it and its tool. */
function createRefusals({ step, scope, activation }: LiveStep<AgentStep>) {
  const known = new Set(scope.deps.agents.agent(step.agent).definition.tools.map(({ name }) => name))
  let unreported: { readonly error: unknown } | undefined
  return {
    async report({ tool, code }: { readonly tool: string; readonly code: ErrorCode }): Promise<void> {
      if (!isRefusal(code)) return
      const { activationId } = activation
      // A name that is not one of its tools is text of the agent's, or of a model's: it is not kept.
      const named = known.has(tool) ? { tool } : {}
      scope.events.add('tool.refused', { ...named, code, activation_id: activationId }, step.id)
      try {
        await scope.deps.authority.reportRefusal(scope.lease, { activationId, step: step.id, ...named, code })
      } catch (error) {
        unreported ??= { error }
      }
    },
    /** A step whose refusals are not in the log does not succeed. */
    requireReported(): void {
      if (unreported) throw unreported.error
    },
  }
}

/** E5: a new error, with nothing of the agent's on it but a code and a message. */
function ofAgent(step: AgentStep, error: unknown): AgenticError {
  return isAgenticError(error)
    ? new AgenticError(error.code, error.message, { cause: error })
    : new AgenticError('ERR_STEP_FAILED', `step "${step.id}" failed`, { cause: error })
}
