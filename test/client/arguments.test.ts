import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { definiteArguments, maxArgumentBytes } from '../../runtime/client/arguments.js'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import type { ToolDefinition } from '../../runtime/identity/agent.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'

function tool(parameters: z.ZodObject): ToolDefinition {
  return { name: 'stock/read', description: 'reads', parameters, scope: 'stock:read' }
}

const strict = tool(z.strictObject({ item: z.string(), count: z.number().default(1) }))
const loose = tool(z.object({ item: z.unknown() }))

describe('arguments before they are proven', () => {
  it('are as the schema returns them, defaults applied', () => {
    expect(definiteArguments(strict, { item: 'apples' })).toEqual({ item: 'apples', count: 1 })
    expect(definiteArguments(tool(z.object({ item: z.string() })), { item: 'a', more: 1 })).toEqual({
      item: 'a',
    })
  })

  attack('X18', 'are a copy, so that nobody changes them afterwards', () => {
    const mine: Record<string, JsonObject> = { item: { name: 'apples' } }
    const definite = definiteArguments(loose, mine)
    mine.item = { name: 'pears' }
    expect(definite).toEqual({ item: { name: 'apples' } })
  })

  attack('X16', 'that do not fit are named by place, never by value', async () => {
    const wrong = { item: 7, count: 'secret' } as unknown as JsonObject
    const error = await expectCode(() => definiteArguments(strict, wrong), 'ERR_ARGUMENT_INVALID')
    expect(error.message).toContain('"item"')
    expect(error.message).toContain('"count"')
    expect(error.message).not.toContain('secret')
  })

  attack('X16', 'that do not fit inside are named as far as the schema names them', async () => {
    const inside = z.array(z.object({ limits: z.record(z.string(), z.number()).optional() }))
    const wrong = { list: [{}, { limits: { secret: 'much' } }], extra: 1 } as unknown as JsonObject
    const schema = tool(z.strictObject({ list: inside.default([]) }))
    const error = await expectCode(() => definiteArguments(schema, wrong), 'ERR_ARGUMENT_INVALID')
    expect(error.message).toContain('"list.1.limits" (invalid_type)')
    expect(error.message).not.toMatch(/secret|extra|much/)
  })

  it('that are not plain JSON are refused', async () => {
    for (const item of [new Date(), Number.NaN, 2 ** 60, () => 1, '\ud800', { nested: undefined }]) {
      const args = { item } as unknown as JsonObject
      await expectCode(() => definiteArguments(loose, args), 'ERR_ARGUMENT_INVALID')
    }
  })

  attack('X14', 'are bounded', async () => {
    const longest = 'x'.repeat(maxArgumentBytes - '{"item":""}'.length)
    expect(definiteArguments(loose, { item: longest })).toEqual({ item: longest })
    await expectCode(() => definiteArguments(loose, { item: `${longest}x` }), 'ERR_ARGUMENT_INVALID')
  })
})
