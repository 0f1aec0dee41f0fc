import { describe, expect, it } from 'vitest'
import { defineWorkflow } from '../../runtime/workflow/define.js'
import type { WorkflowDefinition } from '../../runtime/workflow/definition.js'
import { gateArguments, stepInput } from '../../runtime/workflow/mapping.js'
import { expectCode } from '../support/expect-code.js'
import { patchingDefinition } from '../support/patching-workflow.js'

const workflow = defineWorkflow(patchingDefinition)
const input = { repo: '/repo', severity: 'low' }
const outputs = {
  supervise: { goal: 'x' },
  scan: { inventory: [{ name: 'a' }] },
  classify: { findings: [] },
  plan: { changes: [{ name: 'a', to: '2.0.0' }] },
  approve: { decision: 'approved' },
  patch: null,
}

/** A workflow whose second step reads one path. */
const reading = (path: string) =>
  defineWorkflow({
    id: 'w',
    version: '1.0.0',
    entry: 'a',
    grant: { scope: [], tools: {} },
    steps: [
      { id: 'a', agent: 'x' },
      { id: 'b', agent: 'x', input: { value: path } },
    ],
    result: 'b',
  } satisfies WorkflowDefinition)

describe('stepInput', () => {
  it('follows the paths of the mapping', () => {
    expect(stepInput(workflow, 'verify', { input, outputs })).toEqual({
      before: [{ name: 'a' }],
      patched: null,
      repo: '/repo',
    })
  })

  it('is the run’s input and the outputs of the `after` steps where nothing is mapped', () => {
    expect(stepInput(workflow, 'plan', { input, outputs })).toEqual({ input, classify: { findings: [] } })
    expect(stepInput(workflow, 'supervise', { input, outputs: {} })).toEqual({ input })
  })

  it('gives null for paths into a skipped step', () => {
    expect(stepInput(reading('a.x.y'), 'b', { input: {}, outputs: { a: null } })).toEqual({ value: null })
    expect(stepInput(reading('a'), 'b', { input: {}, outputs: {} })).toEqual({ value: null })
  })

  it('finds items of lists by index', () => {
    const list = { input: {}, outputs: { a: { xs: ['p', 'q'] } } }
    expect(stepInput(reading('a.xs.1'), 'b', list)).toEqual({ value: 'q' })
  })

  it('refuses a path that leads nowhere, and names it', async () => {
    const data = { input: {}, outputs: { a: { xs: ['p'], text: 'abc', nothing: null } } }
    for (const path of [
      'a.y',
      'a.xs.1',
      'a.xs.01',
      'a.xs.-1',
      'a.xs.length',
      'a.text.length',
      'a.text.0',
      'a.nothing.x',
    ]) {
      const error = await expectCode(() => stepInput(reading(path), 'b', data), 'ERR_INPUT_INVALID')
      expect(error.message).toBe(`steps.b.input.value: "${path}" leads nowhere`)
    }
    expect(stepInput(reading('a.nothing'), 'b', data)).toEqual({ value: null })
  })

  it('sees own data properties only: no prototype, no getter', async () => {
    const tricky = {
      get secret() {
        return 'x'
      },
    }
    for (const [path, a] of [
      ['a.constructor', {}],
      ['a.toString', {}],
      ['a.constructor.prototype', { x: 1 }],
      ['a.inherited', Object.create({ inherited: 'x' })],
      ['a.secret', tricky],
    ] as const) {
      await expectCode(
        () => stepInput(reading(path), 'b', { input: {}, outputs: { a } }),
        'ERR_INPUT_INVALID',
      )
    }
    const inherited = Object.create({ a: { x: 'evil' } })
    expect(stepInput(reading('a.x'), 'b', { input: {}, outputs: inherited })).toEqual({ value: null })
  })

  it('refuses a step that the workflow lacks', async () => {
    await expectCode(() => stepInput(workflow, 'nobody', { input, outputs }), 'ERR_STEP_UNKNOWN')
  })
})

describe('gateArguments', () => {
  it('computes the whole arguments, as a copy', () => {
    const args = gateArguments(workflow, 'approve', { input, outputs })
    expect(args).toEqual({ changes: [{ name: 'a', to: '2.0.0' }], repository: '/repo' })
    expect(args['changes']).not.toBe(outputs.plan.changes)
  })

  it('refuses arguments from a skipped step: nobody can approve what was never made', async () => {
    await expectCode(
      () => gateArguments(workflow, 'approve', { input, outputs: { ...outputs, plan: null } }),
      'ERR_INPUT_INVALID',
    )
  })

  it('refuses arguments that have no canonical JSON, since no digest could bind them', async () => {
    for (const changes of [[Number.NaN], [undefined], [() => 1], [new Date(0)], '\ud800']) {
      await expectCode(
        () => gateArguments(workflow, 'approve', { input, outputs: { ...outputs, plan: { changes } } }),
        'ERR_INPUT_INVALID',
      )
    }
  })

  it('is for gates alone', () => {
    expect(() => gateArguments(workflow, 'patch', { input, outputs })).toThrow(TypeError)
  })
})
