/** Applies approved changes to a working tree: each edit must meet what it was made for, all files or none. */
import { AgenticError } from '../../runtime/index.js'
import { requireVersionChanges } from '../dependencies/allowed-edits.js'
import { type FileChange, fileDigest } from '../dependencies/change.js'
import { applyEdits } from '../dependencies/edit-text.js'
import { maxLockBytes } from '../dependencies/project.js'
import type { FileUpdate, WorkingTree } from './working-tree.js'

/**
 * @returns the files that were written
 * @throws AgenticError ERR_TOOL_FAILED, one sentence; then every file is as it was
 */
export async function applyChanges(
  tree: WorkingTree,
  changes: readonly FileChange[],
): Promise<readonly string[]> {
  requireVersionChanges(changes)
  const updates: FileUpdate[] = []
  for (const change of changes) updates.push(await updateFor(tree, change))
  return (await tree.update(updates)).written
}

async function updateFor(tree: WorkingTree, change: FileChange): Promise<FileUpdate> {
  const { file, before, after, edits } = change
  const present = await tree.read(file, maxLockBytes)
  if (!present) throw new AgenticError('ERR_TOOL_FAILED', `${file} is not there any more`)
  if (present.digest === after) return { file, before: after, content: Buffer.from(present.text) }
  if (present.digest !== before) {
    throw new AgenticError(
      'ERR_TOOL_FAILED',
      `${file} has changed since the plan was made; nothing was written`,
    )
  }
  const content = Buffer.from(applyEdits(present.text, edits))
  if (fileDigest(content) !== after) {
    throw new AgenticError(
      'ERR_TOOL_FAILED',
      `the edits of ${file} do not give what was approved; nothing was written`,
    )
  }
  return { file, before, content }
}
