import { Command } from '@langchain/langgraph'
import { describe, expect, it } from 'vitest'
import { buildGraph } from '../../runtime/engine/graph.js'
import { openScope } from '../../runtime/engine/scope.js'
import { secureRun } from '../../runtime/engine/secure-run.js'
import { engineRig } from '../support/engine-rig.js'
import { expectCode } from '../support/expect-code.js'
import { echo, toyAgent, toyWorkflow } from '../support/toy-workflow.js'

const gate = (id: string, opens: string) => ({
  id,
  gate: { opens, tool: `${opens}/echo`, arguments: { text: 'a.text' } },
  after: ['a'],
})
const workflow = toyWorkflow([
  { id: 'a', agent: 'a' },
  gate('ask', 'b'),
  { id: 'b', agent: 'b', after: ['ask'], approval: 'ask' },
])

async function rigged() {
  const done: string[] = []
  const effect = echo('b', ({ text }) => {
    done.push(text)
    return text
  })
  const rig = await engineRig([
    toyAgent('a', () => {
      done.push('a ran')
      return { text: 'approved text' }
    }),
    toyAgent('b', (context) => context.tool('b/echo')({ text: 'approved text' }), { tools: [effect] }),
  ])
  return { ...rig, done }
}

const typesOf = async (rig: Awaited<ReturnType<typeof rigged>>, executionId: string) =>
  (await rig.parts.store.events.events(executionId)).map(({ type }) => type)

describe('a gate', () => {
  it('pauses the run with the whole call, and another engine goes on after the approval', async () => {
    const rig = await rigged()
    const first = await rig.start(workflow)
    const paused = await first.result
    expect(paused).toMatchObject({
      status: 'waiting',
      approvals: [
        { gate: 'ask', opens: 'b', tool: 'b/echo', args: { text: 'approved text' }, state: 'pending' },
      ],
    })
    expect(rig.done).toEqual(['a ran'])
    await rig.decide(first.executionId, 'ask', 'approved')
    const second = await rig.engine().resume({ executionId: first.executionId, workflow })
    expect(await second.result).toMatchObject({ status: 'completed', result: 'approved text' })
    expect(rig.done).toEqual(['a ran', 'approved text'])
    const { activations, receipts, approvals } = await rig.parts.store.executions.snapshot(first.executionId)
    expect(receipts.map(({ step }) => step)).toEqual(['a', 'ask', 'b'])
    expect(activations.map(({ step, state, attempt }) => [step, state, attempt]).sort()).toEqual([
      ['a', 'completed', 1],
      ['ask', 'completed', 1],
      ['b', 'completed', 1],
    ])
    expect(approvals.map(({ state }) => state)).toEqual(['consumed'])
  })

  it('asks once, however often the run is resumed without an answer', async () => {
    const rig = await rigged()
    const { executionId, result } = await rig.start(workflow)
    await result
    for (let turn = 0; turn < 2; turn += 1) {
      const again = await rig.engine().resume({ executionId, workflow })
      expect((await again.result).status).toBe('waiting')
    }
    const { approvals } = await rig.parts.store.executions.snapshot(executionId)
    expect(approvals).toHaveLength(1)
    const types = await typesOf(rig, executionId)
    expect(types.filter((type) => type === 'approval.requested')).toHaveLength(1)
    expect(types.filter((type) => type === 'run.waiting')).toHaveLength(3)
    expect(rig.done).toEqual(['a ran'])
  })

  it('ends the run when the answer is no', async () => {
    const rig = await rigged()
    const { executionId, result } = await rig.start(workflow)
    await result
    await rig.decide(executionId, 'ask', 'denied')
    const again = await rig.engine().resume({ executionId, workflow })
    expect(await again.result).toMatchObject({
      status: 'refused',
      failure: { code: 'ERR_APPROVAL_DENIED', step: 'ask' },
    })
    expect(rig.done).toEqual(['a ran'])
    await expectCode(rig.engine().resume({ executionId, workflow }), 'ERR_EXECUTION_ENDED')
  })

  it('goes on in the same process when the answer comes at once, and pauses when none does', async () => {
    const rig = await rigged()
    const asked: string[] = []
    const run = await rig.start(
      workflow,
      {},
      {
        async onApproval(question) {
          asked.push(question.tool)
          await rig.decide(question.executionId, 'ask', 'approved')
          return true
        },
      },
    )
    expect(await run.result).toMatchObject({ status: 'completed', approvals: [] })
    expect(asked).toEqual(['b/echo'])
    const types = await typesOf(rig, run.executionId)
    expect(types).not.toContain('run.resumed')
    const other = await rig.start(workflow, {}, { onApproval: async () => false })
    expect((await other.result).status).toBe('waiting')
  })

  it('does not take a claim for an answer: what says it decided but did not is asked again', async () => {
    const rig = await rigged()
    let asked = 0
    const run = await rig.start(
      workflow,
      {},
      {
        onApproval: async () => {
          asked += 1
          return asked < 3
        },
      },
    )
    expect((await run.result).status).toBe('waiting')
    expect([asked, rig.done]).toEqual([3, ['a ran']])
  })

  it('does not believe what the graph is resumed with', async () => {
    const rig = await rigged()
    const { executionId, result } = await rig.start(workflow)
    await result
    const execution = await rig.parts.authority.takeOver(executionId, workflow)
    const scope = openScope(execution, workflow, rig.deps())
    const { graph } = secureRun(buildGraph(workflow).compile({ checkpointer: scope.checkpointer }), scope)
    const resume = new Command({ resume: { decision: 'approved' } }) as never
    const config = { configurable: { thread_id: executionId }, durability: 'sync' }
    await expectCode(graph.invoke(resume, config), 'ERR_APPROVAL_REQUIRED')
    expect(rig.done).toEqual(['a ran'])
  })

  it('is skipped with its condition, and then nothing is asked', async () => {
    const conditional = toyWorkflow(
      [
        { id: 'a', agent: 'a' },
        { ...gate('ask', 'b'), when: 'a.text == "other"' },
        { id: 'b', agent: 'b', after: ['ask'], approval: 'ask', when: 'a.text == "other"' },
      ],
      { result: 'a' },
    )
    const rig = await rigged()
    const run = await rig.start(conditional)
    expect((await run.result).status).toBe('completed')
    const { approvals } = await rig.parts.store.executions.snapshot(run.executionId)
    expect(approvals).toEqual([])
    expect(rig.done).toEqual(['a ran'])
  })
})

describe('two gates side by side', () => {
  const two = toyWorkflow(
    [
      { id: 'a', agent: 'a' },
      gate('ask-b', 'b'),
      gate('ask-c', 'c'),
      { id: 'b', agent: 'b', after: ['ask-b'], approval: 'ask-b' },
      { id: 'c', agent: 'c', after: ['ask-c'], approval: 'ask-c' },
    ],
    { result: 'b' },
  )

  it('are answered one by one: the answer of one opens nothing of the other', async () => {
    const effects: string[] = []
    const doing = (id: string) =>
      toyAgent(id, (context) => context.tool(`${id}/echo`)({ text: 'approved text' }), {
        tools: [echo(id, () => effects.push(id))],
      })
    const rig = await engineRig([toyAgent('a', () => ({ text: 'approved text' })), doing('b'), doing('c')])
    const { executionId, result } = await rig.start(two)
    expect((await result).approvals.map(({ gate: id }) => id).sort()).toEqual(['ask-b', 'ask-c'])
    await rig.decide(executionId, 'ask-c', 'approved')
    const half = await (await rig.engine().resume({ executionId, workflow: two })).result
    expect(half).toMatchObject({ status: 'waiting', approvals: [{ gate: 'ask-b' }] })
    await rig.decide(executionId, 'ask-b', 'approved')
    const whole = await (await rig.engine().resume({ executionId, workflow: two })).result
    expect(whole.status).toBe('completed')
    expect(effects.sort()).toEqual(['b', 'c'])
    const { receipts } = await rig.parts.store.executions.snapshot(executionId)
    expect(receipts.map(({ step }) => step).sort()).toEqual(['a', 'ask-b', 'ask-c', 'b', 'c'])
  })
})
