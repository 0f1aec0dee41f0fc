import { describe, expect, it } from 'vitest'
import { createAuditTree } from '../../../runtime/audit/auditor/tree.js'
import { createFrontier, leafHash } from '../../../runtime/audit/merkle.js'

describe("the auditor's tree", () => {
  it("agrees with the writer's at every size, and still does for every earlier one", () => {
    const tree = createAuditTree()
    const frontier = createFrontier()
    const roots = [Buffer.from(frontier.root()).toString('hex')]
    for (let index = 0; index < 130; index++) {
      const record = Buffer.from(`record ${index}`)
      tree.add(record)
      frontier.append(leafHash(record))
      roots.push(Buffer.from(frontier.root()).toString('hex'))
    }
    expect(tree.size).toBe(130)
    expect(roots.map((_, size) => tree.rootOfFirst(size).toString('hex'))).toEqual(roots)
  })

  it('has no root over more records than it holds', () => {
    const tree = createAuditTree()
    tree.add(Buffer.from('a'))
    expect(() => tree.rootOfFirst(2)).toThrow(RangeError)
    expect(tree.rootOfFirst(1)).toHaveLength(32)
  })
})
