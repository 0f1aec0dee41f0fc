import { describe, expect, it } from 'vitest'
import { checkpointDigest, runnableCheckpoint } from '../../runtime/execution/checkpoint.js'

const commit = { executionId: 'e', activationId: 'a', writesDigest: 'w', previous: 'p' }

describe('a checkpoint', () => {
  it('depends on run, activation, writes and what came before', () => {
    const others = [
      { ...commit, executionId: 'x' },
      { ...commit, activationId: 'x' },
      { ...commit, writesDigest: 'x' },
      { ...commit, previous: 'x' },
    ]
    expect(new Set([commit, ...others].map(checkpointDigest)).size).toBe(5)
    expect(checkpointDigest({ ...commit })).toBe(checkpointDigest(commit))
  })

  it('that makes a step runnable folds its predecessors in any order, or names the root', () => {
    expect(runnableCheckpoint('e', ['a', 'b'], 'root')).toBe(
      runnableCheckpoint('e', ['b', 'a'], 'other root'),
    )
    const all = [
      runnableCheckpoint('e', ['a'], 'root'),
      runnableCheckpoint('e', ['a', 'b'], 'root'),
      runnableCheckpoint('f', ['a'], 'root'),
      runnableCheckpoint('e', [], 'root'),
      runnableCheckpoint('e', [], 'other root'),
      runnableCheckpoint('f', [], 'root'),
    ]
    expect(new Set(all).size).toBe(6)
  })
})
