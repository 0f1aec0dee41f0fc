import { describe, expect, it } from 'vitest'
import { workflowFromSource } from '../../runtime/workflow/define.js'
import { attack } from '../support/attack.js'
import { checksumOf, openHouse, recordsOf, registrationOf, startRun } from '../support/authority-house.js'
import { hashOf } from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { changed, claimsOf, forge } from '../support/forger.js'
import { shipping } from '../support/shipping.js'

const place = { iteration: 0, item: 0 }

describe('a step that the engine opens', () => {
  it('names the pinned agent, and leaves a record', async () => {
    const house = await openHouse()
    const run = await startRun(house)
    const newer = registrationOf('lead', { registrationId: 'registration-lead-2', agentChecksum: 'sha256:2' })
    await house.store.registrations.save(newer, 'registration-lead')
    const request = { workflow: shipping, step: 'lead', ...place }
    const activation = await house.authority.activate(run.lease, request)
    expect(activation).toMatchObject({
      step: 'lead',
      state: 'activated',
      agentId: 'lead',
      registrationId: 'registration-lead',
      agentChecksum: checksumOf('lead'),
    })
    expect(recordsOf(house).at(-1)).toMatchObject({
      type: 'activation.opened',
      activation_id: activation.activationId,
      data: { step: 'lead', attempt: 1, epoch: 1, agent: 'lead', checkpoint: activation.checkpoint },
    })
  })

  it('names no agent where none acts', async () => {
    const run = await startRun(await openHouse())
    expect(await run.reach('approve')).not.toHaveProperty('agentId')
  })

  attack('T8', 'has its prerequisites’ receipts', async () => {
    const run = await startRun(await openHouse())
    for (const step of ['look', 'plan', 'approve', 'write']) {
      await expectCode(run.open(step), 'ERR_STEP_PREREQUISITE')
    }
    await run.complete(await run.open('lead'))
    await run.open('look')
  })

  attack(['T6', 'T8'], 'is judged by the pinned workflow: one without the gate opens nothing', async () => {
    const house = await openHouse()
    const run = await startRun(house)
    const steps = (shipping.source.steps as { id: string; after?: string[] }[]).map((step) =>
      step.id === 'look' ? { ...step, after: [] } : step,
    )
    const shorter = workflowFromSource({ ...shipping.source, steps })
    const look = { step: 'look', ...place }
    await expectCode(
      house.authority.activate(run.lease, { workflow: shorter, ...look }),
      'ERR_WORKFLOW_CHANGED',
    )
    // A definition that claims the digest of the pinned one is not looked at: the pinned one is.
    const claiming = { ...shorter, digest: shipping.digest }
    await expectCode(
      house.authority.activate(run.lease, { workflow: claiming, ...look }),
      'ERR_STEP_PREREQUISITE',
    )
    await expectCode(
      house.authority.activate(run.lease, { workflow: shipping, ...look }),
      'ERR_STEP_PREREQUISITE',
    )
  })

  attack('X13', 'is refused when its agent was revoked after the start', async () => {
    const house = await openHouse()
    const run = await startRun(house)
    await house.store.registrations.revoke('registration-lead')
    await expectCode(run.open('lead'), 'ERR_AGENT_REVOKED')
  })

  it('is one of the workflow', async () => {
    const house = await openHouse()
    const { lease } = await startRun(house)
    const unknown = { workflow: shipping, step: 'nothing', ...place }
    await expectCode(house.authority.activate(lease, unknown), 'ERR_STEP_UNKNOWN')
    const elsewhere = { executionId: 'nothing', epoch: 1 }
    await expectCode(
      house.authority.activate(elsewhere, { workflow: shipping, step: 'lead', ...place }),
      'ERR_EXECUTION_UNKNOWN',
    )
  })
})

describe('an assertion that the engine hands over', () => {
  async function lookStep() {
    const house = await openHouse()
    const run = await startRun(house)
    await run.complete(await run.open('lead'))
    const held = await run.open('look')
    const delegate = (chain: readonly string[]) =>
      house.authority.delegate(run.lease, {
        workflow: shipping,
        activationId: held.activationId,
        step: 'look',
        chain,
      })
    const leafWith = (changes: Record<string, unknown>, key = 'lead') =>
      forge({ typ: 'delegation+jwt' }, changed(claimsOf(held.chain[1] ?? ''), changes), fixedKey(key))
    return { house, run, held, delegate, leafWith, root: held.chain[0] ?? '' }
  }

  it('is kept with the activation, with the scope that its tokens can carry', async () => {
    const { house, held } = await lookStep()
    expect(held.chain).toHaveLength(2)
    expect(held.scope).toEqual(['stock:read'])
    expect(recordsOf(house).at(-1)).toMatchObject({
      type: 'delegation.derived',
      actor: 'agent:lead',
      activation_id: held.activationId,
      subjects: { chain_hash: hashOf(held.chain[1] ?? '') },
      data: { step: 'look', to: 'reader', hops: 2, scope: 'stock:read' },
    })
    expect(await house.authority.chain(hashOf(held.chain[1] ?? ''))).toEqual(held.chain)
    expect(await house.authority.chain('another-hash')).toBeUndefined()
  })

  attack(['T9', 'T11'], 'is verified whole before it counts', async () => {
    const { delegate, leafWith, root, held } = await lookStep()
    await expectCode(delegate([]), 'ERR_CHAIN_EMPTY')
    await expectCode(delegate([root]), 'ERR_CHAIN_INTENT')
    await expectCode(delegate([root, leafWith({}, 'stranger')]), 'ERR_SIGNATURE_INVALID')
    await expectCode(delegate([root, leafWith({ scope: 'stock:admin' })]), 'ERR_CHAIN_SCOPE_WIDENED')
    await expectCode(delegate([root, leafWith({ 'intent.activation_id': 'x' })]), 'ERR_CHAIN_INTENT')
    await expectCode(delegate([root, leafWith({ 'intent.workflow_step': 'plan' })]), 'ERR_CHAIN_AGENT')
    await expectCode(
      delegate([root, leafWith({ 'cnf.jwk': fixedKey('planner').publicKey.jwk })]),
      'ERR_CHAIN_AGENT',
    )
    await delegate(held.chain)
  })

  attack('T9', 'gives no scope that the step or the registration lacks', async () => {
    const { house, run, delegate, leafWith, root, held } = await lookStep()
    const wide = await delegate([root, leafWith({ scope: 'stock:read stock:write' })])
    expect(wide.scope).toEqual(['stock:read'])
    const { activations } = await house.store.executions.snapshot(run.execution.executionId, ['look'])
    expect(activations).toMatchObject([{ activationId: held.activationId, scope: ['stock:read'] }])
  })

  attack(['T6', 'X4'], 'is for a live activation of its step, under the pinned workflow', async () => {
    const { house, run, held } = await lookStep()
    const request = { workflow: shipping, activationId: held.activationId, step: 'look', chain: held.chain }
    const elsewhere = { ...request, step: 'plan' }
    await expectCode(house.authority.delegate(run.lease, elsewhere), 'ERR_ACTIVATION_UNKNOWN')
    const stale = { ...run.lease, epoch: 0 }
    await expectCode(house.authority.delegate(stale, request), 'ERR_EPOCH_STALE')
    const other = workflowFromSource({ ...shipping.source, version: '2.0.0' })
    await expectCode(
      house.authority.delegate(run.lease, { ...request, workflow: other }),
      'ERR_WORKFLOW_CHANGED',
    )
    await run.complete(held)
    await expectCode(house.authority.delegate(run.lease, request), 'ERR_ACTIVATION_NOT_LIVE')
  })
})
