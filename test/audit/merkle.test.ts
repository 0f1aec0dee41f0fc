import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createFrontier,
  leafHash,
  makeConsistencyProof,
  makeInclusionProof,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from '../../runtime/audit/merkle.js'
import { expectCode } from '../support/expect-code.js'
import { vectors } from '../support/vectors.js'

const fromBase64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function leavesOf(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => leafHash(`record ${index}`))
}

function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const frontier = createFrontier()
  for (const leaf of leaves) frontier.append(leaf)
  return frontier.root()
}

describe('the tree', () => {
  // The records and roots that Certificate Transparency's implementations share as their common test.
  const records = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ]
  const roots = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]

  it('has the roots of RFC 6962 at each size', () => {
    const frontier = createFrontier()
    expect(hex(frontier.root())).toBe(roots[0])
    for (const [index, record] of records.entries()) {
      frontier.append(leafHash(Buffer.from(record, 'hex')))
      expect(frontier.size).toBe(index + 1)
      expect(hex(frontier.root())).toBe(roots[index + 1])
    }
  })

  it('hashes a text as its UTF-8 bytes', () => {
    expect(leafHash('grün')).toEqual(leafHash(Buffer.from('grün')))
  })

  it('goes on from a copy without changing the original', () => {
    const frontier = createFrontier()
    for (const leaf of leavesOf(5)) frontier.append(leaf)
    const before = frontier.root()
    const copy = frontier.copy()
    for (const leaf of leavesOf(4)) copy.append(leaf)
    expect(frontier.root()).toEqual(before)
    expect(copy.size).toBe(9)
    expect(copy.root()).toEqual(rootOf([...leavesOf(5), ...leavesOf(4)]))
  })
})

describe('proofs made here', () => {
  it('prove every record of every tree up to 40, and no other record', () => {
    for (let size = 1; size <= 40; size++) {
      const leaves = leavesOf(size)
      const root = rootOf(leaves)
      for (const [index, leaf] of leaves.entries()) {
        const proof = makeInclusionProof(leaves, index)
        verifyInclusion({ leafHash: leaf, index, size, root, proof })
        const other = leafHash('another record')
        expect(() => verifyInclusion({ leafHash: other, index, size, root, proof })).toThrow()
      }
    }
  })

  it('prove that every tree extends each earlier one, and no tree that forked', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 }), (a, b) => {
        const [firstSize, secondSize] = a < b ? [a, b] : [b, a]
        const leaves = leavesOf(secondSize)
        const firstRoot = rootOf(leaves.slice(0, firstSize))
        const secondRoot = rootOf(leaves)
        const proof = makeConsistencyProof(leaves, firstSize)
        verifyConsistency({ firstSize, firstRoot, secondSize, secondRoot, proof })
        const forked = rootOf([leafHash('another beginning'), ...leaves.slice(1, firstSize)])
        expect(() =>
          verifyConsistency({ firstSize, firstRoot: forked, secondSize, secondRoot, proof }),
        ).toThrow()
      }),
      { seed: 20260101, numRuns: 200 },
    )
  })

  it('are not made for records or trees that are not there', () => {
    expect(() => makeInclusionProof(leavesOf(3), 3)).toThrow(TypeError)
    expect(() => makeConsistencyProof(leavesOf(3), 4)).toThrow(TypeError)
    expect(() => makeConsistencyProof(leavesOf(3), 0)).toThrow(TypeError)
    expect(makeInclusionProof(leavesOf(3), 2)).toHaveLength(1)
    expect(makeConsistencyProof(leavesOf(3), 3)).toEqual([])
  })

  it('are refused when a hash is longer or shorter than 32 bytes', async () => {
    const leaves = leavesOf(2)
    const claim = { leafHash: leaves[0] as Uint8Array, index: 0, size: 2, root: rootOf(leaves) }
    const sibling = leaves[1] as Uint8Array
    verifyInclusion({ ...claim, proof: [sibling] })
    await expectCode(
      () => verifyInclusion({ ...claim, proof: [Buffer.concat([sibling, Buffer.of(0)])] }),
      'ERR_AUDIT_PROOF',
    )
  })
})

describe('a proof of another length than the sizes ask for', () => {
  const [a, b, c, d, x] = leavesOf(5) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  const root = nodeHash(a, b)

  it('proves no inclusion, although its hashes lead to the root', async () => {
    verifyInclusion({ leafHash: a, index: 0, size: 2, root, proof: [b] })
    const tooShort = { leafHash: a, index: 0, size: 3, root, proof: [b] }
    await expectCode(() => verifyInclusion(tooShort), 'ERR_AUDIT_PROOF')
    const tooLong = { leafHash: b, index: 0, size: 1, root, proof: [a] }
    await expectCode(() => verifyInclusion(tooLong), 'ERR_AUDIT_PROOF')
  })

  it('proves no consistency, although its hashes lead to both roots', async () => {
    verifyConsistency({ firstSize: 1, firstRoot: a, secondSize: 2, secondRoot: root, proof: [b] })
    const tooShort = { firstSize: 1, firstRoot: a, secondSize: 3, secondRoot: root, proof: [b] }
    await expectCode(() => verifyConsistency(tooShort), 'ERR_AUDIT_PROOF')
    const three = nodeHash(root, c)
    const four = nodeHash(root, nodeHash(c, d))
    const proof = [c, d, root]
    verifyConsistency({ firstSize: 3, firstRoot: three, secondSize: 4, secondRoot: four, proof })
    const tooLong = {
      firstSize: 3,
      firstRoot: nodeHash(x, three),
      secondSize: 4,
      secondRoot: nodeHash(x, four),
      proof: [...proof, x],
    }
    await expectCode(() => verifyConsistency(tooLong), 'ERR_AUDIT_PROOF')
  })
})

interface InclusionVector {
  readonly leafIdx: number
  readonly treeSize: number
  readonly root: string
  readonly leafHash: string
  readonly proof: readonly string[] | null
  readonly desc: string
  readonly wantErr: boolean
}

interface ConsistencyVector {
  readonly size1: number
  readonly size2: number
  readonly root1: string
  readonly root2: string
  readonly proof: readonly string[] | null
  readonly desc: string
  readonly wantErr: boolean
}

function readVectors<T>(folder: string): { name: string; vector: T }[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  )
  return names
    .sort()
    .map((name) => ({ name, vector: JSON.parse(readFileSync(join(folder, name), 'utf8')) as T }))
}

async function expectOutcome(verify: () => void, wantErr: boolean): Promise<void> {
  if (wantErr) await expectCode(verify, 'ERR_AUDIT_PROOF')
  else verify()
}

const inclusion = vectors('merkle/inclusion')
const consistency = vectors('merkle/consistency')

describe.skipIf(!inclusion)('transparency-dev/merkle: inclusion proofs', () => {
  const cases = inclusion ? readVectors<InclusionVector>(inclusion) : []
  it('are all there', () => expect(cases).toHaveLength(98))
  it.each(cases)('$name', async ({ vector }) => {
    const claim = {
      leafHash: fromBase64(vector.leafHash),
      index: vector.leafIdx,
      size: vector.treeSize,
      root: fromBase64(vector.root),
      proof: (vector.proof ?? []).map(fromBase64),
    }
    await expectOutcome(() => verifyInclusion(claim), vector.wantErr)
  })
})

describe.skipIf(!consistency)('transparency-dev/merkle: consistency proofs', () => {
  const cases = consistency ? readVectors<ConsistencyVector>(consistency) : []
  it('are all there', () => expect(cases).toHaveLength(98))
  it.each(cases)('$name', async ({ vector }) => {
    const claim = {
      firstSize: vector.size1,
      firstRoot: fromBase64(vector.root1),
      secondSize: vector.size2,
      secondRoot: fromBase64(vector.root2),
      proof: (vector.proof ?? []).map(fromBase64),
    }
    await expectOutcome(() => verifyConsistency(claim), vector.wantErr)
  })
})
