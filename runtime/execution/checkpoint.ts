/** Checkpoint digests: what ties a receipt to the state it was committed with, and a token to what came before it. */
import { digestOf } from '../encoding/digest.js'

/**
 * The checkpoint a finished activation leaves behind (PROTOCOL 6).
 * @param writesDigest digest over the checkpoint serializer's bytes of the task's own writes
 * @param previous the checkpoint that made the activation runnable, which folds its predecessors' together
 */
export function checkpointDigest(commit: {
  readonly executionId: string
  readonly activationId: string
  readonly writesDigest: string
  readonly previous: string
}): string {
  return digestOf({
    execution_id: commit.executionId,
    activation_id: commit.activationId,
    writes: commit.writesDigest,
    previous: commit.previous,
  })
}

/**
 * The checkpoint that makes an activation runnable: its predecessors', or the root's where there is none.
 * @param rootHash base64url SHA-256 of the root assertion's signing input
 */
export function runnableCheckpoint(
  executionId: string,
  parents: readonly string[],
  rootHash: string,
): string {
  return parents.length > 0
    ? digestOf({ execution_id: executionId, parents: [...parents].sort() })
    : digestOf({ execution_id: executionId, root: rootHash })
}
