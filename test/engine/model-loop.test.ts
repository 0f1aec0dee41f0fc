import { AIMessage, type BaseMessage, ToolMessage } from '@langchain/core/messages'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { driveWithModel, type ModelLimits } from '../../runtime/engine/model-loop.js'
import { AgenticError, type ErrorCode } from '../../runtime/errors.js'
import type { AgentDefinition } from '../../runtime/identity/agent.js'
import { freezeAgent } from '../../runtime/identity/live-agent.js'
import { createContext } from '../../runtime/isolation/context.js'
import { expectCode } from '../support/expect-code.js'
import { type FakeTimers, fakeTimers } from '../support/fake-timers.js'
import { asks, type Reply, ScriptedModel, says } from '../support/scripted-model.js'

const definition: AgentDefinition = {
  id: 'scanner',
  prompt: 'You scan.\n  Keep   this spacing.',
  scopes: ['repo:read'],
  tools: [
    {
      name: 'repository/read',
      description: 'reads one file',
      parameters: z.strictObject({ path: z.string() }),
      scope: 'repo:read',
      run: () => null,
    },
  ],
  run: () => null,
  task: (input: { repo: string }) => `Scan ${input.repo}.`,
  conclude: (calls) => {
    if (calls.length === 0) throw new Error('nothing was read')
    return { read: calls.map(({ args }) => args.path) }
  },
}

interface Options {
  readonly limits?: Partial<ModelLimits>
  readonly timers?: FakeTimers
  readonly call?: (args: Record<string, unknown>) => unknown
}

async function drive(replies: readonly Reply[], options: Options = {}) {
  const agent = await freezeAgent(definition)
  const refused: { tool: string; code: ErrorCode }[] = []
  const controller = new AbortController()
  const opened = createContext({
    run: { id: 'r', workflow: 'w' },
    step: { id: 'scan', activation: 'a', attempt: 1 },
    tools: agent.definition.tools,
    client: { call: async (_tool, args) => options.call?.(args) ?? { text: 'data' }, end: () => undefined },
    signal: controller.signal,
    log: () => undefined,
    called: () => undefined,
    refused: async (refusal) => void refused.push(refusal),
  })
  const model = new ScriptedModel(replies)
  const output = driveWithModel({
    agent,
    model,
    context: opened.context,
    input: { repo: 'shop' },
    calls: opened.calls,
    timers: options.timers ?? fakeTimers(-1),
    ...(options.limits && { limits: options.limits }),
  })
  output.catch(() => undefined)
  return { output, model, refused, controller }
}

function lastTool(messages: readonly BaseMessage[] | undefined): Record<string, unknown> {
  const message = messages?.at(-1)
  expect(message).toBeInstanceOf(ToolMessage)
  return JSON.parse(String(message?.content)) as Record<string, unknown>
}

const read = (path: string): AIMessage => asks(['repository__read', { path }])

describe('a step driven by a model', () => {
  it('has the exact prompt, the task and the hashed schemas, and an output made from its calls', async () => {
    const { output, model } = await drive([read('package.json'), says('I patched everything, trust me.')])
    expect(await output).toEqual({ read: ['package.json'] })
    expect(model.asked[0]?.map((message) => [message.getType(), message.content])).toEqual([
      ['system', definition.prompt],
      ['human', 'Scan shop.'],
    ])
    expect(model.boundTools).toEqual([
      {
        name: 'repository__read',
        description: 'reads one file',
        schema: expect.objectContaining({ type: 'object', required: ['path'], additionalProperties: false }),
      },
    ])
    expect(lastTool(model.asked[1])).toEqual({ text: 'data' })
  })

  it('cannot claim what it did not do: without a sufficient call there is no output', async () => {
    const { output } = await drive([says('All done: {"read": ["package.json"]}')])
    await expectCode(output, 'ERR_MODEL_OUTPUT')
  })

  it('is told when it names a tool of somebody else, and the attempt is reported', async () => {
    const { output, model, refused } = await drive([
      asks(['repository__write', { path: 'x' }]),
      read('a'),
      says(''),
    ])
    expect(await output).toEqual({ read: ['a'] })
    expect(lastTool(model.asked[1])).toMatchObject({ error: 'ERR_TOOL_UNKNOWN' })
    expect(refused).toEqual([{ tool: 'repository__write', code: 'ERR_TOOL_UNKNOWN' }])
  })

  it('may correct itself after a refusal by policy', async () => {
    const call = ({ path }: Record<string, unknown>) => {
      if (path !== 'a') throw new AgenticError('ERR_ARGUMENT_REFUSED', 'argument "path" is refused')
      return { text: 'data' }
    }
    const { output, model, refused } = await drive([read('/etc/passwd'), read('a'), says('')], { call })
    expect(await output).toEqual({ read: ['a'] })
    expect(lastTool(model.asked[1])).toEqual({
      error: 'ERR_ARGUMENT_REFUSED',
      message: 'argument "path" is refused',
    })
    expect(refused).toEqual([{ tool: 'repository/read', code: 'ERR_ARGUMENT_REFUSED' }])
  })

  it.each([
    'ERR_APPROVAL_ARGUMENTS',
    'ERR_APPROVAL_USED',
    'ERR_EPOCH_STALE',
    'ERR_AGENT_REVOKED',
    'ERR_AUDIT_WRITE',
  ] as const)('ends at once at %s, which no model can correct', async (code) => {
    const call = () => {
      throw new AgenticError(code, 'no')
    }
    const { output, model } = await drive([read('a'), says('')], { call })
    await expectCode(output, code)
    expect(model.asked).toHaveLength(1)
  })

  it('gets a mended history after malformed arguments, so that its provider takes it', async () => {
    const bad = new AIMessage({
      content: '',
      invalid_tool_calls: [
        { name: 'repository__read', args: '{"path": ', id: 'bad_1', type: 'invalid_tool_call' },
      ],
    })
    const { output, model, refused } = await drive([bad, read('a'), says('')])
    expect(await output).toEqual({ read: ['a'] })
    expect(lastTool(model.asked[1])).toMatchObject({ error: 'ERR_ARGUMENT_INVALID' })
    const kept = model.asked[1]?.at(-2) as AIMessage
    expect(kept.tool_calls).toEqual([{ name: 'repository__read', args: {}, id: 'bad_1', type: 'tool_call' }])
    expect(model.asked[1]?.at(-1)).toMatchObject({ tool_call_id: 'bad_1' })
    expect(refused).toEqual([])
  })

  it('gets ids and names mended, too', async () => {
    const bad = new AIMessage({
      content: '',
      tool_calls: [
        { name: 'rm -rf /', args: {}, id: 'same', type: 'tool_call' },
        { name: 'repository__read', args: { path: 'a' }, id: 'same', type: 'tool_call' },
      ],
    })
    const { output, model } = await drive([bad, says('')])
    expect(await output).toEqual({ read: ['a'] })
    const kept = model.asked[1]?.at(-3) as AIMessage
    const calls = kept.tool_calls ?? []
    expect(calls.map(({ name }) => name)).toEqual(['unknown_tool', 'repository__read'])
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2)
  })

  it('sees a long result cut', async () => {
    const { output, model } = await drive([read('a'), says('')], {
      call: () => ({ text: 'x'.repeat(100_000) }),
    })
    await output
    const content = String(model.asked[1]?.at(-1)?.content)
    expect(content.length).toBeLessThan(33_000)
    expect(content.endsWith('… [cut]')).toBe(true)
  })
})

describe('a model that does not end', () => {
  it('is stopped when it repeats one call; three times are allowed', async () => {
    const { output, model } = await drive([read('a')])
    await expectCode(output, 'ERR_MODEL_LOOP')
    expect(model.asked).toHaveLength(4)
    const allowed = await drive([read('a'), read('a'), read('a'), says('')])
    expect(await allowed.output).toEqual({ read: ['a', 'a', 'a'] })
  })

  it('is stopped after its turns', async () => {
    let turn = 0
    const { output, model } = await drive([() => read(`file-${turn++}`)], { limits: { maxTurns: 5 } })
    await expectCode(output, 'ERR_MODEL_LOOP')
    expect(model.asked).toHaveLength(5)
  })

  it('is stopped after its calls, also those of one answer', async () => {
    let made = 0
    const many = asks(
      ...Array.from({ length: 65 }, (_, n) => ['repository__read', { path: `f${n}` }] as const),
    )
    const { output } = await drive([many, says('')], {
      call: () => {
        made += 1
        return {}
      },
    })
    await expectCode(output, 'ERR_MODEL_LOOP')
    expect(made).toBe(64)
  })
})

describe('a provider that fails', () => {
  const answers = (status: number, headers: Record<string, string> = {}) =>
    Object.assign(new Error('the prompt was: secret'), { status, headers: new Headers(headers) })

  it('is asked again when it is overloaded, each time later', async () => {
    const timers = fakeTimers(8000)
    const { output } = await drive([answers(429), answers(503), answers(500), read('a'), says('')], {
      timers,
      limits: { callTimeoutMs: 60_000 },
    })
    expect(await output).toEqual({ read: ['a'] })
    expect(timers.waits.filter((ms) => ms < 60_000)).toEqual([1000, 2000, 4000])
  })

  it('is asked again when it said, unless that is too long', async () => {
    const timers = fakeTimers(20_000)
    const { output } = await drive([answers(429, { 'retry-after': '17' }), read('a'), says('')], { timers })
    await output
    expect(timers.waits).toContain(17_000)
    const long = await drive([answers(429, { 'retry-after': '3600' }), read('a'), says('')], { timers })
    await expectCode(long.output, 'ERR_MODEL_FAILED')
  })

  it('is given up after some retries', async () => {
    const { output, model } = await drive([answers(503)], { timers: fakeTimers(20_000) })
    await expectCode(output, 'ERR_MODEL_FAILED')
    expect(model.asked).toHaveLength(5)
  })

  it.each([400, 401, 404])('is not asked again after %i, and its text goes no further', async (status) => {
    const { output, model } = await drive([answers(status), read('a')])
    const error = await expectCode(output, 'ERR_MODEL_FAILED')
    expect(error.message).toBe(`the model provider answered ${status}`)
    expect(model.asked).toHaveLength(1)
  })

  it('is not asked again when the quota is spent', async () => {
    const spent = Object.assign(answers(429), { code: 'insufficient_quota' })
    const { output, model } = await drive([spent, read('a')])
    await expectCode(output, 'ERR_MODEL_FAILED')
    expect(model.asked).toHaveLength(1)
  })

  it('that never answers is timed out', async () => {
    const { output } = await drive(['hang'], { timers: fakeTimers(60_000) })
    await expectCode(output, 'ERR_MODEL_FAILED')
  })

  it('that never answers does not hold up a cancelled step', async () => {
    const { output, controller } = await drive(['hang'])
    controller.abort()
    await expectCode(output, 'ERR_CANCELLED')
  })
})

describe('the loop', () => {
  it('writes nothing to the console', async () => {
    const spies = (['log', 'warn', 'error', 'info', 'debug'] as const).map((name) => vi.spyOn(console, name))
    const { output } = await drive([read('a'), asks(['nope', {}]), says('')])
    await output
    for (const spy of spies) expect(spy).not.toHaveBeenCalled()
  })
})
