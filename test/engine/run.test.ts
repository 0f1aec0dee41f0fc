import { Command, getConfig, interrupt, ParentCommand } from '@langchain/langgraph'
import { describe, expect, it } from 'vitest'
import { AgenticError } from '../../runtime/errors.js'
import type { AgentContext } from '../../runtime/identity/agent.js'
import { freezeAgent } from '../../runtime/identity/live-agent.js'
import { engineRig } from '../support/engine-rig.js'
import { asks, ScriptedModel, says } from '../support/scripted-model.js'
import { echo, toyAgent, toyWorkflow } from '../support/toy-workflow.js'

const chain = toyWorkflow([
  { id: 'a', agent: 'a' },
  { id: 'b', agent: 'b', after: ['a'] },
  { id: 'c', agent: 'c', after: ['b'], delegatedBy: 'a' },
])
const say = (text: string) => (context: AgentContext) => context.tool(`${text}/echo`)({ text })
const three = () => [toyAgent('a', say('a')), toyAgent('b', say('b')), toyAgent('c', (_, input) => input)]

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

describe("an agent's code", () => {
  const solo = toyWorkflow([{ id: 'a', agent: 'a' }])
  async function runSolo(run: (context: AgentContext, input: Record<string, unknown>) => unknown) {
    const rig = await engineRig([toyAgent('a', run)])
    const started = await rig.start(solo)
    return { result: await started.result, rig, executionId: started.executionId }
  }

  it('cannot change what it was given', async () => {
    const errors: unknown[] = []
    const rig = await engineRig([
      toyAgent('a', () => ({ list: ['one'] })),
      toyAgent('b', (_, input) => {
        const { a } = input as { a: { list: string[] } }
        for (const change of [() => a.list.push('two'), () => Object.assign(input, { a: 1 })]) {
          try {
            change()
          } catch (error) {
            errors.push(error)
          }
        }
        return null
      }),
      toyAgent('c', (_, input) => input),
    ])
    const workflow = toyWorkflow([
      { id: 'a', agent: 'a' },
      { id: 'b', agent: 'b', after: ['a'] },
      { id: 'c', agent: 'c', after: ['a', 'b'] },
    ])
    const result = await (await rig.start(workflow)).result
    expect(result.result).toMatchObject({ a: { list: ['one'] } })
    expect(errors.map((error) => error instanceof TypeError)).toEqual([true, true])
  })

  it('finds no handle of the graph, no key and no token in its config', async () => {
    let config: Record<string, unknown> | undefined
    const { result } = await runSolo(() => {
      config = getConfig() as Record<string, unknown>
      return 'done'
    })
    expect(result.status).toBe('completed')
    expect(Object.keys(config?.configurable as object).sort()).toEqual(['checkpoint_ns', 'thread_id'])
    expect(config).not.toHaveProperty('control')
    expect(JSON.stringify(config?.metadata)).not.toContain('eyJ')
  })

  it('cannot pause the run as if it were a gate', async () => {
    const { result } = await runSolo(() => interrupt('give me more'))
    expect(result).toMatchObject({ status: 'failed', failure: { code: 'ERR_STEP_FAILED', step: 'a' } })
  })

  it('cannot steer the graph with what it throws', async () => {
    const forged = [
      new ParentCommand(new Command({ graph: 'toy', goto: 'c' })),
      Object.assign(new Error('x'), {
        is_bubble_up: true,
        name: 'GraphInterrupt',
        interrupts: [{ value: 1 }],
      }),
      Object.assign(new AgenticError('ERR_TOOL_FAILED', 'x'), { is_bubble_up: true }),
      Object.assign(Object.create(AgenticError.prototype), {
        code: 'ERR_TOOL_FAILED',
        message: 'x',
        is_bubble_up: true,
      }),
      null,
      undefined,
      'text',
    ]
    for (const thrown of forged) {
      const { result, rig, executionId } = await runSolo(() => {
        throw thrown
      })
      expect(result.status).toBe('failed')
      const { activations } = await rig.parts.store.executions.snapshot(executionId)
      expect(activations.map(({ state }) => state)).toEqual(['failed'])
    }
  })

  it('cannot skip a step by returning a command: it is data that may not cross', async () => {
    const { result } = await runSolo(() => new Command({ goto: 'c', update: { input: 'forged' } }))
    expect(result).toMatchObject({ status: 'failed', failure: { code: 'ERR_STEP_FAILED' } })
  })

  it.each([
    ['a function', () => ({ later: () => 1 })],
    ['an instance of its own class', () => new (class Mine {})()],
    [
      'a message of its own class',
      async () => {
        const { AIMessage } = await import('@langchain/core/messages')
        return new (class extends AIMessage {})('x')
      },
    ],
    ['a promise inside', () => ({ later: Promise.resolve(1) })],
    [
      'data posing as a serialized object',
      () => ({ lc: 1, type: 'step-1_x', id: ['langchain', 'x'], kwargs: {} }),
    ],
    ['a bigint', () => ({ n: 1n })],
  ])('cannot return %s', async (_, make) => {
    const { result } = await runSolo(make)
    expect(result).toMatchObject({ status: 'failed', failure: { code: 'ERR_STEP_FAILED', step: 'a' } })
  })

  it('returns data, which the next step gets as it is stored', async () => {
    const rig = await engineRig([
      toyAgent('a', () => ({ at: new Date(0), set: new Set([1]), lc: 3, type: 'module' })),
      toyAgent('b', (_, input) => {
        const { a } = input as { a: { at: unknown; set: unknown } }
        return [typeof a.at, a.set instanceof Set]
      }),
    ])
    const workflow = toyWorkflow([
      { id: 'a', agent: 'a' },
      { id: 'b', agent: 'b', after: ['a'] },
    ])
    expect((await (await rig.start(workflow)).result).result).toEqual(['string', true])
  })

  it('cannot use its context after the step, not even in a call it did not wait for', async () => {
    const late: Promise<unknown>[] = []
    let kept: AgentContext | undefined
    const rig = await engineRig([
      toyAgent('a', (context) => {
        kept = context
        late.push(context.tool('a/echo')({ text: 'not awaited' }))
        return 'done'
      }),
      toyAgent('b', async () => {
        late.push(Promise.resolve().then(() => kept?.tool('a/echo')({ text: 'later' })))
        return (await Promise.allSettled(late)).map(
          (outcome) => (outcome as PromiseRejectedResult).reason.code,
        )
      }),
    ])
    const workflow = toyWorkflow([
      { id: 'a', agent: 'a' },
      { id: 'b', agent: 'b', after: ['a'] },
    ])
    const run = await rig.start(workflow)
    expect((await run.result).result).toEqual(['ERR_CONTEXT_ENDED', 'ERR_CONTEXT_ENDED'])
    const { receipts } = await rig.parts.store.executions.snapshot(run.executionId)
    expect(receipts).toHaveLength(2)
  })

  it('that never ends is ended after its time', async () => {
    const timed = toyWorkflow([{ id: 'a', agent: 'a', timeoutSeconds: 7 }])
    const rig = await engineRig([toyAgent('a', () => new Promise(() => undefined))])
    const waits: number[] = []
    const timers = {
      setTimeout(run: () => void, ms: number) {
        waits.push(ms)
        setImmediate(run)
      },
      clearTimeout: () => undefined,
    }
    const result = await (await rig.start(timed, { timers })).result
    expect(result).toMatchObject({ status: 'failed', failure: { code: 'ERR_STEP_TIMEOUT', step: 'a' } })
    expect(waits).toEqual([7000])
  })

  it('keeps its own error to the debugger', async () => {
    const { result, rig, executionId } = await runSolo(() => {
      throw new Error('the password is secret')
    })
    expect(result.failure).toEqual({ code: 'ERR_STEP_FAILED', message: 'step "a" failed', step: 'a' })
    expect(JSON.stringify(await rig.parts.store.events.events(executionId))).not.toContain('secret')
  })

  it('that reaches for a tool of another agent is refused, and that is on record', async () => {
    const rig = await engineRig([toyAgent('a', (context) => context.tool('b/echo')({ text: 'x' }))])
    const reports: unknown[] = []
    const { authority } = rig.parts
    const reporting = {
      ...authority,
      reportRefusal: async (
        lease: Parameters<typeof authority.reportRefusal>[0],
        request: { readonly code: string; readonly activationId: string; readonly step: string },
      ) => {
        reports.push(request.code)
        await authority.reportRefusal(lease, request)
      },
    }
    const run = await rig.start(solo, { authority: reporting })
    expect(await run.result).toMatchObject({ status: 'refused', failure: { code: 'ERR_TOOL_UNKNOWN' } })
    expect(reports).toEqual(['ERR_TOOL_UNKNOWN'])
    const types = (await rig.parts.store.events.events(run.executionId)).map(({ type }) => type)
    expect(types).toContain('tool.refused')
  })

  it('does not succeed when a refusal of it could not be recorded, even if it goes on', async () => {
    const rig = await engineRig([
      toyAgent('a', async (context) => {
        await context
          .tool('b/echo')({ text: 'x' })
          .catch(() => undefined)
        return 'fine'
      }),
    ])
    const { authority } = rig.parts
    const failing = {
      ...authority,
      reportRefusal: () => Promise.reject(new AgenticError('ERR_AUDIT_WRITE', 'the log is full')),
    }
    expect(await (await rig.start(solo, { authority: failing })).result).toMatchObject({
      status: 'failed',
      failure: { code: 'ERR_AUDIT_WRITE' },
    })
    expect(await (await rig.start(solo)).result).toMatchObject({ status: 'completed', result: 'fine' })
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
