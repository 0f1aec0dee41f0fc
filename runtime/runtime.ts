/** The runtime as a program holds it: what `createRuntime` gives. Shapes only; `compose.ts` puts it together. */
import type { JsonValue } from './encoding/canonical-json.js'
import type { ModelLimits } from './engine/model-loop.js'
import type { RunStatus } from './engine/run.js'
import type { RunEvent } from './execution/events.js'
import type { ActivationRow, ApprovalRow, ExecutionRow, Failure, Initiator } from './execution/records.js'
import type { GuardedResource } from './guard/resource.js'
import type { AgentDefinition } from './identity/agent.js'
import type { Registration } from './identity/registration.js'
import type { JwkSet } from './keys/jwk-set.js'
import type { Workflow } from './workflow/definition.js'

/** One line of the table of steps. */
export interface StepReport {
  readonly step: string
  /** Absent for a gate. */
  readonly agent?: string
  readonly agentChecksum?: string
  readonly state: ActivationRow['state']
  /** The scope of its tokens. */
  readonly scope: readonly string[]
  /** Length of the delegation chain, root included. */
  readonly hops: number
  readonly attempt: number
  readonly ms: number
  /** The delegation chain it held, root first. */
  readonly chain: readonly string[]
}

export interface RunResult {
  readonly run: string
  readonly workflow: string
  readonly status: RunStatus
  readonly steps: readonly StepReport[]
  /** The output of the workflow's `result` step, once completed. */
  readonly output: JsonValue
  readonly failure?: Failure
  /** What the run waits for. */
  readonly pending: readonly ApprovalRow[]
}

export interface Run {
  readonly id: string
  /** Numbered from 1; replays what has happened, then follows until the run ends or waits. */
  events(): AsyncIterable<RunEvent>
  /** How the run ended, or that it waits. Never rejects for what a run does; a broken store rejects. */
  result(): Promise<RunResult>
}

/** A person's decision over one question of a gate. */
export interface ApprovalDecision {
  readonly decision: 'approved' | 'denied'
  /** e.g. `os:1000` */
  readonly approver: string
  /** How the approver was established, e.g. `terminal`. */
  readonly method: string
  readonly reason?: string
}

/** Asked when a gate waits; undefined leaves the run waiting. */
export type AskApproval = (question: ApprovalRow) => Promise<ApprovalDecision | undefined>

/** What a run needs besides its workflow. */
export interface RunOptions {
  /** Guarded HTTP resources, served on loopback while the run lasts. */
  readonly resources?: readonly GuardedResource[]
  readonly onApproval?: AskApproval
  /** A LangChain chat model that drives the agents; without one each agent's `run` does. */
  readonly model?: ChatModel
  readonly signal?: AbortSignal
}

export interface StartOptions extends RunOptions {
  readonly input: Readonly<Record<string, unknown>>
  /** The request in the initiator's words; part of the intent. Default: the workflow's description. */
  readonly request?: string
  /** Who asked, established by the caller. Default: whom `idToken` proves, else the local user. */
  readonly initiator?: Initiator
  /** An ID token of an issuer that the runtime trusts; instead of `initiator`, not beside it (TypeError). @throws AgenticError, at `start`, unless it holds */
  readonly idToken?: string
}

/** A chat model and the name it goes by in the record, `provider:name`. */
export interface ChatModel {
  readonly name: string
  /** A `BaseChatModel` of @langchain/core. */
  readonly chat: unknown
  /** What one step may take of the model; those left out have defaults. */
  readonly limits?: Partial<ModelLimits>
}

export interface RegistrationReport {
  readonly agent: string
  readonly outcome: 'registered' | 'unchanged' | 'updated'
  readonly registration: Registration
}

export interface RunDetail {
  readonly execution: ExecutionRow
  readonly steps: readonly StepReport[]
  readonly approvals: readonly ApprovalRow[]
  /** Compact receipts, in the order they were committed. */
  readonly receipts: readonly string[]
}

export interface AuditHead {
  readonly records: number
  /** base64, as on the checkpoint. */
  readonly root: string
  /** The newest checkpoint, a C2SP signed note. */
  readonly checkpoint: string | undefined
  /** What a stranger needs to check it. */
  readonly verifierKey: string
}

export interface Runtime {
  readonly issuer: string
  /** The authority's public keys at this moment: under these its tokens and roots verify. */
  jwkSet(): JwkSet
  /**
   * Makes agents known. An agent that changed since it was registered is refused, naming what changed,
   * unless `acceptChanges` says that the operator agrees.
   * @throws AgenticError ERR_AGENT_CHANGED, ERR_AGENT_REVOKED, ERR_CODE_UNRESOLVED
   */
  register(request: {
    readonly agents: readonly AgentDefinition[]
    readonly acceptChanges?: boolean
  }): Promise<readonly RegistrationReport[]>
  /** Ends an agent's registration for good: nothing is minted for it, and nothing minted for it counts any more. */
  revoke(agent: string): Promise<void>
  /** Gives an agent its next key; the older ones count for the overlap, so that no run under way is cut off.
   * @param options.overlapSeconds default 24 hours; 0 ends the older keys now
   * @throws AgenticError ERR_AGENT_UNKNOWN, ERR_AGENT_REVOKED, ERR_KEY_LIMIT */
  rotateKey(agent: string, options?: { readonly overlapSeconds?: number }): Promise<Registration>
  /** @throws AgenticError ERR_INPUT_INVALID, ERR_AGENT_UNKNOWN, ERR_AGENT_REVOKED */
  start(workflow: Workflow, options: StartOptions): Promise<Run>
  /** Goes on with a run that waits or was interrupted. @throws AgenticError ERR_EXECUTION_*, ERR_WORKFLOW_CHANGED */
  resume(run: string, workflow: Workflow, options?: RunOptions): Promise<Run>
  /** Records a decision; the run goes on with `resume`. @throws AgenticError ERR_APPROVAL_UNKNOWN, ERR_APPROVAL_USED */
  decide(run: string, gate: string, decision: ApprovalDecision): Promise<ApprovalRow>
  runs(limit?: number): Promise<readonly ExecutionRow[]>
  /** @throws AgenticError ERR_EXECUTION_UNKNOWN */
  run(run: string): Promise<RunDetail>
  /** What has happened in a run so far, from `after` (exclusive). */
  events(run: string, after?: number): Promise<readonly RunEvent[]>
  agents(): Promise<readonly Registration[]>
  audit(): AuditHead
  close(): Promise<void>
}
