import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { embeddedAdvisories } from '../../agents/advisories/load.js'
import { type FileChange, fileDigest } from '../../agents/dependencies/change.js'
import { applyEdits } from '../../agents/dependencies/edit-text.js'
import { takeInventory } from '../../agents/dependencies/inventory.js'
import { planFixes } from '../../agents/dependencies/plan.js'
import { readProject } from '../../agents/dependencies/project.js'
import { findVulnerable } from '../../agents/dependencies/scan.js'
import { applyChanges } from '../../agents/repository/apply-changes.js'
import { openWorkingTree, type WorkingTree } from '../../agents/repository/working-tree.js'
import { expectCode } from '../support/expect-code.js'
import { shopFolder } from '../support/fixture-project.js'

const files = ['package.json', 'packages/importer/package.json', 'package-lock.json']

let root: string
let tree: WorkingTree
let changes: readonly FileChange[]
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'shop-'))
  cpSync(shopFolder, root, { recursive: true })
  tree = await openWorkingTree(root)
  const project = await readProject(tree)
  const advisories = await embeddedAdvisories()
  changes = planFixes(project, findVulnerable(takeInventory(project), advisories), advisories).changes
})
afterEach(() => rmSync(root, { recursive: true }))

const texts = () => files.map((file) => readFileSync(join(root, file), 'utf8'))

describe('changes of a plan', () => {
  it('are written to every file, and touch no line that they do not name', async () => {
    const before = texts()
    expect(await applyChanges(tree, changes)).toEqual(files)
    const advisories = await embeddedAdvisories()
    const left = findVulnerable(takeInventory(await readProject(tree)), advisories)
    expect(left.map((finding) => finding.package)).toEqual(['lodash.template'])
    const after = texts()
    const lock = changes.find((change) => change.file === 'package-lock.json')
    const gone = lines(before[2]).filter((line) => !lines(after[2]).includes(line))
    for (const line of gone) {
      const named = lock?.edits.some(
        ({ from }) => typeof from === 'string' && line.includes(JSON.stringify(from)),
      )
      expect(named, line).toBe(true)
    }
    expect(await applyChanges(tree, changes)).toEqual([])
    expect(texts()).toEqual(after)
  })

  it('are refused whole when a file or one edit is no longer what was planned', async () => {
    const before = texts()
    const edited = changes.map((change) => ({
      ...change,
      edits: change.edits.map((edit) => (edit.to === '4.17.21' ? { ...edit, to: '4.17.22' } : edit)),
    }))
    await expectCode(applyChanges(tree, edited), 'ERR_TOOL_FAILED')
    // Complete and consistent, as whoever makes the plan could have it: what it asks for is the reason.
    const edits = [{ pointer: '/scripts/postinstall', from: null, to: 'x' }]
    const text = before[0] ?? ''
    const scripted = [
      { file: 'package.json', before: fileDigest(text), after: fileDigest(applyEdits(text, edits)), edits },
    ]
    await expectCode(applyChanges(tree, scripted), 'ERR_TOOL_FAILED')
    expect(texts()).toEqual(before)
    writeFileSync(join(root, 'package-lock.json'), `${before[2]}\n`)
    await expectCode(applyChanges(tree, changes), 'ERR_TOOL_FAILED')
    expect(texts()).toEqual([before[0], before[1], `${before[2]}\n`])
    writeFileSync(join(root, 'package-lock.json'), before[2] ?? '')
    expect(await applyChanges(tree, changes)).toHaveLength(3)
  })
})

function lines(text: string | undefined): readonly string[] {
  return (text ?? '').split('\n').map((line) => line.replace(/,$/, ''))
}
