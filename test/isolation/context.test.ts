import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AgenticError } from '../../runtime/errors.js'
import type { AgentContext, ToolDefinition } from '../../runtime/identity/agent.js'
import { type ContextRequest, createContext } from '../../runtime/isolation/context.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'

const read: ToolDefinition = {
  name: 'repository/read',
  description: 'reads',
  parameters: z.object({ path: z.string() }),
  scope: 'repo:read',
  run: () => null,
}

function open(overrides: Partial<ContextRequest> = {}) {
  const seen: { args: unknown[]; refused: unknown[]; called: string[]; lines: string[]; ended: number } = {
    args: [],
    refused: [],
    called: [],
    lines: [],
    ended: 0,
  }
  const controller = new AbortController()
  const opened = createContext({
    run: { id: 'run-1', workflow: 'w' },
    step: { id: 'scan', activation: 'act-1', attempt: 1 },
    tools: [read],
    client: {
      call: async (_tool, args) => {
        seen.args.push(args)
        return { files: ['a'] }
      },
      end: () => {
        seen.ended += 1
      },
    },
    signal: controller.signal,
    log: (line) => seen.lines.push(line),
    called: (call) => seen.called.push(call.tool),
    refused: async (refusal) => {
      seen.refused.push(refusal)
    },
    ...overrides,
  })
  return { ...opened, seen, controller }
}

describe('a context', () => {
  it('calls a tool of the agent and gives its result as a frozen copy', async () => {
    const result = { files: ['a'] }
    const { context, calls, seen } = open({ client: { call: async () => result, end: () => undefined } })
    const got = (await context.tool('repository/read')({ path: 'a' })) as { files: string[] }
    expect(got).toEqual(result)
    expect(got).not.toBe(result)
    expect(() => got.files.push('b')).toThrow(TypeError)
    expect(seen.called).toEqual(['repository/read'])
    expect(calls()).toEqual([{ tool: 'repository/read', args: { path: 'a' }, result }])
  })

  it('hands on a copy of the arguments, so that a later change reaches nobody', async () => {
    const { context, seen } = open()
    const args = { path: 'a', nested: { deep: 1 } }
    const pending = context.tool('repository/read')(args)
    args.path = 'b'
    args.nested.deep = 2
    await pending
    expect(seen.args).toEqual([{ path: 'a', nested: { deep: 1 } }])
  })

  it('refuses arguments that carry code or an instance along', async () => {
    const { context, seen } = open()
    const call = context.tool('repository/read')
    await expectCode(call({ path: (() => 'a') as unknown as string }), 'ERR_ARGUMENT_INVALID')
    class Sneaky {
      readonly path = 'a'
    }
    await expectCode(call({ nested: new Sneaky() as unknown as string }), 'ERR_ARGUMENT_INVALID')
    await expectCode(call([] as unknown as Record<string, string>), 'ERR_ARGUMENT_INVALID')
    expect(seen.args).toEqual([])
    await call({ path: 'a' })
  })

  it("knows only the agent's own tools, and reports the attempt", async () => {
    const { context, seen } = open()
    await expectCode(context.tool('repository/write')({}), 'ERR_TOOL_UNKNOWN')
    await expectCode(context.tool('__proto__')({}), 'ERR_TOOL_UNKNOWN')
    expect(seen.refused).toEqual([
      { tool: 'repository/write', code: 'ERR_TOOL_UNKNOWN' },
      { tool: '__proto__', code: 'ERR_TOOL_UNKNOWN' },
    ])
    expect(seen.args).toEqual([])
  })

  it('shows the agent a refusal without its cause', async () => {
    const { context, seen } = open({
      client: {
        call: async () => {
          throw new AgenticError('ERR_ARGUMENT_REFUSED', 'argument "path" is refused', {
            cause: { token: 'secret' },
          })
        },
        end: () => undefined,
      },
    })
    const error = await expectCode(context.tool('repository/read')({ path: 'a' }), 'ERR_ARGUMENT_REFUSED')
    expect(error.cause).toBeUndefined()
    expect(error.stack).not.toContain('context.ts')
    expect(seen.refused).toEqual([{ tool: 'repository/read', code: 'ERR_ARGUMENT_REFUSED' }])
  })

  it('turns an error that is not ours into ERR_TOOL_FAILED without its text', async () => {
    const { context } = open({
      client: {
        call: async () => {
          throw new Error('connect 10.0.0.1 with secret')
        },
        end: () => undefined,
      },
    })
    const error = await expectCode(context.tool('repository/read')({ path: 'a' }), 'ERR_TOOL_FAILED')
    expect(error.message).not.toContain('secret')
  })

  attack('X11', 'it dies with its activation: tool, call, log, and a call under way', async () => {
    let answer: (value: unknown) => void = () => undefined
    const { context, end, seen, calls } = open({
      client: {
        call: () =>
          new Promise((resolve) => {
            answer = resolve
          }),
        end: () => {
          seen.ended += 1
        },
      },
    })
    const call = context.tool('repository/read')
    const underWay = call({ path: 'a' })
    context.log('alive')
    end()
    end()
    answer({ files: [] })
    await expectCode(underWay, 'ERR_CONTEXT_ENDED')
    await expectCode(call({ path: 'a' }), 'ERR_CONTEXT_ENDED')
    await expectCode(() => context.tool('repository/read'), 'ERR_CONTEXT_ENDED')
    await expectCode(() => context.log('late'), 'ERR_CONTEXT_ENDED')
    expect(seen.lines).toEqual(['alive'])
    expect(seen.ended).toBe(1)
    expect(calls()).toEqual([])
    expect(seen.refused).toEqual([])
  })

  it('has a signal that follows the step and that the agent cannot fire for others', () => {
    const { context, controller } = open()
    let heard = 0
    controller.signal.addEventListener('abort', () => {
      heard += 1
    })
    context.signal.dispatchEvent(new Event('abort'))
    expect([heard, controller.signal.aborted]).toEqual([0, false])
    controller.abort()
    expect(context.signal.aborted).toBe(true)
  })

  it('bounds what an agent may log', () => {
    const { context, seen } = open()
    for (let line = 0; line < 1500; line += 1) context.log('x'.repeat(3000))
    expect(seen.lines).toHaveLength(1000)
    expect(seen.lines[0]).toHaveLength(2000)
    expect(() => context.log({} as string)).toThrow(TypeError)
  })
})

describe('nothing but data and its own functions is reachable from a context', () => {
  const secrets = { key: { sign: () => 'signed' }, token: 'eyJ.secret.token' }

  /** Every object that properties and prototypes lead to, except what every program can reach anyway. */
  function reachable(root: unknown): Set<unknown> {
    const shared = new Set<unknown>([globalThis])
    for (const intrinsic of [Object, Function, Array, Promise, AbortSignal, EventTarget, String, Error]) {
      shared.add(intrinsic)
      shared.add(intrinsic.prototype)
    }
    const found = new Set<unknown>()
    const visit = (value: unknown): void => {
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
        found.add(value)
        return
      }
      if (found.has(value) || shared.has(value)) return
      found.add(value)
      visit(Object.getPrototypeOf(value))
      for (const key of Reflect.ownKeys(value)) {
        const descriptor = Object.getOwnPropertyDescriptor(value, key)
        if (descriptor && 'value' in descriptor) visit(descriptor.value)
      }
    }
    visit(root)
    return found
  }

  attack('X11', 'no key, token, client or engine is reachable from it, also not after a call', async () => {
    const client = Object.assign(
      { call: async () => ({ ok: true }), end: () => undefined },
      { secrets, engine: { authority: {} } },
    )
    const controller = new AbortController()
    const { context } = open({ client, signal: controller.signal })
    const call = context.tool('repository/read')
    const result = await call({ path: 'a' })
    for (const root of [context, call, result] as unknown[]) {
      const found = reachable(root)
      for (const hidden of [
        client,
        secrets,
        secrets.key,
        secrets.token,
        controller,
        controller.signal,
        read,
        read.parameters,
      ]) {
        expect(found.has(hidden)).toBe(false)
      }
    }
  })

  it('and the agent cannot replace a part of it', () => {
    const { context } = open()
    const changed = context as { -readonly [K in keyof AgentContext]: AgentContext[K] }
    expect(() => {
      changed.tool = () => async () => 'mine'
    }).toThrow(TypeError)
    expect(() => Object.assign(context.step, { id: 'other' })).toThrow(TypeError)
    expect(() => Object.assign(context.tool, { call: 1 })).toThrow(TypeError)
  })
})
