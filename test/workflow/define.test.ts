import { describe, expect, it } from 'vitest'
import { defineWorkflow, workflowFromSource } from '../../runtime/workflow/define.js'
import type { WorkflowDefinition } from '../../runtime/workflow/definition.js'
import { changed, type Loose } from '../support/changed-definition.js'
import { expectCode } from '../support/expect-code.js'
import { patchingDefinition } from '../support/patching-workflow.js'

describe('defineWorkflow', () => {
  it('reads 200 steps and refuses 201', async () => {
    const many = (count: number) =>
      changed((d) => {
        d.steps = Array.from({ length: count }, (_, i) => ({
          id: `s${i}`,
          agent: 'a',
          ...(i > 0 && { after: [`s${i - 1}`] }),
        }))
        d.entry = 's0'
        d.result = `s${count - 1}`
      })
    expect(defineWorkflow(many(200)).steps).toHaveLength(200)
    await expectCode(() => defineWorkflow(many(201)), 'ERR_WORKFLOW_INVALID')
  })

  it('refuses what is no definition at all', async () => {
    for (const value of [null, undefined, 1, 'x', [], new Map(), () => {}, new (class A {})()]) {
      await expectCode(() => defineWorkflow(value as unknown as WorkflowDefinition), 'ERR_WORKFLOW_INVALID')
    }
  })

  it('fills in every default', () => {
    const workflow = defineWorkflow({
      id: 'w',
      version: '1.0.0',
      entry: 'a',
      grant: { scope: ['s'], tools: { t: {} } },
      steps: [
        { id: 'a', agent: 'x' },
        { id: 'b', agent: 'y' },
      ],
      result: 'b',
    })
    expect(workflow).toMatchObject({
      description: '',
      parameters: {},
      grant: { maxDepth: 3, lifetimeSeconds: 86_400 },
    })
    expect(workflow.step('a')).toEqual({
      kind: 'agent',
      id: 'a',
      agent: 'x',
      after: [],
      scope: ['s'],
      tools: ['t'],
    })
    expect(workflowFromSource(workflow.source)).toMatchObject({
      digest: workflow.digest,
      source: workflow.source,
    })
    expect(workflow.step('b')).toEqual({
      kind: 'agent',
      id: 'b',
      agent: 'y',
      after: [],
      delegatedBy: 'a',
      scope: [],
      tools: [],
    })
  })

  it('puts the steps in topological order, the entry first, whatever their order in the definition', () => {
    const workflow = defineWorkflow(changed((d) => d.steps.reverse()))
    expect(workflow.steps.map((step) => step.id)).toEqual([
      'supervise',
      'scan',
      'classify',
      'plan',
      'approve',
      'patch',
      'verify',
    ])
  })

  it('finds steps by id and nothing else', async () => {
    const workflow = defineWorkflow(patchingDefinition)
    expect(workflow.step('approve')).toMatchObject({ kind: 'gate', opens: 'patch' })
    await expectCode(() => workflow.step('nobody'), 'ERR_STEP_UNKNOWN')
    await expectCode(() => workflow.step('constructor'), 'ERR_STEP_UNKNOWN')
  })

  it('is frozen throughout and keeps nothing of the definition it was made from', () => {
    const definition = changed(() => {}) as Loose
    const workflow = defineWorkflow(definition)
    const digest = workflow.digest
    definition.grant.scope.push('admin')
    definition.steps[1].scope.push('admin')
    expect(workflow.grant.scope).not.toContain('admin')
    expect(workflow.step('scan')).toMatchObject({ scope: ['repo:read'] })
    for (const part of [workflow, workflow.grant.tools, workflow.steps, workflow.steps[1], workflow.source]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
    expect(workflow.digest).toBe(digest)
  })

  it('can be made again from its source', async () => {
    const workflow = defineWorkflow(patchingDefinition)
    const again = workflowFromSource(JSON.parse(JSON.stringify(workflow.source)))
    expect(again.digest).toBe(workflow.digest)
    expect(again.source).toEqual(workflow.source)
    expect(again.steps).toEqual(workflow.steps)
    expect(again.grant).toEqual(workflow.grant)
    await expectCode(
      () => workflowFromSource({ ...workflow.source, entry: 'nobody' }),
      'ERR_WORKFLOW_INVALID',
    )
  })
})
