import { describe, expect, it } from 'vitest'
import { freezeAgent } from '../../runtime/identity/live-agent.js'
import { engineRig } from '../support/engine-rig.js'
import { chain, say, three } from '../support/three-steps.js'
import { toyAgent } from '../support/toy-workflow.js'

describe('a changed agent', () => {
  it('stops before its code runs, with the changed part named and on record', async () => {
    let ran = false
    const rig = await engineRig(three())
    const changed = toyAgent('b', () => {
      ran = true
    })
    rig.live.set('b', await freezeAgent({ ...changed, prompt: 'You are evil.' }))
    const run = await rig.start(chain)
    const result = await run.result
    expect(result).toMatchObject({
      status: 'refused',
      failure: { code: 'ERR_AGENT_CHECKSUM_MISMATCH', step: 'b' },
    })
    expect(result.failure?.message).toContain('prompt')
    expect(result.failure?.message).not.toContain('evil')
    expect(ran).toBe(false)
    const { activations, execution } = await rig.parts.store.executions.snapshot(run.executionId)
    expect(activations.find(({ step }) => step === 'b')).toMatchObject({ state: 'failed', chain: [] })
    expect(execution).toMatchObject({ status: 'refused', failure: { code: 'ERR_AGENT_CHECKSUM_MISMATCH' } })
    rig.live.set('b', await freezeAgent(toyAgent('b', say('b'))))
    expect(await (await rig.start(chain)).result).toMatchObject({ status: 'completed' })
  })

  it('signs no delegation any more', async () => {
    const rig = await engineRig(three())
    const other = await freezeAgent(toyAgent('a', say('a'), { prompt: 'You are evil.' }))
    rig.live.set(
      'b',
      await freezeAgent(
        toyAgent('b', () => {
          rig.live.set('a', other)
          return 'b'
        }),
      ),
    )
    const result = await (await rig.start(chain)).result
    expect(result).toMatchObject({
      status: 'refused',
      failure: { code: 'ERR_AGENT_CHECKSUM_MISMATCH', step: 'c' },
    })
  })
})
