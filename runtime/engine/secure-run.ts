/** Puts the walk of a step, or of a gate, round each node of a workflow's graph. */
import { AgenticError } from '../errors.js'
import { walkGate } from './gate.js'
import type { CompiledRun } from './graph.js'
import type { RunScope } from './scope.js'
import { secureCompiled } from './secure.js'
import { stateRules } from './state-values.js'
import { walkStep } from './step.js'

export interface SecuredRun {
  readonly graph: CompiledRun
  /** Resolves when no step is under way: LangGraph leaves cancelled ones behind. */
  idle(): Promise<void>
}

/** @throws AgenticError ERR_NODE_UNWRAPPED */
export function secureRun(compiled: CompiledRun, scope: RunScope): SecuredRun {
  const steps = new Map(scope.workflow.steps.map((step) => [step.id, step]))
  const running = new Set<Promise<unknown>>()
  const graph = secureCompiled(compiled, {
    rules: stateRules,
    mayInterrupt: (node) => steps.get(node)?.kind === 'gate',
    guardStep(call, invokeInner) {
      const step = steps.get(call.node)
      if (!step)
        throw new AgenticError('ERR_STEP_UNKNOWN', `the workflow has no step for node "${call.node}"`)
      const walk =
        step.kind === 'gate'
          ? walkGate(call, step, scope, invokeInner)
          : walkStep(call, step, scope, invokeInner)
      running.add(walk)
      const forget = () => void running.delete(walk)
      walk.then(forget, forget)
      return walk
    },
  })
  return {
    graph,
    async idle() {
      await Promise.allSettled(running)
    },
  }
}
