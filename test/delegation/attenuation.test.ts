import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkConstraint } from '../../runtime/delegation/check-constraint.js'
import { parseConstraint } from '../../runtime/delegation/constraint.js'
import { deriveAssertion } from '../../runtime/delegation/derive.js'
import { subsumes } from '../../runtime/delegation/subsumes.js'
import { checkArguments, parseToolGrants, requireNarrower } from '../../runtime/delegation/tools.js'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import type { JsonValue } from '../../runtime/encoding/canonical-json.js'
import { AgenticError } from '../../runtime/errors.js'
import { attack } from '../support/attack.js'
import { agentKey, chainRules, rootToken } from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { anyConstraint, around, pair, usual } from './constraint-cases.js'
import { oracleCall, oracleCheck, type Wire } from './constraint-oracle.js'
import { granted } from './forged-chains.js'

/** Every type a constraint can have. */
const types = [
  'exact',
  'range',
  'one_of',
  'not_one_of',
  'contains',
  'subset',
  'wildcard',
  'all',
  'any',
  'url',
  'path_containment',
  'pattern',
]

/** Counts what a property saw, so that it was not true for want of cases. */
function tally() {
  const seen = new Map<string, number>()
  return {
    saw: (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1),
    atLeast(count: number, whats: readonly string[]): void {
      for (const what of whats) expect(seen.get(what) ?? 0, what).toBeGreaterThanOrEqual(count)
    },
  }
}

function valuesFor(...constraints: readonly Wire[]): readonly JsonValue[] {
  const byText = new Map<string, JsonValue>()
  for (const value of [...constraints.flatMap(around), ...usual]) byText.set(JSON.stringify(value), value)
  return [...byText.values()]
}

describe('a constraint and its oracle', () => {
  it('say the same of every value near its constants', () => {
    const { saw, atLeast } = tally()
    fc.assert(
      fc.property(anyConstraint, (wire) => {
        const parsed = parseConstraint(wire)
        for (const value of valuesFor(wire)) {
          const passes = oracleCheck(wire, value)
          if (checkConstraint(parsed, value) !== passes) expect({ wire, value, passes }).toBe('agreed')
          saw(`${wire.constraint_type} ${passes ? 'passes' : 'fails'}`)
        }
      }),
      { seed: 541, numRuns: 3_000 },
    )
    atLeast(
      200,
      types.flatMap((type) => [`${type} passes`, ...(type === 'wildcard' ? [] : [`${type} fails`])]),
    )
  })
})

describe('a child constraint that is accepted', () => {
  attack('T9', 'passes nothing that its parent fails', () => {
    const { saw, atLeast } = tally()
    fc.assert(
      fc.property(pair, ([parent, child]) => {
        const accepted = subsumes(parseConstraint(parent), parseConstraint(child))
        const witness = valuesFor(parent, child).find(
          (value) => oracleCheck(child, value) && !oracleCheck(parent, value),
        )
        if (accepted && witness !== undefined) expect({ parent, child, witness }).toBe('narrower')
        saw(`${parent.constraint_type} ${accepted ? 'accepted' : 'refused'}`)
        if (parent.constraint_type === child.constraint_type) {
          saw(`${parent.constraint_type} ${accepted ? 'by its own' : 'not by its own'}`)
        }
        if (witness !== undefined) saw(`${parent.constraint_type} really wider`)
      }),
      { seed: 542, numRuns: 6_000 },
    )
    const narrow = types.filter((type) => type !== 'wildcard')
    atLeast(
      40,
      types.flatMap((type) => [`${type} accepted`, `${type} by its own`]),
    )
    atLeast(
      40,
      narrow.flatMap((type) => [`${type} refused`, `${type} really wider`]),
    )
    atLeast(
      40,
      narrow.filter((type) => type !== 'exact').map((type) => `${type} not by its own`),
    )
  })
})

describe('a derived assertion', () => {
  const request = {
    delegatee: agentKey(1).publicKey,
    scope: [],
    agentProof: { agentChecksum: `sha256:${'4'.repeat(64)}`, registrationId: 'registration-1' },
    intent: { workflowStep: 'step-1', activationId: 'activation-1' },
  }
  const clock = fakeClock()

  attack('T9', 'is signed only when it narrows, and then admits nothing that its root refuses', async () => {
    const { saw, atLeast } = tally()
    await fc.assert(
      fc.asyncProperty(pair, async ([parent, child]) => {
        const root = rootToken({ authorization_details: granted({ tool: { argument: parent } }) })
        const tools = parseToolGrants({ tool: { argument: child } })
        const derive = () => deriveAssertion({ chain: [root] }, { ...request, tools }, agentKey(0), { clock })
        if (!subsumes(parseConstraint(parent), parseConstraint(child))) {
          await expectCode(derive, 'ERR_CHAIN_CONSTRAINT_WIDENED')
          saw('refused')
          return
        }
        const { toolGrants } = verifyChain([root, derive()], chainRules())
        for (const value of valuesFor(parent, child)) {
          const passes = isAllowed(() => checkArguments(toolGrants, 'tool', { argument: value }))
          expect(passes).toBe(oracleCheck(child, value))
          if (passes) expect(oracleCheck(parent, value)).toBe(true)
          saw(passes ? 'passes' : 'fails')
        }
        saw('derived')
      }),
      { seed: 543, numRuns: 400 },
    )
    atLeast(100, ['refused', 'derived', 'passes', 'fails'])
  })
})

describe('a child’s tools that are accepted', () => {
  const constraints = fc.dictionary(fc.constantFrom('a', 'b'), anyConstraint, { maxKeys: 2 })
  const tools = fc.dictionary(fc.constantFrom('t', 'u', 'v'), constraints, { maxKeys: 3 })
  /** Mostly the parent's tools, each closer or wider by a step. */
  const family = fc
    .tuple(tools, tools, fc.array(fc.tuple(fc.nat(11), pair), { minLength: 6, maxLength: 6 }))
    .map(([parent, other, changes]) => {
      const held = Object.fromEntries(Object.entries(parent).map(([tool, args]) => [tool, { ...args }]))
      const child = structuredClone(held) as typeof held
      for (const [index, [pick, [wider, narrower]]] of changes.entries()) {
        const tool = Object.keys(held)[index % 3]
        const argument = index % 2 === 0 ? 'a' : 'b'
        if (tool === undefined) continue
        if (pick < 6) {
          held[tool] = { ...held[tool], [argument]: wider }
          child[tool] = { ...child[tool], [argument]: narrower }
        } else if (pick === 6) delete child[tool]
        else if (pick === 7) delete child[tool]?.[argument]
        else if (pick === 8) child[tool] = { ...other[tool], [argument]: narrower }
        else if (pick === 9) held[tool] = {}
      }
      return [held, child] as const
    })

  attack('T9', 'admit no call that the parent’s refuse', () => {
    const { saw, atLeast } = tally()
    fc.assert(
      fc.property(family, ([parent, child]) => {
        const [held, passed] = [parseToolGrants(parent), parseToolGrants(child)]
        const accepted = isAllowed(() => requireNarrower(held, passed))
        saw(accepted ? 'accepted' : 'refused')
        for (const [tool, args] of callsFor(parent, child)) {
          const byChild = oracleCall(child, tool, args)
          expect(isAllowed(() => checkArguments(passed, tool, args))).toBe(byChild)
          saw(byChild ? 'passes' : 'fails')
          if (!byChild || oracleCall(parent, tool, args)) continue
          saw('really wider')
          if (accepted) expect({ parent, child, tool, args }).toBe('narrower')
        }
      }),
      { seed: 544, numRuns: 400 },
    )
    atLeast(150, ['accepted', 'refused', 'passes', 'fails', 'really wider'])
  })
})

function* callsFor(...grants: readonly Readonly<Record<string, Readonly<Record<string, Wire>>>>[]) {
  for (const tool of ['t', 'u', 'v', 'constructor']) {
    const near = (argument: string) => {
      const found = grants.flatMap((grant) => (Object.hasOwn(grant, tool) ? [grant[tool]?.[argument]] : []))
      const values = valuesFor(...found.filter((constraint) => constraint !== undefined))
      return values.filter((_, index) => index % Math.ceil(values.length / 6) === 0)
    }
    const [as, bs] = [near('a'), near('b')]
    yield [tool, {}] as const
    for (const a of as) yield [tool, { a }] as const
    for (const b of bs) yield [tool, { b }] as const
    for (const a of as) for (const b of bs) yield [tool, { a, b }] as const
  }
}

function isAllowed(run: () => void): boolean {
  try {
    run()
    return true
  } catch (error) {
    if (error instanceof AgenticError) return false
    throw error
  }
}
