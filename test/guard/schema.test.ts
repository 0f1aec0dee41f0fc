import { describe, expect } from 'vitest'
import { z } from 'zod'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import { attack } from '../support/attack.js'
import { counter } from '../support/guard-house.js'
import { shippingTools } from '../support/shipping.js'

const apples = { item: 'apples' }

describe('a schema that would change what was sent', () => {
  const schemas: [what: string, parameters: z.ZodObject, args: JsonObject][] = [
    ['drop a member', z.object({ item: z.string() }), { ...apples, force: true }],
    ['add a default', z.object({ item: z.string().default('apples') }), {}],
    ['convert a value', z.object({ item: z.coerce.string() }), { item: 7 }],
    ['trim a text', z.object({ item: z.string().trim() }), { item: ' apples' }],
    ['put another value', z.object({ item: z.string().transform(() => 'apples') }), { item: 'pears' }],
  ]
  for (const [what, parameters, args] of schemas) {
    attack('X18', `refuses the call: it would ${what} after the proof`, async () => {
      const read = shippingTools['stock/read']
      if (!read) throw new Error('the tool is there')
      const tool = { definition: { ...read, parameters } }
      const { send, handled } = await counter('look', 'stock/read', apples, { tool })
      expect(await (await send({ args })).json()).toMatchObject({ code: 'ERR_ARGUMENT_INVALID' })
      expect(handled).toEqual([])
      expect((await send()).status).toBe(200)
      expect(handled).toMatchObject([{ args: apples }])
    })
  }
})
