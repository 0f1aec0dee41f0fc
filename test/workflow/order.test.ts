import { describe, expect, it } from 'vitest'
import { defineWorkflow } from '../../runtime/workflow/define.js'
import { ancestors } from '../../runtime/workflow/order.js'
import { prerequisites } from '../../runtime/workflow/prerequisites.js'
import { expectCode } from '../support/expect-code.js'
import { patchingDefinition } from '../support/patching-workflow.js'

const workflow = defineWorkflow(patchingDefinition)

describe('prerequisites', () => {
  it('are the `after` steps, the delegator and the gate, each once', async () => {
    expect(prerequisites(workflow, 'supervise')).toEqual([])
    expect(prerequisites(workflow, 'scan')).toEqual(['supervise'])
    expect(prerequisites(workflow, 'approve')).toEqual(['plan'])
    expect(prerequisites(workflow, 'patch')).toEqual(['approve', 'plan'])
    expect(prerequisites(workflow, 'verify')).toEqual(['patch', 'supervise'])
    await expectCode(() => prerequisites(workflow, 'nobody'), 'ERR_STEP_UNKNOWN')
  })
})

describe('prerequisites of a step that names only its gate', () => {
  it('are its delegator and the gate', () => {
    const steps = patchingDefinition.steps.map((step) =>
      step.id === 'patch' ? { ...step, after: [] } : step,
    )
    const patched = defineWorkflow({ ...patchingDefinition, steps })
    expect(prerequisites(patched, 'patch')).toEqual(['plan', 'approve'])
    expect(patched.steps.map((step) => step.id).indexOf('patch')).toBe(5)
  })
})

describe('ancestors', () => {
  it('are all steps that have finished before a step starts', () => {
    const before = ancestors(workflow.steps)
    expect(before.get('supervise')).toEqual(new Set())
    expect(before.get('plan')).toEqual(new Set(['classify', 'scan', 'supervise']))
    expect(before.get('verify')?.size).toBe(6)
  })
})
