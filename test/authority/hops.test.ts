import { describe, expect, it } from 'vitest'
import { createChainShelf } from '../../runtime/authority/chain-shelf.js'
import {
  agentStep,
  gatedTools,
  isOpenedByGate,
  loadPinned,
  requirePinned,
  requireWorkflowHops,
} from '../../runtime/authority/hops.js'
import { decodeAssertion } from '../../runtime/delegation/assertion.js'
import { attack } from '../support/attack.js'
import { openHouse, registrationOf, startRun } from '../support/authority-house.js'
import { executionRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { shipping } from '../support/shipping.js'

const now = Date.UTC(2026, 0, 1) / 1000

async function writeHops() {
  const house = await openHouse()
  const run = await startRun(house)
  const activation = await run.reach('write')
  const hops = activation.chain.map(decodeAssertion)
  return { hops, pinned: await loadPinned(run.execution, house.store.registrations) }
}

describe('the hops of a chain', () => {
  it('go from the entry along `delegated_by`', async () => {
    const { hops, pinned } = await writeHops()
    expect(hops.map((hop) => hop.intent.workflowStep)).toEqual(['lead', 'plan', 'write'])
    for (let length = 1; length <= 3; length++)
      requireWorkflowHops(hops.slice(0, length), shipping, pinned, now)
  })

  attack(
    ['T7', 'T11'],
    'do not begin elsewhere, skip a delegator, or come from another workflow',
    async () => {
      const { hops, pinned } = await writeHops()
      const [lead, plan, write] = hops
      if (!lead || !plan || !write) throw new Error('three hops')
      for (const path of [[plan], [plan, write], [lead, write], [lead, plan, plan], [lead, lead]]) {
        await expectCode(() => requireWorkflowHops(path, shipping, pinned, now), 'ERR_CHAIN_DELEGATOR')
      }
      const foreign = { ...lead, intent: { ...lead.intent, workflowId: 'other' } }
      await expectCode(() => requireWorkflowHops([foreign], shipping, pinned, now), 'ERR_CHAIN_DELEGATOR')
      const gate = { ...plan, intent: { ...plan.intent, workflowStep: 'approve' } }
      await expectCode(() => requireWorkflowHops([lead, gate], shipping, pinned, now), 'ERR_STEP_UNKNOWN')
    },
  )
})

describe('a pinned registration', () => {
  attack('X17', 'is the one of that agent, and there', async () => {
    const { store } = await openHouse()
    for (const pinned of [{ reader: 'registration-planner' }, { reader: 'nothing' }]) {
      await expectCode(loadPinned(executionRow({ pinned }), store.registrations), 'ERR_AGENT_UNKNOWN')
    }
    const pinned = await loadPinned(
      executionRow({ pinned: { reader: 'registration-reader' } }),
      store.registrations,
    )
    expect(requirePinned(pinned, 'reader', now)).toEqual(registrationOf('reader'))
    await expectCode(() => requirePinned(pinned, 'planner', now), 'ERR_AGENT_UNKNOWN')
  })

  it('that was superseded still counts for a day, a revoked one does not', async () => {
    const pin = (changes: object) => new Map([['reader', registrationOf('reader', changes)]])
    const updated = pin({ status: 'updated', supersededAt: now })
    requirePinned(updated, 'reader', now + 86_399)
    await expectCode(() => requirePinned(updated, 'reader', now + 86_400), 'ERR_AGENT_SUPERSEDED')
    await expectCode(() => requirePinned(pin({ status: 'revoked' }), 'reader', now), 'ERR_AGENT_REVOKED')
  })

  it('counts with the keys it has now: a hop for one that was rotated out is none', async () => {
    const { hops, pinned } = await writeHops()
    const lead = hops.slice(0, 1)
    const ending = (notAfter: number) => {
      const registration = registrationOf('lead')
      const keys = registration.keys.map((key) => ({ ...key, notAfter }))
      return new Map([...pinned, ['lead', { ...registration, keys }]])
    }
    requireWorkflowHops(lead, shipping, ending(now + 1), now)
    await expectCode(() => requireWorkflowHops(lead, shipping, ending(now), now), 'ERR_CHAIN_AGENT')
  })
})

describe('gates', () => {
  it('open one tool for one step', async () => {
    expect([...gatedTools(shipping)]).toEqual(['stock/write'])
    const step = (id: string) => agentStep(shipping, id)
    expect(isOpenedByGate(shipping, step('write'), 'stock/write')).toBe(true)
    expect(isOpenedByGate(shipping, step('write'), 'stock/count')).toBe(false)
    expect(isOpenedByGate(shipping, step('plan'), 'stock/write')).toBe(false)
    await expectCode(() => step('approve'), 'ERR_STEP_UNKNOWN')
    await expectCode(() => step('nothing'), 'ERR_STEP_UNKNOWN')
  })
})

describe('the shelf of chains', () => {
  attack('X14', 'is bounded, and drops the oldest', () => {
    const shelf = createChainShelf(2)
    shelf.set('a', ['1'])
    shelf.set('b', ['2'])
    shelf.set('a', ['1'])
    shelf.set('c', ['3'])
    expect(['a', 'b', 'c'].map((hash) => shelf.get(hash))).toEqual([['1'], undefined, ['3']])
  })
})
