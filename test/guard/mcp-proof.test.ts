import { describe, expect } from 'vitest'
import type { McpCallParams } from '../../runtime/client/mcp-call.js'
import type { ErrorCode } from '../../runtime/errors.js'
import type { McpToolCall } from '../../runtime/guard/mcp.js'
import { attack } from '../support/attack.js'
import { tokenRequest } from '../support/authority-house.js'
import { audience } from '../support/intent-claims.js'
import { codeOf, expectRefused } from '../support/mcp-answer.js'
import { callOver, connected, type McpHouse, mcpHouse } from '../support/mcp-house.js'
import { closeAfterTest, served, withMeta } from '../support/served-mcp.js'
import { approvedArgs } from '../support/shipping.js'

describe('a call that was seen before', () => {
  attack('T2', 'is refused, and one with a proof of its own passes', async () => {
    const house = await served()
    const once = house.params()
    await house.call(once)
    expectRefused(await house.call(once), 'ERR_PROOF_REPLAYED', house, 1)
    expect((await house.call(house.params({ ordinal: 1 }))).isError).toBeUndefined()
    expect(house.ran).toHaveLength(2)
  })

  attack('T2', 'runs once, though it comes many times at once and over two connections', async () => {
    const house = await served()
    const other = await connected(house)
    closeAfterTest(() => other.client.close())
    const once = house.params()
    const answers = await Promise.all(
      [house, other, house, other, house].map((wire) => callOver(wire.client, once)),
    )
    const codes = answers.map(codeOf).sort()
    expect(codes).toEqual([...Array(4).fill('ERR_PROOF_REPLAYED'), undefined])
    expect(house.ran).toHaveLength(1)
  })
})

describe('a call that was changed on its way', () => {
  type Change = (right: McpCallParams) => McpToolCall
  const dropped = (chain: readonly string[], place: number) => chain.filter((_, index) => index !== place)

  const changes: readonly [what: string, ErrorCode, Change][] = [
    ['other arguments', 'ERR_PROOF_ARGUMENTS', (right) => ({ ...right, arguments: { item: 'pears' } })],
    [
      'an argument more',
      'ERR_PROOF_ARGUMENTS',
      (right) => ({ ...right, arguments: { ...right.arguments, count: 1 } }),
    ],
    ['no arguments', 'ERR_PROOF_ARGUMENTS', ({ name, _meta }) => ({ name, _meta })],
    ['another tool', 'ERR_PROOF_TOOL', (right) => ({ ...right, name: 'count' })],
    ['an unknown tool', 'ERR_TOOL_UNKNOWN', (right) => ({ ...right, name: 'shell' })],
    ['an inherited name', 'ERR_TOOL_UNKNOWN', (right) => ({ ...right, name: '__proto__' })],
    ['the name of another server', 'ERR_TOOL_UNKNOWN', (right) => ({ ...right, name: 'stock/read' })],
    [
      'a chain without its root',
      'ERR_CHAIN_ROOT_UNTRUSTED',
      (right) => withMeta(right, { 'ajwt/chain': dropped(right._meta['ajwt/chain'], 0) }),
    ],
    [
      'a chain without its leaf',
      'ERR_PROOF_LEAF',
      (right) => withMeta(right, { 'ajwt/chain': dropped(right._meta['ajwt/chain'], 1) }),
    ],
    [
      'a chain of which the root is two',
      'ERR_SIGNATURE_INVALID',
      (right) => {
        const [root, leaf] = right._meta['ajwt/chain']
        return withMeta(right, { 'ajwt/chain': [root, root, leaf] })
      },
    ],
    [
      'a chain as one text',
      'ERR_TOKEN_MALFORMED',
      (right) => withMeta(right, { 'ajwt/chain': right._meta['ajwt/chain'].join(', ') }),
    ],
    ['an empty chain', 'ERR_CHAIN_EMPTY', (right) => withMeta(right, { 'ajwt/chain': [] })],
    ['no chain', 'ERR_CHAIN_MISSING', (right) => withMeta(right, { 'ajwt/chain': undefined })],
    ['no proof', 'ERR_PROOF_MISSING', (right) => withMeta(right, { 'ajwt/proof': undefined })],
    [
      'a proof that is the token',
      'ERR_TYP_MISMATCH',
      (right) => withMeta(right, { 'ajwt/proof': right._meta['ajwt/token'] }),
    ],
    [
      'a token that is the proof',
      'ERR_TYP_MISMATCH',
      (right) => withMeta(right, { 'ajwt/token': right._meta['ajwt/proof'] }),
    ],
    [
      'a token of wider scope',
      'ERR_SIGNATURE_INVALID',
      (right) => {
        const [header = '', claims = '', signature = ''] = right._meta['ajwt/token'].split('.')
        const wider = Buffer.from(claims, 'base64url').toString().replace('stock:read', 'stock:write')
        const token = [header, Buffer.from(wider).toString('base64url'), signature].join('.')
        return withMeta(right, { 'ajwt/token': token })
      },
    ],
  ]
  for (const [what, code, change] of changes) {
    attack(
      'T2',
      `does not run with ${what}; the refusal is recorded, and the right call passes`,
      async () => {
        const house = await served()
        expectRefused(await house.call(change(house.params())), code, house)
        expect(house.records().at(-1)).toMatchObject({
          type: 'call.refused',
          actor: 'guard',
          data: { audience, code },
        })
        expect((await house.call(house.params())).isError).toBeUndefined()
        expect(house.ran).toHaveLength(1)
      },
    )
  }

  attack('X18', 'while it is checked runs as it was proven', async () => {
    const { handler, params, ran } = await mcpHouse()
    const mine = structuredClone({ ...params(), arguments: { item: 'apples' } })
    const running = handler(mine, { signal: new AbortController().signal })
    mine.arguments.item = 'pears'
    mine._meta['ajwt/chain'].pop()
    expect((await running).isError).toBeUndefined()
    expect(ran).toMatchObject([{ args: { item: 'apples' } }])
  })

  attack('T11', 'does not run with a hop dropped out of the middle, proven anew or not', async () => {
    const house = await served({ step: 'write', tool: 'stock/write', args: approvedArgs })
    const { activation, params, call } = house
    expect(activation.chain).toHaveLength(3)
    const short = dropped(activation.chain, 1)
    const swapped = withMeta(params(), { 'ajwt/chain': short })
    expectRefused(await call(swapped), 'ERR_SIGNATURE_INVALID', house)
    expectRefused(await call(params({ chain: short })), 'ERR_SIGNATURE_INVALID', house)
    expectRefused(await call(params({ chain: activation.chain.slice(0, 2) })), 'ERR_CHAIN_HASH', house)
    expect((await call(params())).isError).toBeUndefined()
    expect(house.ran).toMatchObject([{ args: approvedArgs }])
  })
})

describe('a call for something else than the token is for', () => {
  /** The same agent's later step in the same run, with its token. */
  async function later({ house, run, activation }: McpHouse) {
    await run.complete(activation)
    for (const step of ['plan', 'approve', 'write'] as const) {
      const opened = await run.open(step)
      if (step === 'approve') {
        await run.ask(opened)
        await run.decide('approved')
      }
      await run.complete(opened)
    }
    const check = await run.open('check')
    const { accessToken } = await house.authority.issue(tokenRequest(check, 'stock/read'))
    return { chain: check.chain, token: accessToken }
  }

  attack(['X1', 'X4'], 'is refused with the token of another activation, or with its chain', async () => {
    const house = await served()
    const { call, params, activation, token } = house
    const other = await later(house)
    const mixed = params({ token: other.token, chain: activation.chain })
    expectRefused(await call(mixed), 'ERR_CHAIN_HASH', house)
    expectRefused(await call(withMeta(params(other), { 'ajwt/token': token })), 'ERR_PROOF_TOKEN', house)
    expectRefused(await call(params()), 'ERR_ACTIVATION_NOT_LIVE', house)
    expect((await call(params(other))).isError).toBeUndefined()
    expect(house.ran).toMatchObject([
      { info: { activationId: expect.not.stringMatching(activation.activationId) } },
    ])
  })

  attack('T7', 'is refused for a tool that the step was not granted', async () => {
    const house = await served()
    expectRefused(await house.call(house.params({ tool: 'stock/count' })), 'ERR_TOOL_NOT_GRANTED', house)
    expectRefused(await house.call(house.params({ args: { item: 'pears' } })), 'ERR_ARGUMENT_REFUSED', house)
    expect((await house.call(house.params())).isError).toBeUndefined()
  })

  attack('T9', 'is refused without the scope, last of all', async () => {
    const house = await served()
    const token = house.reminted({ scope: '' })
    expectRefused(await house.call(house.params({ token })), 'ERR_SCOPE_MISSING', house)
    expect((await house.call(house.params())).isError).toBeUndefined()
  })
})
