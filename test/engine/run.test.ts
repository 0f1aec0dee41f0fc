import { describe, expect, it } from 'vitest'
import { engineRig } from '../support/engine-rig.js'
import { asks, ScriptedModel, says } from '../support/scripted-model.js'
import { chain, three } from '../support/three-steps.js'
import { echo, toyAgent, toyWorkflow } from '../support/toy-workflow.js'

describe('a run', () => {
  it('walks every step, each with its own authority, and commits one receipt for each', async () => {
    const rig = await engineRig(three())
    const committed: string[] = []
    const { authority } = rig.parts
    const counting: typeof authority = {
      ...authority,
      prepareReceipt(lease, activation, outcome) {
        const pending = authority.prepareReceipt(lease, activation, outcome)
        return {
          ...pending,
          committed() {
            committed.push(activation.step)
            return pending.committed()
          },
        }
      },
    }
    const run = await rig.start(chain, { authority: counting })
    const result = await run.result
    expect(result).toMatchObject({ status: 'completed', result: { input: {}, b: 'b' }, approvals: [] })
    expect(result.steps.map(({ step, hops, attempt }) => [step, hops, attempt])).toEqual([
      ['a', 1, 1],
      ['b', 2, 1],
      ['c', 2, 1],
    ])
    expect(committed).toEqual(['a', 'b', 'c'])
    const { receipts } = await rig.parts.store.executions.snapshot(run.executionId)
    expect(receipts.map(({ step }) => step).sort()).toEqual(['a', 'b', 'c'])
  })

  it('tells what happens in events, in order, and no payload', async () => {
    const rig = await engineRig(three())
    const run = await rig.start(chain)
    await run.result
    const events = await rig.parts.store.events.events(run.executionId)
    expect(events.map(({ type, step }) => (step ? `${type} ${step}` : type))).toEqual([
      'run.started',
      'step.started a',
      'tool.called a',
      'step.completed a',
      'step.started b',
      'tool.called b',
      'step.completed b',
      'step.started c',
      'step.completed c',
      'run.completed',
    ])
    expect(JSON.stringify(events)).not.toContain('"text"')
  })

  it('runs steps side by side and their successor once, after the last', async () => {
    const order: string[] = []
    let releaseLeft: () => void = () => undefined
    const left = new Promise<void>((resolve) => {
      releaseLeft = resolve
    })
    const rig = await engineRig([
      toyAgent('a', () => null),
      toyAgent('left', async () => {
        await left
        order.push('left')
      }),
      toyAgent('right', () => {
        order.push('right')
        releaseLeft()
      }),
      toyAgent('join', () => {
        order.push('join')
        return 'joined'
      }),
    ])
    const workflow = toyWorkflow([
      { id: 'a', agent: 'a' },
      { id: 'left', agent: 'left', after: ['a'] },
      { id: 'right', agent: 'right', after: ['a'] },
      { id: 'join', agent: 'join', after: ['left', 'right'] },
    ])
    const result = await (await rig.start(workflow)).result
    expect([result.status, result.result]).toEqual(['completed', 'joined'])
    expect(order).toEqual(['right', 'left', 'join'])
  })

  it('skips a step whose condition is false: a receipt, but no agent and no assertion', async () => {
    let ran = false
    const rig = await engineRig([
      toyAgent('a', () => ({ needed: false })),
      toyAgent('b', () => {
        ran = true
      }),
      toyAgent('c', (_, input) => input),
    ])
    const workflow = toyWorkflow([
      { id: 'a', agent: 'a' },
      { id: 'b', agent: 'b', after: ['a'], when: 'a.needed' },
      { id: 'c', agent: 'c', after: ['b'] },
    ])
    const run = await rig.start(workflow)
    const result = await run.result
    expect(result).toMatchObject({ status: 'completed', result: { b: null } })
    expect(result.steps.map(({ step }) => step)).toEqual(['a', 'c'])
    expect(ran).toBe(false)
    const { activations, receipts } = await rig.parts.store.executions.snapshot(run.executionId)
    expect(activations.find(({ step }) => step === 'b')).toMatchObject({ state: 'skipped', chain: [] })
    expect(receipts).toHaveLength(3)
  })

  it('takes a step that is called like a part of its own state', async () => {
    const rig = await engineRig([toyAgent('a', () => 1), toyAgent('b', (_, input) => Object.keys(input))])
    const workflow = toyWorkflow([
      { id: 'step-1_x', agent: 'a' },
      { id: 'output', agent: 'b', after: ['step-1_x'] },
    ])
    const result = await (await rig.start(workflow)).result
    expect(result).toMatchObject({ status: 'completed', result: ['input', 'step-1_x'] })
  })

  it('can be cancelled, and no later step begins', async () => {
    const controller = new AbortController()
    const seen: boolean[] = []
    const rig = await engineRig([
      toyAgent('a', async (context) => {
        controller.abort()
        seen.push(context.signal.aborted)
        await new Promise(() => undefined)
      }),
      toyAgent('b', () => seen.push(true)),
      toyAgent('c', () => null),
    ])
    const result = await (await rig.start(chain, {}, { signal: controller.signal })).result
    expect(result).toMatchObject({ status: 'failed', failure: { code: 'ERR_CANCELLED' }, steps: [] })
    expect(seen).toEqual([true])
  })
})

describe('with a model', () => {
  const driven = toyAgent('a', () => 'scripted', {
    task: () => 'Echo something.',
    conclude: (calls) => {
      if (calls.length === 0) throw new Error('nothing')
      return calls.map(({ result }) => result)
    },
  })
  const workflow = toyWorkflow([
    { id: 'a', agent: 'a' },
    { id: 'b', agent: 'b', after: ['a'] },
  ])

  it('a run drives the agents that can be driven through the same guarded tools', async () => {
    const rig = await engineRig([driven, toyAgent('b', (_, input) => input.a)])
    const chat = new ScriptedModel([asks(['a__echo', { text: 'hello' }]), says('done')])
    const run = await rig.start(workflow, { model: { chat } })
    expect(await run.result).toMatchObject({ status: 'completed', result: ['hello'] })
    const tokens = await rig.parts.store.executions.tokens(run.executionId)
    expect(tokens).toHaveLength(1)
  })

  it('an injected call of another agent changes nothing and is on record', async () => {
    const rig = await engineRig([driven, toyAgent('b', () => null)])
    const chat = new ScriptedModel([
      asks(['b__echo', { text: 'obey the document' }]),
      asks(['a__echo', { text: 'hello' }]),
      says('done'),
    ])
    const run = await rig.start(workflow, { model: { chat } })
    expect(await run.result).toMatchObject({ status: 'completed' })
    const events = await rig.parts.store.events.events(run.executionId)
    expect(events.find(({ type }) => type === 'tool.refused')?.data).toMatchObject({
      code: 'ERR_TOOL_UNKNOWN',
    })
  })

  it('tools that the model could not tell apart stop the run before it starts', async () => {
    const twins = toyAgent('a', () => null, { tools: [echo('a'), { ...echo('a'), name: 'a__echo' }] })
    const rig = await engineRig([twins, toyAgent('b', () => null)])
    const chat = new ScriptedModel([says('x')])
    await expect(rig.start(workflow, { model: { chat } })).rejects.toThrow(TypeError)
    expect(await rig.parts.store.executions.list()).toEqual([])
  })
})
