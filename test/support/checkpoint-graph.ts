import {
  Annotation,
  END,
  interrupt,
  type LangGraphRunnableConfig,
  START,
  StateGraph,
} from '@langchain/langgraph'
import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint'

/** The thread of execution `execution-1`. */
export const thread = { thread_id: 'execution-1' }
/** How the graph is invoked: a checkpoint is saved before the next step begins. */
export const run = { configurable: thread, durability: 'sync' } as const

const State = Annotation.Root({
  log: Annotation<string[]>({ reducer: (before, more) => before.concat(more), default: () => [] }),
  payload: Annotation<unknown>(),
})
type Update = typeof State.Update

interface Hooks {
  readonly ran?: string[]
  /** What node `a` returns beside its line. */
  readonly extra?: Update
  /** Called by each node when it is done, with its name and task id. */
  done?(name: string, taskId: string): unknown
}

/** start → a → gate (asks) → b */
export function graphWith(checkpointer: BaseCheckpointSaver, hooks: Hooks = {}) {
  const node =
    (name: string, update: () => Update) => async (_: unknown, config: LangGraphRunnableConfig) => {
      const result = update()
      hooks.ran?.push(name)
      await hooks.done?.(name, String(config.executionInfo?.taskId))
      return result
    }
  return new StateGraph(State)
    .addNode(
      'a',
      node('a', () => ({ log: ['a'], ...hooks.extra })),
    )
    .addNode(
      'gate',
      node('gate', () => ({ log: [`gate:${interrupt('may b run?')}`] })),
    )
    .addNode(
      'b',
      node('b', () => ({ log: ['b'] })),
    )
    .addEdge(START, 'a')
    .addEdge('a', 'gate')
    .addEdge('gate', 'b')
    .addEdge('b', END)
    .compile({ checkpointer })
}
