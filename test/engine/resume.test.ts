import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint'
import { describe, expect, it } from 'vitest'
import type { EngineDeps } from '../../runtime/engine/ports.js'
import { type EngineRig, engineRig } from '../support/engine-rig.js'
import { expectCode } from '../support/expect-code.js'
import { toyAgent, toyWorkflow } from '../support/toy-workflow.js'

const workflow = toyWorkflow([
  { id: 'a', agent: 'a' },
  { id: 'b', agent: 'b', after: ['a'] },
  { id: 'c', agent: 'c', after: ['b'] },
])

/** An engine that dies without a word: its process can report nothing any more. */
function dying(rig: EngineRig, overrides: Partial<EngineDeps> = {}): Partial<EngineDeps> {
  const { authority } = rig.parts
  const silent = { endExecution: async () => undefined, endActivation: async () => undefined }
  return { authority: { ...authority, ...silent }, ...overrides }
}

/** Dies when the chosen checkpoint is to be written. */
function withoutCheckpoints(rig: EngineRig, fails: (call: number) => boolean): Partial<EngineDeps> {
  let calls = 0
  return dying(rig, {
    checkpoints: {
      checkpointer(lease, receipts) {
        const real = rig.parts.store.checkpoints.checkpointer(lease, receipts)
        return new Proxy(real, {
          get(target, key) {
            const value: unknown = Reflect.get(target, key, target)
            if (typeof value !== 'function') return value
            if (key !== 'put') return value.bind(target)
            return (...args: unknown[]) => {
              calls += 1
              return fails(calls) ? Promise.reject(new Error('the power is out')) : value.apply(target, args)
            }
          },
        }) as BaseCheckpointSaver
      },
    },
  })
}

/** Dies inside the transaction that would commit a step's receipt with its writes. */
function withoutReceiptOf(step: string, rig: EngineRig): Partial<EngineDeps> {
  const powerOut = () => {
    throw new Error('the power is out')
  }
  return dying(rig, {
    checkpoints: {
      checkpointer: (lease, receipts) =>
        rig.parts.store.checkpoints.checkpointer(lease, {
          take(taskId) {
            const receipt = receipts.take(taskId)
            return receipt?.steps.includes(step) ? { ...receipt, decide: powerOut } : receipt
          },
        }),
    },
  })
}

async function rigged() {
  const ran: string[] = []
  const agent = (id: string) =>
    toyAgent(id, () => {
      ran.push(id)
      return `${id}'s work`
    })
  return { ...(await engineRig([agent('a'), agent('b'), agent('c')])), ran }
}

const attempts = async (rig: EngineRig, executionId: string) =>
  (await rig.parts.store.executions.snapshot(executionId)).activations
    .map(({ step, attempt, state }) => `${step} ${attempt} ${state}`)
    .sort()

describe('a run whose process died', () => {
  it('goes on at the step that was under way, as a new attempt; the old writer changes nothing any more', async () => {
    let release: (value: unknown) => void = () => undefined
    let entered: () => void = () => undefined
    const inside = new Promise<void>((resolve) => {
      entered = resolve
    })
    let runs = 0
    const rig = await engineRig([
      toyAgent('a', () => 'first'),
      toyAgent('b', () => {
        runs += 1
        if (runs > 1) return 'second writer'
        entered()
        return new Promise((resolve) => {
          release = resolve
        })
      }),
      toyAgent('c', (_, input) => input.b),
    ])
    const zombie = await rig.start(workflow)
    await inside
    const resumed = await rig.engine().resume({ executionId: zombie.executionId, workflow })
    expect(await resumed.result).toMatchObject({ status: 'completed', result: 'second writer' })
    expect(await attempts(rig, zombie.executionId)).toEqual([
      'a 1 completed',
      'b 1 abandoned',
      'b 2 completed',
      'c 1 completed',
    ])
    release('zombie')
    expect(await zombie.result).toMatchObject({ status: 'refused', failure: { code: 'ERR_EPOCH_STALE' } })
    const { execution, receipts } = await rig.parts.store.executions.snapshot(zombie.executionId)
    expect(execution).toMatchObject({ status: 'completed', result: 'second writer' })
    expect(receipts).toHaveLength(3)
  })

  it('does not run a step again whose receipt was committed, though the checkpoint after it was not', async () => {
    const rig = await rigged()
    // The first two checkpoints are of the input; the third would hold the output of `a`.
    const dead = await rig.start(
      workflow,
      withoutCheckpoints(rig, (call) => call >= 3),
    )
    expect((await dead.result).status).toBe('failed')
    expect(rig.ran).toEqual(['a'])
    expect(await attempts(rig, dead.executionId)).toEqual(['a 1 completed'])
    const resumed = await rig.engine().resume({ executionId: dead.executionId, workflow })
    expect(await resumed.result).toMatchObject({ status: 'completed', result: "c's work" })
    expect(rig.ran).toEqual(['a', 'b', 'c'])
    expect((await rig.parts.store.executions.snapshot(dead.executionId)).receipts).toHaveLength(3)
  })

  it('runs a step again whose receipt was not committed, with what it delegates', async () => {
    const rig = await rigged()
    const dead = await rig.start(workflow, withoutReceiptOf('b', rig))
    expect((await dead.result).status).toBe('failed')
    expect(await attempts(rig, dead.executionId)).toEqual(['a 1 completed', 'b 1 activated'])
    const resumed = await rig.engine().resume({ executionId: dead.executionId, workflow })
    expect((await resumed.result).status).toBe('completed')
    expect(rig.ran).toEqual(['a', 'b', 'b', 'c'])
    expect(await attempts(rig, dead.executionId)).toContain('b 2 completed')
  })

  it('starts over when not even its first checkpoint was written', async () => {
    const rig = await rigged()
    const dead = await rig.start(
      workflow,
      withoutCheckpoints(rig, () => true),
    )
    expect((await dead.result).status).toBe('failed')
    const resumed = await rig.engine().resume({ executionId: dead.executionId, workflow })
    expect(await resumed.result).toMatchObject({ status: 'completed', result: "c's work" })
  })

  it('is completed when all was done but its end was not recorded', async () => {
    const rig = await rigged()
    const dead = await rig.start(workflow, dying(rig))
    await dead.result
    const resumed = await rig.engine().resume({ executionId: dead.executionId, workflow })
    expect(await resumed.result).toMatchObject({ status: 'completed', result: "c's work" })
    expect(rig.ran).toEqual(['a', 'b', 'c'])
    expect((await resumed.result).steps.map(({ step }) => step)).toEqual(['a', 'b', 'c'])
  })
})

describe('a resume is refused', () => {
  it('under a changed workflow', async () => {
    const rig = await rigged()
    const dead = await rig.start(
      workflow,
      withoutCheckpoints(rig, (call) => call >= 3),
    )
    await dead.result
    const changed = toyWorkflow([
      { id: 'a', agent: 'a' },
      { id: 'b', agent: 'b', after: ['a'] },
    ])
    const { executionId } = dead
    await expectCode(rig.engine().resume({ executionId, workflow: changed }), 'ERR_WORKFLOW_CHANGED')
    const resumed = await rig.engine().resume({ executionId, workflow })
    expect((await resumed.result).status).toBe('completed')
  })

  it('of a run that has ended', async () => {
    const rig = await rigged()
    const { executionId, result } = await rig.start(workflow)
    await result
    await expectCode(rig.engine().resume({ executionId, workflow }), 'ERR_EXECUTION_ENDED')
  })
})
