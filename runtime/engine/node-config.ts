/**
 * What a node's function may know of the graph that runs it. LangGraph's own config lets any node write to
 * any channel, read all state and open every thread; this one offers none of it.
 */
import { AsyncLocalStorageProviderSingleton } from '@langchain/core/singletons'

export type NodeConfig = Readonly<Record<string, unknown>> & {
  readonly configurable?: Readonly<Record<string, unknown>>
}

const keptKeys = [
  'callbacks',
  'context',
  'executionInfo',
  'heartbeat',
  'interrupt',
  'maxConcurrency',
  'metadata',
  'recursionLimit',
  'runName',
  'serverInfo',
  'signal',
  'store',
  'tags',
  'writer',
] as const

/** `interrupt()` only looks whether there is one; the real one reads every thread. */
const inertCheckpointer = Object.freeze({})

/**
 * The reduced config of a function node.
 * @param state what the node may see as its input, instead of the live state
 * @param mayInterrupt whether the node may pause the run
 */
export function reduceConfig(config: NodeConfig, state: unknown, mayInterrupt: boolean): NodeConfig {
  const given = config.configurable ?? {}
  const kept: Record<string, unknown> = {}
  for (const key of keptKeys) if (config[key] !== undefined) kept[key] = config[key]
  const configurable: Record<string, unknown> = {
    thread_id: given.thread_id,
    checkpoint_ns: given.checkpoint_ns,
  }
  // An error handler is told by this one what failed.
  if (given.__pregel_node_error !== undefined) configurable.__pregel_node_error = given.__pregel_node_error
  if (mayInterrupt) {
    configurable.__pregel_checkpointer =
      given.__pregel_checkpointer === undefined ? undefined : inertCheckpointer
    configurable.__pregel_scratchpad = ownScratchpad(given.__pregel_scratchpad, state)
    configurable.__pregel_send = keepAnswers(given.__pregel_send)
  }
  return { ...kept, configurable }
}

/** The node's counters of interrupts, without the reference to live state beside them. */
function ownScratchpad(scratchpad: unknown, state: unknown): unknown {
  if (typeof scratchpad !== 'object' || scratchpad === null) return undefined
  return Object.create(scratchpad, { currentTaskInput: { value: state, enumerable: true } })
}

/** A node that asks twice needs its first answer kept with its task; it may write nothing else. */
function keepAnswers(send: unknown): unknown {
  if (typeof send !== 'function') return undefined
  return (writes: readonly (readonly [string, unknown])[]) => {
    const answers = writes.filter(([channel]) => channel === '__resume__')
    if (answers.length > 0) send(answers)
  }
}

/**
 * Runs something under a config of its own. LangGraph merges the config of an outer node, found in
 * AsyncLocalStorage, under every inner one: without this, a graph started from a node would inherit its handles.
 */
export function withoutOuterConfig<T>(config: NodeConfig, run: () => Promise<T>): Promise<T> {
  const outer = AsyncLocalStorageProviderSingleton.getRunnableConfig() as NodeConfig | undefined
  if (outer?.configurable === undefined) return run()
  return AsyncLocalStorageProviderSingleton.runWithConfig(config, run) as Promise<T>
}
