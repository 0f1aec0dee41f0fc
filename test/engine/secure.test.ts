import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { RunnableLambda } from '@langchain/core/runnables'
import { tool } from '@langchain/core/tools'
import {
  Annotation,
  Command,
  getConfig,
  getCurrentTaskInput,
  interrupt,
  MemorySaver,
  MessagesAnnotation,
  Send,
  START,
  StateGraph,
} from '@langchain/langgraph'
import { ToolNode } from '@langchain/langgraph/prebuilt'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { assertWrapped, type GuardStep, secureCompiled, type ToolLike } from '../../runtime/engine/secure.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'

const State = Annotation.Root({
  seen: Annotation<string[]>({ reducer: (a, b) => a.concat(b), default: () => [] }),
  box: Annotation<{ items: string[] }>,
})

function recorder() {
  const nodes: string[] = []
  const tasks: string[] = []
  const guardStep: GuardStep = (call, invokeInner) => {
    nodes.push(call.node)
    tasks.push(call.taskId)
    return invokeInner()
  }
  return { nodes, tasks, guardStep }
}

describe('a secured graph', () => {
  it('runs every node through the guard, also subgraphs, fan-outs and Command targets', async () => {
    const inner = new StateGraph(State)
      .addNode('x', () => ({ seen: ['x'] }))
      .addEdge(START, 'x')
      .compile()
    const compiled = new StateGraph(State)
      .addNode('a', () => new Command({ goto: 'b', update: { seen: ['a'] } }), { ends: ['b'] })
      .addNode('b', () => ({ seen: ['b'] }))
      .addNode('sub', inner)
      .addNode('item', () => ({ seen: ['item'] }))
      .addEdge(START, 'a')
      .addEdge('b', 'sub')
      .addConditionalEdges('sub', () => [
        new Send('item', { box: { items: [] } }),
        new Send('item', { box: { items: [] } }),
      ])
      .compile()
    const { nodes, tasks, guardStep } = recorder()
    const result = await secureCompiled(compiled, { guardStep }).invoke({ seen: [], box: { items: [] } })
    expect(nodes).toEqual(['a', 'b', 'sub', 'sub/x', 'item', 'item'])
    expect(new Set(tasks).size).toBe(6)
    expect(result.seen).toEqual(['a', 'b', 'a', 'b', 'x', 'item', 'item'])
  })

  it('runs an error handler through the guard, which knows what failed', async () => {
    const compiled = new StateGraph(State)
      .addNode('a', () => Promise.reject(new Error('boom')), {
        errorHandler: (_state, error) => ({ seen: [`handled ${error.node}`] }),
      })
      .addEdge(START, 'a')
      .compile()
    const { nodes, guardStep } = recorder()
    const result = await secureCompiled(compiled, { guardStep }).invoke({ seen: [] })
    expect(nodes).toHaveLength(2)
    expect(result.seen).toEqual(['handled a'])
  })

  it('does not run a node that the guard refuses', async () => {
    let ran = false
    const compiled = new StateGraph(State)
      .addNode('a', () => {
        ran = true
        return {}
      })
      .addEdge(START, 'a')
      .compile()
    secureCompiled(compiled, { guardStep: () => Promise.reject(new Error('refused')) })
    await expect(compiled.invoke({ seen: [] })).rejects.toThrow('refused')
    expect(ran).toBe(false)
  })

  it('is guarded once, however often it is secured', async () => {
    const compiled = new StateGraph(State)
      .addNode('a', () => ({ seen: ['a'] }))
      .addEdge(START, 'a')
      .compile()
    const { nodes, guardStep } = recorder()
    secureCompiled(secureCompiled(compiled, { guardStep }), { guardStep })
    await compiled.invoke({ seen: [] })
    expect(nodes).toEqual(['a'])
  })

  it('is refused when one node would run without the guard', async () => {
    const make = () =>
      new StateGraph(State)
        .addNode('a', () => ({}))
        .addNode('b', () => ({}))
        .addEdge(START, 'a')
        .addEdge('a', 'b')
        .compile()
    const { guardStep } = recorder()
    const compiled = secureCompiled(make(), { guardStep })
    assertWrapped(compiled)
    compiled.nodes.b.bound = make().nodes.b.bound
    const error = await expectCode(() => assertWrapped(compiled), 'ERR_NODE_UNWRAPPED')
    expect(error.message).toContain('"b"')
    await expectCode(() => assertWrapped(make()), 'ERR_NODE_UNWRAPPED')
    await expectCode(() => assertWrapped({}), 'ERR_NODE_UNWRAPPED')
  })

  it('is refused when a branch or a node of a subgraph would be left out', async () => {
    const { guardStep } = recorder()
    const inner = new StateGraph(State)
      .addNode('x', () => ({}))
      .addEdge(START, 'x')
      .compile()
    const compiled = new StateGraph(State)
      .addNode('a', () => ({}))
      .addNode('sub', inner)
      .addEdge(START, 'a')
      .addConditionalEdges('a', () => 'sub')
      .compile()
    secureCompiled(compiled, { guardStep })
    const original = inner.nodes.x.bound
    inner.nodes.x.bound = RunnableLambda.from(() => ({})) as typeof original
    await expectCode(() => assertWrapped(compiled), 'ERR_NODE_UNWRAPPED')
    inner.nodes.x.bound = original
    assertWrapped(compiled)
    const branches = Object.values(compiled.builder.branches.a ?? {})
    for (const branch of branches) branch.path = RunnableLambda.from(() => 'sub')
    await expectCode(() => assertWrapped(compiled), 'ERR_NODE_UNWRAPPED')
  })

  it('is refused when a node is cached, since its result would pass the guard by', async () => {
    const compiled = new StateGraph(State)
      .addNode('a', () => ({}), { cachePolicy: true })
      .addEdge(START, 'a')
      .compile()
    await expectCode(() => secureCompiled(compiled, recorder()), 'ERR_NODE_UNWRAPPED')
  })
})

describe('what a guarded node sees of the state', () => {
  it('is frozen, and what it returns can be changed by reducers but not by the node any more', async () => {
    const kept: { items: string[] } = { items: ['mine'] }
    const errors: unknown[] = []
    const compiled = new StateGraph(State)
      .addNode('a', (state) => {
        try {
          state.box.items.push('tampered')
        } catch (error) {
          errors.push(error)
        }
        return { box: kept }
      })
      .addNode('b', (state) => {
        kept.items.push('later')
        return { seen: [state.box.items.join()] }
      })
      .addEdge(START, 'a')
      .addEdge('a', 'b')
      .compile()
    const input = { seen: [], box: { items: ['given'] } }
    const result = await secureCompiled(compiled, recorder()).invoke(input)
    expect(errors[0]).toBeInstanceOf(TypeError)
    expect(result.seen).toEqual(['mine'])
    expect(input.box.items).toEqual(['given'])
  })

  it('keeps the messages reducer working', async () => {
    const compiled = new StateGraph(MessagesAnnotation)
      .addNode('a', (state) => ({ messages: [...state.messages, new AIMessage('one')] }))
      .addNode('b', () => ({ messages: [new AIMessage('two')] }))
      .addEdge(START, 'a')
      .addEdge('a', 'b')
      .compile()
    const result = await secureCompiled(compiled, recorder()).invoke({ messages: [new HumanMessage('hi')] })
    expect(result.messages.map((message) => message.content)).toEqual(['hi', 'one', 'two'])
    expect(result.messages.at(-1)).toBeInstanceOf(AIMessage)
  })

  it('is a copy in conditional edges, too', async () => {
    const tampered: unknown[] = []
    const compiled = new StateGraph(State)
      .addNode('a', () => ({ seen: ['a'] }))
      .addNode('b', (state) => ({ seen: state.seen.includes('evil') ? ['bad'] : ['good'] }))
      .addEdge(START, 'a')
      .addConditionalEdges('a', (state, config) => {
        tampered.push(Object.keys(config.configurable ?? {}).filter((key) => key.startsWith('__pregel')))
        try {
          state.seen.push('evil')
        } catch {
          // Frozen or not, what counts is that the next node does not see it.
        }
        return 'b'
      })
      .compile()
    const result = await secureCompiled(compiled, recorder()).invoke({ seen: [] })
    expect(result.seen).toEqual(['a', 'good'])
    expect(tampered).toEqual([[]])
  })
})

describe("a guarded node's config", () => {
  function probe(run: (config: Record<string, unknown>) => unknown) {
    const probes: unknown[] = []
    const compiled = new StateGraph(State)
      .addNode('a', (_state, config) => {
        for (const found of [config, getConfig()])
          probes.push(run((found?.configurable ?? {}) as Record<string, unknown>))
        return { seen: ['a'] }
      })
      .addEdge(START, 'a')
      .compile({ checkpointer: new MemorySaver() })
    return { compiled: secureCompiled(compiled, recorder()), probes }
  }

  attack('X11', 'the config offers no way to read state, to start tasks or to open a thread', async () => {
    const { compiled, probes } = probe((configurable) => [
      typeof configurable.__pregel_read,
      typeof configurable.__pregel_call,
      configurable.__pregel_checkpointer,
      Object.keys(configurable).sort(),
    ])
    await compiled.invoke({ seen: [] }, { configurable: { thread_id: 't', api_key: 'secret' } })
    const keys = [
      '__pregel_checkpointer',
      '__pregel_scratchpad',
      '__pregel_send',
      'checkpoint_ns',
      'thread_id',
    ]
    expect(probes).toEqual([
      ['undefined', 'undefined', {}, keys],
      ['undefined', 'undefined', {}, keys],
    ])
  })

  it('offers no way to write a channel', async () => {
    const { compiled } = probe((configurable) => {
      const send = configurable.__pregel_send as (writes: unknown[]) => void
      send([
        ['box', { items: ['forged'] }],
        ['branch:to:a', null],
      ])
    })
    const result = await compiled.invoke(
      { seen: [], box: { items: [] } },
      { configurable: { thread_id: 't' } },
    )
    expect(result.box).toEqual({ items: [] })
    expect(result.seen).toEqual(['a'])
  })

  it("leads to the node's copy of the state only", async () => {
    let input: unknown
    const compiled = new StateGraph(State)
      .addNode('a', (state, config) => {
        input = getCurrentTaskInput(config) === state && Object.isFrozen(getCurrentTaskInput(config))
        return {}
      })
      .addEdge(START, 'a')
      .compile()
    await secureCompiled(compiled, recorder()).invoke({ seen: [] })
    expect(input).toBe(true)
  })

  it('still lets a node ask twice and get both answers', async () => {
    const compiled = new StateGraph(State)
      .addNode('a', () => ({ seen: [interrupt('first'), interrupt('second')] }))
      .addEdge(START, 'a')
      .compile({ checkpointer: new MemorySaver() })
    secureCompiled(compiled, recorder())
    const options = { configurable: { thread_id: 't' } }
    await compiled.invoke({ seen: [] }, options)
    await compiled.invoke(new Command({ resume: 1 }), options)
    const result = await compiled.invoke(new Command({ resume: 2 }), options)
    expect(result.seen).toEqual([1, 2])
  })

  it('does not hand the config of an outer graph to a graph that a node runs by itself', async () => {
    let seen: string[] = []
    const inner = new StateGraph(State)
      .addNode('x', (_state, config) => {
        seen = Object.keys(config.configurable ?? {}).filter(
          (key) => key === 'tenant' || key === '__pregel_read',
        )
        return {}
      })
      .addEdge(START, 'x')
      .compile()
    secureCompiled(inner, recorder())
    const outer = new StateGraph(State)
      .addNode('a', async () => {
        await inner.invoke({ seen: [] })
        return {}
      })
      .addEdge(START, 'a')
      .compile()
    await outer.invoke({ seen: [] }, { configurable: { tenant: 'x' } })
    expect(seen).toEqual([])
  })
})

describe('a subgraph under the guard', () => {
  it('can still be interrupted, resumed, inspected and drawn', async () => {
    const inner = new StateGraph(State)
      .addNode('x', () => ({ seen: [interrupt('ok?') as string] }))
      .addNode('y', () => ({}))
      .addEdge(START, 'x')
      .addEdge('x', 'y')
      .compile()
    const compiled = new StateGraph(State)
      .addNode('sub', inner)
      .addEdge(START, 'sub')
      .compile({ checkpointer: new MemorySaver() })
    const { nodes, guardStep } = recorder()
    secureCompiled(compiled, { guardStep })
    const options = { configurable: { thread_id: 't' } }
    await compiled.invoke({ seen: [] }, options)
    const state = await compiled.getState(options, { subgraphs: true })
    expect(state.next).toEqual(['sub'])
    expect(state.tasks[0]?.state).toMatchObject({ next: ['x'] })
    const result = await compiled.invoke(new Command({ resume: 'yes' }), options)
    expect(result.seen).toEqual(['yes'])
    expect(nodes).toEqual(['sub', 'sub/x', 'sub', 'sub/x', 'sub/y'])
    expect((await compiled.getGraphAsync({ xray: true })).drawMermaid()).toContain('sub_x --> sub_y')
  })
})

describe('a ToolNode under the guard', () => {
  const weather = tool(async ({ city }) => `sunny in ${city}`, {
    name: 'weather',
    description: 'weather',
    schema: z.object({ city: z.string() }),
  })

  it('calls guarded tools, and the shared node stays as it was', async () => {
    const toolNode = new ToolNode([weather])
    const calls: string[] = []
    const guardTool = (node: string, original: ToolLike): ToolLike => ({
      name: original.name,
      invoke: (input, config) => {
        calls.push(`${node}:${original.name}`)
        return original.invoke(input, config)
      },
    })
    const build = () =>
      new StateGraph(MessagesAnnotation).addNode('tools', toolNode).addEdge(START, 'tools').compile()
    const call = { name: 'weather', args: { city: 'Oslo' }, id: 'c1', type: 'tool_call' as const }
    const input = () => ({ messages: [new AIMessage({ content: '', tool_calls: [call] })] })
    const result = await secureCompiled(build(), { ...recorder(), guardTool }).invoke(input())
    expect(result.messages.at(-1)).toBeInstanceOf(ToolMessage)
    expect(result.messages.at(-1)?.content).toBe('sunny in Oslo')
    expect(calls).toEqual(['tools:weather'])
    await build().invoke(input())
    expect(calls).toHaveLength(1)
    expect(toolNode.tools).toEqual([weather])
  })
})

describe('a result that is itself something to run', () => {
  it('is refused, also as a way to go', async () => {
    const runnable = RunnableLambda.from(() => ({ seen: ['late'] }))
    const compiled = new StateGraph(State)
      .addNode('a', () => ({}))
      .addEdge(START, 'a')
      .compile()
    secureCompiled(compiled, { guardStep: async () => runnable })
    await expectCode(compiled.invoke({ seen: [] }), 'ERR_STEP_FAILED')
  })
})
