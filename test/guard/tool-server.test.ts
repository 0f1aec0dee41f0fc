import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { ToolInvocation } from '../../runtime/client/tool-server.js'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { createToolServer } from '../../runtime/guard/tool-server.js'
import type { ToolCallInfo, ToolDefinition } from '../../runtime/identity/agent.js'
import { createInvocationProof, type InvocationProofRequest } from '../../runtime/tokens/invocation-proof.js'
import { attack } from '../support/attack.js'
import { recordsOf } from '../support/authority-house.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { claimsOf } from '../support/forger.js'
import { counter, guardOf } from '../support/guard-house.js'
import { audience } from '../support/intent-claims.js'

const args: JsonObject = { item: 'apples' }

async function server() {
  const setting = await counter('look', 'stock/read', args)
  const { house, activation, token } = setting
  const ran: { args: JsonObject; info: ToolCallInfo }[] = []
  const definition: ToolDefinition = {
    name: 'stock/read',
    description: 'reads',
    parameters: z.strictObject({ item: z.string() }),
    scope: 'stock:read',
    run: (given: JsonObject, info) => {
      ran.push({ args: given, info })
      return { done: true }
    },
  }
  const { run: _, ...remote } = definition
  const tools = new Map([
    ['stock/read', definition],
    ['stock/remote', { ...remote, name: 'stock/remote' }],
  ])
  const toolServer = createToolServer(audience, (name) => tools.get(name), guardOf(house))
  function invocation(changes: Partial<ToolInvocation> = {}, proven: Partial<InvocationProofRequest> = {}) {
    const leafId = String(claimsOf(activation.chain.at(-1) ?? '').jti)
    const proof = createInvocationProof(
      { leafId, tool: 'stock/read', audience, args, accessToken: token, ...proven },
      fixedKey('reader'),
      house,
    )
    const whole = { token, chain: activation.chain, proof, tool: 'stock/read', args, input: { from: 'step' } }
    return { ...whole, signal: new AbortController().signal, ...changes }
  }
  return { ...setting, toolServer, ran, invocation }
}

describe('a tool of this process', () => {
  it('runs once its invocation is proven, with frozen arguments and the step’s input', async () => {
    const { toolServer, ran, invocation, activation } = await server()
    expect(toolServer.audience).toBe(audience)
    expect(await toolServer.invoke(invocation())).toEqual({ done: true })
    expect(ran).toMatchObject([
      { args, info: { input: { from: 'step' }, agentId: 'reader', activationId: activation.activationId } },
    ])
    expect(Object.isFrozen(ran[0]?.args)).toBe(true)
  })

  const wrong: [
    what: string,
    changes: Partial<ToolInvocation>,
    proven: Partial<InvocationProofRequest>,
    ErrorCode,
  ][] = [
    ['arguments that were not proven', { args: { item: 'pears' } }, {}, 'ERR_PROOF_ARGUMENTS'],
    ['a proof for another tool', {}, { tool: 'stock/write' }, 'ERR_PROOF_TOOL'],
    ['a proof for another server', {}, { audience: 'urn:other' }, 'ERR_PROOF_AUDIENCE'],
    ['a proof with another token', {}, { accessToken: 'another' }, 'ERR_PROOF_TOKEN'],
    ['a proof over another leaf', {}, { leafId: 'another' }, 'ERR_PROOF_LEAF'],
    ['no chain', { chain: [] }, {}, 'ERR_CHAIN_MISSING'],
    ['a chain that is none', { chain: ['x'] }, {}, 'ERR_TOKEN_MALFORMED'],
    ['no token', { token: '' }, {}, 'ERR_TOKEN_MALFORMED'],
    ['no proof', { proof: '' }, {}, 'ERR_TOKEN_MALFORMED'],
    ['a tool that is not here', { tool: 'stock/shell' }, {}, 'ERR_TOOL_UNKNOWN'],
    ['a tool that runs elsewhere', { tool: 'stock/remote' }, {}, 'ERR_TOOL_UNKNOWN'],
    [
      'arguments that are not JSON',
      { args: { item: new Date() } as unknown as JsonObject },
      {},
      'ERR_JSON_NOT_CANONICAL',
    ],
  ]
  for (const [what, changes, proven, code] of wrong) {
    attack('T2', `does not run for ${what}, and the refusal is recorded`, async () => {
      const { toolServer, ran, invocation, house } = await server()
      await expectCode(toolServer.invoke(invocation(changes, proven)), code)
      expect(ran).toEqual([])
      expect(recordsOf(house).at(-1)).toMatchObject({ type: 'call.refused', actor: 'guard', data: { code } })
      await toolServer.invoke(invocation())
    })
  }

  attack('T2', 'does not run twice for one proof', async () => {
    const { toolServer, ran, invocation } = await server()
    const once = invocation()
    await toolServer.invoke(once)
    await expectCode(toolServer.invoke(once), 'ERR_PROOF_REPLAYED')
    expect(ran).toHaveLength(1)
  })

  attack(
    'X18',
    'runs with the arguments that were proven, though the caller changes them meanwhile',
    async () => {
      const { toolServer, ran, invocation } = await server()
      const mine: Record<string, string> = { item: 'apples' }
      const chain = [...invocation().chain]
      const running = toolServer.invoke(invocation({ args: mine, chain }))
      mine.item = 'pears'
      chain.pop()
      await running
      expect(ran).toMatchObject([{ args: { item: 'apples' } }])
    },
  )

  attack('X18', 'reads each member of an invocation once', async () => {
    const { toolServer, ran, invocation } = await server()
    const reads = new Map<string, number>()
    const whole = invocation()
    const watched = new Proxy(whole, {
      get(target, name, receiver) {
        reads.set(String(name), (reads.get(String(name)) ?? 0) + 1)
        return Reflect.get(target, name, receiver) as unknown
      },
    })
    await toolServer.invoke(watched)
    expect([...reads.values()].every((count) => count === 1)).toBe(true)
    expect(ran).toHaveLength(1)
  })
})
