/** What the steps of one segment of a run share: one writer, from start or resume to the next end or pause. */
import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint'
import type { ApprovalRow, ExecutionRow } from '../execution/records.js'
import type { Workflow } from '../workflow/definition.js'
import type { Lease } from './authority-port.js'
import type { EngineDeps } from './ports.js'
import { createReceiptDesk, type ReceiptDesk } from './receipts.js'
import { createRunEvents, type RunEvents } from './run-events.js'
import type { Serializer } from './state-values.js'

export interface RunScope {
  readonly deps: EngineDeps
  readonly execution: ExecutionRow
  readonly workflow: Workflow
  readonly lease: Lease
  readonly checkpointer: BaseCheckpointSaver
  readonly serializer: Serializer
  readonly receipts: ReceiptDesk
  readonly events: RunEvents
  /** The chain each completed step held, for the steps it delegates to. */
  readonly chains: Map<string, readonly string[]>
  /** Questions that nobody has answered yet, by gate. */
  readonly pending: Map<string, ApprovalRow>
  /** Approvals that the events have told of. */
  readonly announced: Set<string>
  /** The first step that broke: what LangGraph throws does not say which. */
  failedStep?: string
}

export function openScope(execution: ExecutionRow, workflow: Workflow, deps: EngineDeps): RunScope {
  const { executionId, epoch } = execution
  const lease = { executionId, epoch }
  const receipts = createReceiptDesk()
  const checkpointer = deps.checkpoints.checkpointer(lease, receipts)
  return {
    deps,
    execution,
    workflow,
    lease,
    checkpointer,
    serializer: checkpointer.serde,
    receipts,
    events: createRunEvents(executionId, deps.events, deps.clock),
    chains: new Map(),
    pending: new Map(),
    announced: new Set(),
  }
}
