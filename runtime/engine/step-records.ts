/** What a run's result says of each step that an agent completed. */
import type { ActivationRow } from '../execution/records.js'

export interface StepRecord {
  readonly step: string
  readonly agent: string
  /** `sha256:<hex>` */
  readonly agent_checksum: string
  readonly scope: readonly string[]
  /** Assertions in its chain, the root included. */
  readonly hops: number
  readonly attempt: number
  readonly ms: number
}

/** @param activations of one run, in any order */
export function stepRecords(activations: readonly ActivationRow[]): readonly StepRecord[] {
  return activations
    .filter(({ state }) => state === 'completed')
    .sort((a, b) => endOf(a) - endOf(b) || a.startedAt - b.startedAt)
    .flatMap((row) =>
      row.agentId === undefined
        ? []
        : [
            {
              step: row.step,
              agent: row.agentId,
              agent_checksum: row.agentChecksum ?? '',
              scope: row.scope,
              hops: row.chain.length,
              attempt: row.attempt,
              ms: endOf(row) - row.startedAt,
            },
          ],
    )
}

function endOf(row: ActivationRow): number {
  return row.endedAt ?? row.startedAt
}
