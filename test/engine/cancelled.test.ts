import { describe, expect, it } from 'vitest'
import { engineRig } from '../support/engine-rig.js'
import { chain, three } from '../support/three-steps.js'
import { toyAgent, toyWorkflow } from '../support/toy-workflow.js'

describe('a cancelled run', () => {
  it('ends after the steps under way have reported so, however long that takes', async () => {
    const controller = new AbortController()
    const rig = await engineRig([
      toyAgent('a', () => {
        controller.abort()
        return new Promise(() => undefined)
      }),
      ...three().slice(1),
    ])
    const { authority } = rig.parts
    const slow: typeof authority = {
      ...authority,
      async endActivation(lease, request) {
        for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
        await authority.endActivation(lease, request)
      },
    }
    const run = await rig.start(chain, { authority: slow }, { signal: controller.signal })
    await run.result
    const { activations } = await rig.parts.store.executions.snapshot(run.executionId)
    expect(activations).toMatchObject([{ state: 'failed', failure: { code: 'ERR_CANCELLED' } }])
  })

  it('leaves no step half done that was cancelled between its work and its receipt', async () => {
    const controller = new AbortController()
    const rig = await engineRig(three())
    const { authority } = rig.parts
    const cancelling: typeof authority = {
      ...authority,
      prepareReceipt(lease, activation, outcome) {
        controller.abort()
        return authority.prepareReceipt(lease, activation, outcome)
      },
    }
    const run = await rig.start(chain, { authority: cancelling }, { signal: controller.signal })
    await run.result
    const { activations, receipts } = await rig.parts.store.executions.snapshot(run.executionId)
    expect(activations).toMatchObject([{ step: 'a', state: 'failed' }])
    expect(receipts).toEqual([])
  })
})

describe('a step that fails beside others', () => {
  it('is the reason, and the cancelled ones are not', async () => {
    const rig = await engineRig([
      toyAgent('a', () => null),
      toyAgent('b', () => new Promise(() => undefined)),
      toyAgent('c', () => {
        throw new Error('broken')
      }),
    ])
    const workflow = toyWorkflow([
      { id: 'a', agent: 'a' },
      { id: 'b', agent: 'b', after: ['a'] },
      { id: 'c', agent: 'c', after: ['a'] },
    ])
    const run = await rig.start(workflow)
    expect(await run.result).toMatchObject({
      status: 'failed',
      failure: { code: 'ERR_STEP_FAILED', step: 'c' },
    })
    const { activations } = await rig.parts.store.executions.snapshot(run.executionId)
    expect(activations.find(({ step }) => step === 'b')).toMatchObject({
      state: 'failed',
      failure: { code: 'ERR_CANCELLED' },
    })
  })
})
