import { expect, it } from 'vitest'
import { defineWorkflow } from '../../runtime/workflow/define.js'
import type { WorkflowDefinition } from '../../runtime/workflow/definition.js'
import { expectCode } from './expect-code.js'
import { patchingDefinition } from './patching-workflow.js'

// biome-ignore lint/suspicious/noExplicitAny: a definition that is being made wrong
export type Loose = any
type Change = (definition: Loose) => void

/** The sample, changed; steps are found by their ids. */
export function changed(change: Change): WorkflowDefinition {
  const definition = structuredClone(patchingDefinition) as Loose
  definition.at = (id: string) => definition.steps.find((step: Loose) => step.id === id)
  change(definition)
  delete definition.at
  return definition
}

/** A change that is refused, what the message says of it, and the nearest change that is allowed. */
export type Refusal = readonly [fact: string, refused: Change, where: string, allowed: Change]

/** Registers a test for each refusal. */
export function refuses(refusals: readonly Refusal[]): void {
  for (const [fact, refused, where, allowed] of refusals) {
    it(`refuses ${fact}`, async () => {
      const error = await expectCode(() => defineWorkflow(changed(refused)), 'ERR_WORKFLOW_INVALID')
      expect(error.message).toContain(where)
      defineWorkflow(changed(allowed))
    })
  }
}
