import { describe, expect, it } from 'vitest'
import { type ClientDeps, createActivationClients } from '../../runtime/client/activation-client.js'
import type { ToolInvocation } from '../../runtime/client/tool-server.js'
import { digestOf } from '../../runtime/encoding/digest.js'
import { createResourceHandler } from '../../runtime/guard/resource.js'
import { createToolServer } from '../../runtime/guard/tool-server.js'
import type { ToolDefinition } from '../../runtime/identity/agent.js'
import { idempotencyKey } from '../../runtime/tokens/idempotency.js'
import { attack } from '../support/attack.js'
import { openHouse, startRun } from '../support/authority-house.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { claimsOf, forge } from '../support/forger.js'
import { guardOf } from '../support/guard-house.js'
import { audience, issuer } from '../support/intent-claims.js'
import { shippingTools } from '../support/shipping.js'

const read = shippingTools['stock/read'] as ToolDefinition
const args = { item: 'apples' }

/** The client of the step `look`, against a real authority and a real guard. */
async function looking(
  changes: Partial<ClientDeps> = {},
  local: ToolDefinition['run'] = () => ({ count: 3 }),
) {
  const house = await openHouse()
  const run = await startRun(house)
  const activation = await run.reach('look')
  const guard = guardOf(house)
  const resource = { id: 'stock', tools: [{ definition: read, handler: () => ({ count: 3 }) }] }
  const handler = createResourceHandler(resource, audience, guard)
  const { http: _, ...inProcess } = { ...read, run: local }
  const toolServer = createToolServer(audience, () => inProcess, guard)
  const invocations: ToolInvocation[] = []
  const deps: ClientDeps = {
    issuer: house.authority,
    toolServer: {
      audience,
      invoke(invocation) {
        invocations.push(invocation)
        return toolServer.invoke(invocation)
      },
    },
    resourceUrl: (id) => (id === 'stock' ? audience : undefined),
    clock: house.clock,
    fetch: ((url: string, init: RequestInit) => handler(new Request(url, init))) as typeof fetch,
    ...changes,
  }
  const abort = new AbortController()
  const client = createActivationClients(deps).open({
    activation,
    workflow: { id: 'shipping' },
    agentKey: fixedKey('reader'),
    input: { from: 'step' },
    signal: abort.signal,
  })
  return { house, run, activation, client, inProcess, invocations, abort }
}

describe('the client of a step', () => {
  it('calls a resource with all that its guard demands', async () => {
    const { client, activation } = await looking()
    expect(await client.call(read, args)).toEqual({ count: 3 })
    const { tokens, calls } = client.ledger()
    expect(tokens).toHaveLength(1)
    const argsDigest = digestOf(args)
    const place = { activationId: activation.activationId, tool: 'stock/read', argsDigest, ordinal: 0 }
    expect(calls).toEqual([
      {
        tool: 'stock/read',
        argsDigest,
        resultDigest: digestOf({ count: 3 }),
        idempotencyKey: idempotencyKey(place),
      },
    ])
  })

  it('calls a tool of this process alike, and hands the step’s input on', async () => {
    const { client, inProcess, invocations } = await looking()
    expect(await client.call(inProcess, args)).toEqual({ count: 3 })
    expect(invocations).toMatchObject([{ tool: 'stock/read', args, input: { from: 'step' } }])
    expect(client.ledger().calls).toHaveLength(1)
  })

  it('counts the calls with the same tool and arguments, so that each is an effect of its own', async () => {
    const { client, inProcess, invocations } = await looking()
    await client.call(inProcess, args)
    await client.call(inProcess, args)
    expect(invocations.map(({ proof }) => claimsOf(proof).ajwt_ord)).toEqual([0, 1])
    const keys = client.ledger().calls.map((call) => call.idempotencyKey)
    expect(new Set(keys).size).toBe(2)
    expect(client.ledger().tokens).toHaveLength(1)
  })

  it('puts only what succeeded into the ledger', async () => {
    const { client } = await looking()
    await expectCode(client.call(read, { item: 'pears' }), 'ERR_ARGUMENT_REFUSED')
    await expectCode(client.call(read, { item: 7 }), 'ERR_ARGUMENT_INVALID')
    expect(client.ledger().calls).toEqual([])
    expect(client.ledger().tokens).toHaveLength(1)
  })

  attack('X11', 'gives out its ledger as a copy', async () => {
    const { client } = await looking()
    await client.call(read, args)
    const { tokens, calls } = client.ledger()
    Object.assign(tokens, { length: 0 })
    Object.assign(calls, { length: 0 })
    expect(client.ledger()).toMatchObject({ tokens: { length: 1 }, calls: { length: 1 } })
  })

  attack('T9', 'gets no token for a tool that the step does not hold', async () => {
    const { client } = await looking()
    const write = shippingTools['stock/write'] as ToolDefinition
    await expectCode(client.call(write, { item: 'apples', count: 1 }), 'ERR_SCOPE_MISSING')
  })

  it('knows only the resources of this runtime', async () => {
    const { client } = await looking()
    const elsewhere = { ...read, http: { resource: 'moon', method: 'POST', path: '/read' } as const }
    await expectCode(client.call(elsewhere, args), 'ERR_TARGET_INVALID')
  })

  it('cannot call a tool of this process before the step holds an assertion', async () => {
    const { house, activation, inProcess } = await looking()
    const accessToken = forge({ typ: 'at+jwt' }, { jti: 'token-1' }, fixedKey('authority'))
    const issued = {
      accessToken,
      tokenType: 'DPoP',
      expiresIn: 300,
      scope: ['stock:read'],
      tools: [],
    } as const
    const client = createActivationClients({
      issuer: { issuer, issue: async () => issued },
      toolServer: { audience, invoke: async () => null },
      resourceUrl: () => undefined,
      clock: house.clock,
      fetch,
    }).open({
      activation: { ...activation, chain: [] },
      workflow: { id: 'shipping' },
      agentKey: fixedKey('reader'),
      input: null,
      signal: new AbortController().signal,
    })
    await expectCode(client.call(inProcess, args), 'ERR_CHAIN_EMPTY')
  })
})

describe('the client of a step that has ended', () => {
  attack(['X4', 'X11'], 'calls nothing any more', async () => {
    const { client, invocations, inProcess } = await looking()
    await client.call(inProcess, args)
    client.end()
    await expectCode(client.call(inProcess, args), 'ERR_CONTEXT_ENDED')
    expect(invocations).toHaveLength(1)
    const { client: unused } = await looking()
    unused.end()
    await expectCode(unused.call(inProcess, args), 'ERR_CONTEXT_ENDED')
    expect(unused.ledger().tokens).toEqual([])
  })

  attack('X4', 'does not send a call whose token was under way', async () => {
    const setting = await looking()
    const calling = setting.client.call(setting.inProcess, args)
    setting.client.end()
    await expectCode(calling, 'ERR_CONTEXT_ENDED')
    expect(setting.invocations).toEqual([])
  })

  it('aborts what is under way, and does not count it', async () => {
    let aborted = false
    const { client, inProcess } = await looking({}, (_args, info) => {
      const done = new Promise((resolve) =>
        info.signal.addEventListener('abort', () => resolve({ count: 0 })),
      )
      info.signal.addEventListener('abort', () => {
        aborted = true
      })
      queueMicrotask(() => client.end())
      return done
    })
    await expectCode(client.call(inProcess, args), 'ERR_CONTEXT_ENDED')
    expect(aborted).toBe(true)
    expect(client.ledger().calls).toEqual([])
  })

  it('passes on the run’s own signal', async () => {
    let seen: AbortSignal | undefined
    const { client, inProcess, abort } = await looking({}, (_args, info) => {
      seen = info.signal
      return null
    })
    await client.call(inProcess, args)
    abort.abort()
    expect(seen?.aborted).toBe(true)
  })
})
