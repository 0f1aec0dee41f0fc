import { describe, expect, it } from 'vitest'
import { workflowFromSource } from '../../runtime/workflow/define.js'
import { shipping } from '../support/shipping.js'

describe('the source of a workflow', () => {
  it('makes the same workflow again, also where the definition left out what it could', () => {
    expect(shipping.source.description).toBe('')
    const again = workflowFromSource(shipping.source)
    expect(again.digest).toBe(shipping.digest)
    expect(again.steps).toEqual(shipping.steps)
  })
})
