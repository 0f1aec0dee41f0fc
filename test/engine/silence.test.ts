import { awaitAllCallbacks } from '@langchain/core/callbacks/promises'
import { RunnableLambda } from '@langchain/core/runnables'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { Annotation, getConfig, interrupt, MemorySaver, START, StateGraph } from '@langchain/langgraph'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { silently } from '../../runtime/engine/silence.js'
import { engineRig } from '../support/engine-rig.js'
import { toyAgent, toyWorkflow } from '../support/toy-workflow.js'

const state = Annotation.Root({ a: Annotation<string> })

const nested = new StateGraph(state)
  .addNode('m', async () => ({ a: await RunnableLambda.from(() => 'x').invoke('y') }))
  .addEdge(START, 'm')
  .compile()

/** A graph whose node asks a model, runs a runnable and another graph, as an agent's code may. */
function graph() {
  const model = new FakeListChatModel({ responses: ['hi'] })
  return new StateGraph(state)
    .addNode('n', async () => {
      const answer = await model.invoke('a secret prompt')
      await RunnableLambda.from(() => 1).invoke('x')
      await nested.invoke({ a: 'secret' })
      return { a: String(answer.content) }
    })
    .addEdge(START, 'n')
    .compile()
}

describe('with tracing and printing switched on in the environment', () => {
  const printed = vi.fn()
  const posted = vi.fn(async () => new Response('{}'))

  beforeEach(() => {
    vi.stubEnv('LANGSMITH_TRACING', 'true')
    vi.stubEnv('LANGCHAIN_TRACING_V2', 'true')
    vi.stubEnv('LANGCHAIN_TRACING', 'true')
    vi.stubEnv('LANGCHAIN_VERBOSE', 'true')
    vi.stubEnv('LANGSMITH_API_KEY', 'key')
    vi.stubEnv('LANGSMITH_ENDPOINT', 'http://127.0.0.1:9')
    vi.stubGlobal('fetch', posted)
    vi.spyOn(console, 'log').mockImplementation(printed)
    printed.mockClear()
    posted.mockClear()
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.unstubAllGlobals()
  })

  it('a run of ours posts nothing and prints nothing', async () => {
    await silently(() => graph().invoke({ a: 'secret' }))
    await awaitAllCallbacks()
    expect(printed).not.toHaveBeenCalled()
    expect(posted).not.toHaveBeenCalled()
  })

  it('nor does a workflow that the engine runs', async () => {
    const agent = toyAgent('a', async () => {
      await new FakeListChatModel({ responses: ['hi'] }).invoke('a secret prompt')
      return (await nested.invoke({ a: 'secret' })).a
    })
    const rig = await engineRig([agent])
    const { result } = await rig.start(toyWorkflow([{ id: 'a', agent: 'a' }]))
    expect(await result).toMatchObject({ status: 'completed', result: 'x' })
    await awaitAllCallbacks()
    expect(printed).not.toHaveBeenCalled()
    expect(posted).not.toHaveBeenCalled()
  })

  it('while a run without it does both', async () => {
    await graph().invoke({ a: 'secret' })
    await awaitAllCallbacks()
    expect(printed).toHaveBeenCalled()
    expect(posted).toHaveBeenCalled()
  })
})

describe('a silent run', () => {
  it('does not inherit the config of a node it is started from', async () => {
    let seen: unknown = 'not run'
    const inner = new StateGraph(state)
      .addNode('n', () => {
        seen = getConfig()?.configurable?.tenant
        return {}
      })
      .addEdge(START, 'n')
      .compile()
    const outer = new StateGraph(state)
      .addNode('n', async () => {
        await silently(() => inner.invoke({ a: '' }))
        return {}
      })
      .addEdge(START, 'n')
      .compile()
    await outer.invoke({ a: '' }, { configurable: { tenant: 'other' } })
    expect(seen).toBeUndefined()
  })

  it('can still be interrupted', async () => {
    const asking = new StateGraph(state)
      .addNode('n', () => ({ a: interrupt('?') as string }))
      .addEdge(START, 'n')
      .compile({ checkpointer: new MemorySaver() })
    const options = { configurable: { thread_id: 't' } }
    const result = await silently(() => asking.invoke({ a: '' }, options))
    expect(result).toHaveProperty('__interrupt__')
  })
})
