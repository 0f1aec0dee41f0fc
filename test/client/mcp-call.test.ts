import { describe, expect, it } from 'vitest'
import { type McpCall, mcpCallParams } from '../../runtime/client/mcp-call.js'
import { nowSeconds } from '../../runtime/clock.js'
import { decodeAssertion } from '../../runtime/delegation/assertion.js'
import { parseInvocationMeta } from '../../runtime/delegation/carrying.js'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import { verifyInvocationProof } from '../../runtime/tokens/invocation-proof.js'
import { attack } from '../support/attack.js'
import { chainOf } from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey } from '../support/fixed-keys.js'
import { claimsOf } from '../support/forger.js'
import { audience } from '../support/intent-claims.js'
import { connected, mcpHouse } from '../support/mcp-house.js'
import { withPolluted } from '../support/polluted.js'
import { rememberingSingleUse } from '../support/single-uses.js'

const clock = fakeClock()
const key = fixedKey('reader')
const call: McpCall = {
  token: 'header.claims.signature',
  chain: chainOf(2),
  audience: 'urn:stock',
  tool: 'stock/read',
  args: { item: 'äpfel', where: { shed: [1, 2] } },
  ordinal: 2,
}
const made = (changes: Partial<McpCall> = {}) => mcpCallParams({ ...call, ...changes }, key, { clock })

describe('a tool call over MCP', () => {
  it('carries token, chain, and a proof over exactly what is sent', async () => {
    const { name, arguments: args, _meta } = made()
    expect([name, args]).toEqual(['stock/read', call.args])
    const { token, chain, proof } = parseInvocationMeta(_meta)
    expect([token, chain]).toEqual([call.token, call.chain])
    const verified = await verifyInvocationProof(proof, {
      leafId: decodeAssertion(call.chain[1] ?? '').jti,
      tool: 'stock/read',
      audience: 'urn:stock',
      args,
      accessToken: token,
      key: key.publicKey,
      now: nowSeconds(clock),
      singleUse: rememberingSingleUse(),
    })
    expect(verified.ordinal).toBe(2)
  })

  it('has a proof of its own each time', () => {
    const jti = () => claimsOf(made()._meta['ajwt/proof'])['jti']
    expect(jti()).not.toBe(jti())
  })

  it('names the tool as its server does, and proves it as grants do', () => {
    for (const [tool, there] of [
      ['stock/read', 'read'],
      ['stock/shed/read', 'shed/read'],
      ['stock/stock/read', 'stock/read'],
    ] as const) {
      const { name, _meta } = made({ tool, server: 'stock' })
      expect(name).toBe(there)
      expect(claimsOf(_meta['ajwt/proof'])['aat_tool']).toBe(tool)
    }
  })

  it('goes to no server that the tool is not of', () => {
    for (const tool of ['read', 'stocks/read', 'stock', 'stock.read', 'other/stock/read']) {
      expect(() => made({ tool, server: 'stock' })).toThrow(TypeError)
      expect(made({ tool }).name).toBe(tool)
    }
  })

  attack('X18', 'sends what it proved, though the arguments change afterwards', () => {
    const args = { item: 'apples', where: { shed: [1] } }
    const { arguments: sent, _meta } = made({ args })
    args.item = 'pears'
    args.where.shed.push(2)
    expect(sent).toEqual({ item: 'apples', where: { shed: [1] } })
    expect(claimsOf(_meta['ajwt/proof'])['hta']).toEqual(sent)
  })

  it('is not made of arguments that JSON would change on the way', async () => {
    for (const args of [{ at: new Date(0) }, { at: undefined }, { at: Number.NaN }, { at: new Map() }]) {
      await expectCode(() => made({ args: args as unknown as JsonObject }), 'ERR_JSON_NOT_CANONICAL')
    }
    expect(made({ args: {} }).arguments).toEqual({})
  })

  it('is not made with what no verifier would read', async () => {
    for (const ordinal of [-1, 1.5, Number.NaN, undefined, '0'])
      expect(() => made({ ordinal: ordinal as number })).toThrow(TypeError)
    for (const args of [[1], 'item', null, undefined])
      expect(() => made({ args: args as unknown as JsonObject })).toThrow(TypeError)
    expect(made({ ordinal: 0 }).name).toBe('stock/read')
  })

  it('is made now, by the system clock, where none is given', () => {
    const { _meta } = mcpCallParams(call, key)
    expect(Math.abs(Number(claimsOf(_meta['ajwt/proof'])['iat']) - Date.now() / 1000)).toBeLessThan(30)
  })

  attack('X10', 'is for the server that was named, not for one that every object inherits', () => {
    expect(withPolluted('server', 'stock', () => made()).name).toBe('stock/read')
    expect(made({ server: 'stock' }).name).toBe('read')
  })

  it('is not made without an assertion', async () => {
    await expectCode(() => made({ chain: [] }), 'ERR_CHAIN_EMPTY')
    await expectCode(() => made({ chain: ['x'] }), 'ERR_TOKEN_MALFORMED')
    made({ chain: chainOf(1) })
  })

  it('is what the SDK’s client sends, and a guard behind its server lets pass', async () => {
    const served = await mcpHouse()
    const { client } = await connected(served)
    const { house, token, activation, ran } = served
    const right: McpCall = {
      token,
      chain: activation.chain,
      audience,
      tool: 'stock/read',
      server: 'stock',
      args: { item: 'apples' },
      ordinal: 0,
    }
    const answer = await client.callTool(mcpCallParams(right, key, house))
    expect(answer.structuredContent).toEqual({ done: true })
    await client.callTool(mcpCallParams({ ...right, ordinal: 1 }, key, house))
    expect(new Set(ran.map(({ info }) => info.idempotencyKey)).size).toBe(2)
    const other = await client.callTool(mcpCallParams(right, fixedKey('writer'), house))
    expect(other._meta).toMatchObject({ 'ajwt/code': 'ERR_SIGNATURE_INVALID' })
    expect(ran).toHaveLength(2)
    await client.close()
  })
})
