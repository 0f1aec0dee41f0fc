import { Command, getConfig, interrupt, ParentCommand } from '@langchain/langgraph'
import { describe, expect, it } from 'vitest'
import { AgenticError } from '../../runtime/errors.js'
import type { AgentContext } from '../../runtime/identity/agent.js'
import { engineRig } from '../support/engine-rig.js'
import { toyAgent, toyWorkflow } from '../support/toy-workflow.js'

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
