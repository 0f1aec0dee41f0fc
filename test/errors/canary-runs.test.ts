import { AIMessage } from '@langchain/core/messages'
import { afterEach, beforeEach, describe, expect, vi } from 'vitest'
import { AgenticError } from '../../runtime/index.js'
import { attack } from '../support/attack.js'
import { agents } from '../support/ledger.js'
import { asks, type Reply, ScriptedModel } from '../support/scripted-model.js'
import {
  type CanaryHouse,
  canaryHouse,
  everything,
  type Scenario,
  type Sent,
  type Wire,
} from './canary-house.js'

let house: CanaryHouse
let spies: { readonly mock: { readonly calls: readonly unknown[][] } }[]

beforeEach(async () => {
  house = await canaryHouse()
  spies = (['log', 'info', 'warn', 'error', 'debug', 'trace'] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation(() => undefined),
  )
})

afterEach(async () => {
  await house.close()
  for (const spy of spies) for (const call of spy.mock.calls) house.watch.look('the console', String(call))
  expect(house.watch.leaks).toEqual([])
})

/** Runs each scenario to the end it must come to, which is part of the proof that it did what it says. */
async function runAll(scenarios: readonly (readonly [fact: string, ends: string, scenario: Scenario])[]) {
  const ends: [string, string][] = []
  for (const [fact, , scenario] of scenarios) ends.push([fact, await house.run(scenario)])
  expect(ends).toEqual(scenarios.map(([fact, end]) => [fact, end]))
}

const failing = (error: unknown) => () => {
  throw error
}

/** What an agent or a tool could throw that holds all it knows. */
const thrown: readonly (readonly [fact: string, error: unknown])[] = [
  ['an error', new Error(everything)],
  ['an error with a cause', new TypeError(everything, { cause: new Error(everything) })],
  ['several errors', new AggregateError([new Error(everything)], everything)],
  [
    'an error that claims to be ours',
    Object.assign(new Error(everything), { name: 'AgenticError', code: 'ERR_TOOL_FAILED' }),
  ],
  [
    'ours with a cause',
    new AgenticError('ERR_TOOL_FAILED', 'it did not work', { cause: new Error(everything) }),
  ],
  ['an object', { message: everything, code: 'ERR_TOOL_FAILED' }],
  ['a text', everything],
]

describe('secrets stay where they are', { timeout: 120_000 }, () => {
  attack('X16', 'while everything goes well: the marks are there to be found', async () => {
    expect(await house.run({})).toBe('completed')
    expect(house.watch.secrets).toBeGreaterThan(60)
    expect(house.watch.looks).toBeGreaterThan(15)
    const leaking = { agents: { payer: { run: () => ({ amount: 1 }) } }, handlers: { read: () => null } }
    expect(await house.run(leaking)).toBe('completed')
  })

  attack('X16', 'when an agent fails with all it knows', async () => {
    await runAll(
      thrown.map(([fact, error]) => {
        const end = error instanceof AgenticError ? error.code : 'ERR_STEP_FAILED'
        return [fact, end, { agents: { payer: { run: failing(error) } } }]
      }),
    )
    await runAll([
      ['a function', 'ERR_STEP_FAILED', { agents: { payer: { run: () => () => everything } } }],
      [
        'a strange tool',
        'ERR_TOOL_UNKNOWN',
        { agents: { payer: { run: (context) => context.tool(everything)({}) } } },
      ],
      [
        'a strange argument',
        'ERR_ARGUMENT_INVALID',
        { agents: { payer: { run: (context) => context.tool('ledger/pay')({ [everything]: everything }) } } },
      ],
      [
        'no argument',
        'ERR_ARGUMENT_INVALID',
        { agents: { payer: { run: (context) => context.tool('ledger/pay')(everything as never) } } },
      ],
      [
        'an argument outside the grant',
        'ERR_ARGUMENT_REFUSED',
        {
          agents: {
            payer: { run: (context) => context.tool('ledger/pay')({ account: everything, amount: 40 }) },
          },
        },
      ],
      [
        'a plan that does not fit',
        'ERR_INPUT_INVALID',
        { agents: { planner: { run: () => ({ [everything]: everything }) } } },
      ],
      ['an input that does not fit', 'ERR_INPUT_INVALID', { input: { [everything]: everything } }],
    ])
  })

  attack('X16', 'when a tool fails with all it knows', async () => {
    await runAll(
      thrown.map(([fact, error]) => [fact, 'ERR_TOOL_FAILED', { handlers: { pay: failing(error) } }]),
    )
    await runAll([
      [
        'ours of another kind',
        'ERR_TOOL_FAILED',
        { handlers: { pay: failing(new AgenticError('ERR_STORE_FAILED', everything)) } },
      ],
      [
        'what is no JSON',
        'ERR_TOOL_FAILED',
        { handlers: { pay: () => ({ [everything]: () => everything }) } },
      ],
    ])
  })

  attack('X16', 'when the wire is cut, or tampered with', async () => {
    const onPay =
      (meddle: Wire): Wire =>
      (url, sent, send) =>
        url.endsWith('/pay') ? meddle(url, sent, send) : send()
    const changing = (change: (sent: Sent) => void) => ({
      wire: onPay((_url, sent, send) => {
        change(sent)
        return send()
      }),
    })
    const saying = (status: number, body: (sent: string) => string) => ({
      wire: onPay(
        async (_url, { headers }) => new Response(body(headers['authorization'] ?? ''), { status }),
      ),
    })
    await runAll([
      [
        'cut, and the error quotes the request',
        'ERR_TOOL_FAILED',
        {
          wire: onPay(async (_url, sent) => {
            throw new Error(JSON.stringify(sent))
          }),
        },
      ],
      ['an answer that is no JSON', 'ERR_TOOL_FAILED', saying(200, (sent) => sent)],
      ['an echo', 'ERR_TOOL_FAILED', saying(500, (sent) => JSON.stringify({ error_description: sent }))],
      [
        'an echo with a code',
        'ERR_SCOPE_MISSING',
        saying(403, (sent) => JSON.stringify({ code: 'ERR_SCOPE_MISSING', error_description: `no ${sent}` })),
      ],
      [
        'an echo from a tool',
        'ERR_TOOL_FAILED',
        saying(422, (sent) => JSON.stringify({ code: 'ERR_TOOL_FAILED', error_description: sent })),
      ],
      ['an echo as the code', 'ERR_TOOL_FAILED', saying(400, (sent) => JSON.stringify({ code: sent }))],
      [
        'another body',
        'ERR_PROOF_REQUEST',
        changing((sent) => {
          sent.body = JSON.stringify({ account: everything, amount: 1 })
        }),
      ],
      [
        'a body that is no JSON',
        'ERR_JSON_INVALID',
        changing((sent) => {
          sent.body = everything
        }),
      ],
      [
        'two tokens',
        'ERR_TOKEN_MALFORMED',
        changing((sent) => {
          sent.headers['authorization'] += ` ${everything}`
        }),
      ],
      [
        'a token cut short',
        'ERR_SIGNATURE_INVALID',
        changing((sent) => {
          sent.headers['authorization'] = sent.headers['authorization']?.replace(/....$/, 'AAAA') ?? ''
        }),
      ],
      [
        'no proof',
        'ERR_PROOF_MISSING',
        changing((sent) => {
          delete sent.headers['dpop']
        }),
      ],
      [
        'the token for a proof',
        'ERR_TYP_MISMATCH',
        changing((sent) => {
          sent.headers['dpop'] = sent.headers['authorization']?.slice(5) ?? ''
        }),
      ],
      [
        'the proof for a token',
        'ERR_HEADER_REFUSED',
        changing((sent) => {
          sent.headers['authorization'] = `DPoP ${sent.headers['dpop']}`
        }),
      ],
      [
        'the token for a chain',
        'ERR_TYP_MISMATCH',
        changing((sent) => {
          sent.headers['delegation-chain'] = sent.headers['authorization']?.slice(5) ?? ''
        }),
      ],
      [
        'a chain without its middle',
        'ERR_SIGNATURE_INVALID',
        changing((sent) => {
          sent.headers['delegation-chain'] = sent.headers['delegation-chain']?.replace(/, .*, /, ', ') ?? ''
        }),
      ],
      [
        'a chain cut short',
        'ERR_CHAIN_HASH',
        changing((sent) => {
          sent.headers['delegation-chain'] = sent.headers['delegation-chain']?.replace(/, [^,]*$/, '') ?? ''
        }),
      ],
      [
        'a chain twice',
        'ERR_SIGNATURE_INVALID',
        changing((sent) => {
          sent.headers['delegation-chain'] =
            `${sent.headers['delegation-chain']}, ${sent.headers['delegation-chain']}`
        }),
      ],
      [
        'another type of content',
        'ERR_REQUEST_INVALID',
        changing((sent) => {
          sent.headers['content-type'] = everything
        }),
      ],
      [
        'a replay',
        'ERR_PROOF_REPLAYED',
        {
          wire: onPay(async (_url, _sent, send) => {
            await send()
            return send()
          }),
        },
      ],
    ])
  })

  attack('X16', 'when a model, or its provider, says all it was told', async () => {
    const driven = {
      payer: {
        task: () => everything,
        conclude: (calls: readonly unknown[]) => {
          if (calls.length === 0) throw new Error(everything)
          return { done: true }
        },
      },
    }
    const modelled = (...replies: Reply[]) => ({
      agents: driven,
      model: { name: 'test:model', chat: new ScriptedModel(replies), limits: { maxTurns: 3, maxRetries: 0 } },
    })
    const refused = (fields: object) => Object.assign(new Error(everything), fields)
    await runAll([
      ['a provider that fails', 'ERR_MODEL_FAILED', modelled(new Error(everything))],
      [
        'a provider that refuses the key',
        'ERR_MODEL_FAILED',
        modelled(refused({ status: 401, error: { message: everything } })),
      ],
      ['a provider that has another code', 'ERR_MODEL_FAILED', modelled(refused({ status: everything }))],
      ['a model that only talks', 'ERR_MODEL_OUTPUT', modelled(new AIMessage(everything))],
      ['a model that names a strange tool', 'ERR_MODEL_LOOP', modelled(asks([everything, { everything }]))],
      [
        'a model that gives strange arguments',
        'ERR_MODEL_LOOP',
        modelled(asks(['ledger__pay', { [everything]: everything }])),
      ],
      [
        'a model that pays somebody else',
        'ERR_APPROVAL_USED',
        modelled(asks(['ledger__pay', { account: everything, amount: 40 }])),
      ],
      [
        'what is no model',
        'ERR_MODEL_UNAVAILABLE',
        { agents: driven, model: { name: 'test:model', chat: {} } },
      ],
    ])
  })

  attack('X16', 'when a person or the operator says no', async () => {
    await runAll([
      ['a gate that is denied', 'ERR_APPROVAL_DENIED', { approve: 'denied' }],
      [
        'an agent whose declared tool is missing',
        'ERR_TOOL_UNKNOWN',
        { agents: { payer: { tools: [], run: agents.payer.run } } },
      ],
    ])
  })
})
