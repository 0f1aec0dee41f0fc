/** What happens in a run, as a numbered stream that can be replayed. */
import type { JsonObject } from '../encoding/canonical-json.js'

export type RunEventType =
  | 'run.started'
  | 'run.resumed'
  | 'step.started'
  | 'step.completed'
  | 'step.skipped'
  | 'step.failed'
  | 'step.waiting'
  | 'tool.called'
  | 'tool.refused'
  | 'agent.log'
  | 'approval.requested'
  | 'approval.decided'
  | 'run.waiting'
  | 'run.completed'
  | 'run.failed'
  | 'run.refused'

export interface RunEvent {
  readonly executionId: string
  /** 1, 2, 3 … within the run, across resumes. */
  readonly seq: number
  readonly at: number
  readonly type: RunEventType
  readonly step?: string
  readonly data: JsonObject
}

export interface EventStore {
  /** Gives the event its number. Durable when it returns. */
  append(event: Omit<RunEvent, 'seq'>): Promise<RunEvent>
  /** In order, from `after` (exclusive). */
  events(executionId: string, after?: number): Promise<readonly RunEvent[]>
}
