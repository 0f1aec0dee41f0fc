/**
 * Puts a guard round every node of a compiled LangGraph graph, without touching anybody's classes.
 *
 * E1 No node, error handler or subgraph's node runs but through the guard; a graph with one that would is refused.
 * E2 A node sees a frozen copy of the state, and what it returns is copied before anyone else holds it.
 * E3 A node's config offers no way to write other channels, to read state, or to open a thread.
 *
 * Tools called from a closure are out of reach, and so is a graph that a node's function runs by itself:
 * such a graph must be a node.
 */
import { AgenticError } from '../errors.js'
import { type CloneRules, cloneFrozen, cloneThawed } from '../isolation/clone.js'
import { type NodeConfig, reduceConfig, withoutOuterConfig } from './node-config.js'

/** One run of one node. */
export interface NodeCall {
  /** The node's name; inside subgraphs `outer/inner`. */
  readonly node: string
  /** LangGraph's task: the same before and after an interrupt, another for every item of a fan-out. */
  readonly taskId: string
  /** A frozen copy. */
  readonly state: unknown
  readonly signal: AbortSignal | undefined
  /** A graph of its own runs here; its nodes are guarded one by one. */
  readonly subgraph: boolean
}

/**
 * Decides whether and how a node runs. `invokeInner` runs it, on the state or on what it is given instead
 * (which is then not copied), and returns a copy of the result. What the guard returns goes to the graph.
 */
export type GuardStep = (
  call: NodeCall,
  invokeInner: (input?: unknown) => Promise<unknown>,
) => Promise<unknown>

export interface SecureOptions {
  readonly guardStep: GuardStep
  /** Called for each tool of each ToolNode; returns what is called instead. */
  readonly guardTool?: (node: string, tool: ToolLike) => ToolLike
  /** What may cross between nodes; everything, if absent. */
  readonly rules?: CloneRules
  /** Default: every node may. */
  readonly mayInterrupt?: (node: string) => boolean
}

export interface ToolLike {
  readonly name: string
  invoke(input: unknown, config?: unknown): Promise<unknown>
}

interface RunnableLike {
  invoke(input: unknown, config: NodeConfig): Promise<unknown>
}

interface NodeLike {
  bound: RunnableLike
  readonly cachePolicy?: unknown
  readonly subgraphs?: readonly unknown[] | undefined
}

interface GraphLike {
  readonly nodes: Record<string, NodeLike>
  readonly builder?: { readonly branches?: Record<string, Record<string, { path: RunnableLike }>> }
}

/** The stand-ins made here, so that nothing is guarded twice and nothing unguarded is believed. */
const guarded = new WeakSet<object>()

/**
 * Guards a compiled graph in place and gives it back.
 * @param compiled what `compile()` of a StateGraph returned
 * @throws AgenticError ERR_NODE_UNWRAPPED when a node cannot be guarded
 */
export function secureCompiled<T extends object>(compiled: T, options: SecureOptions): T {
  for (const { node, path } of nodesOf(compiled)) {
    if (!guarded.has(node.bound)) node.bound = guardBound(node.bound, path, options)
  }
  for (const { branch, path } of branchesOf(compiled)) {
    if (!guarded.has(branch.path)) branch.path = isolatePath(branch.path, path, options)
  }
  assertWrapped(compiled)
  return compiled
}

/** @throws AgenticError ERR_NODE_UNWRAPPED naming the first node or branch that would run without the guard */
export function assertWrapped(compiled: object): void {
  let count = 0
  for (const { node, path } of nodesOf(compiled)) {
    count += 1
    if (!guarded.has(node.bound)) {
      throw new AgenticError('ERR_NODE_UNWRAPPED', `node "${path}" would run without its guard`)
    }
    if (node.cachePolicy !== undefined) {
      throw new AgenticError(
        'ERR_NODE_UNWRAPPED',
        `node "${path}" is cached: a cached result would pass its guard by`,
      )
    }
  }
  if (count === 0) throw new AgenticError('ERR_NODE_UNWRAPPED', 'this is not a compiled graph with nodes')
  for (const { branch, path } of branchesOf(compiled)) {
    if (!guarded.has(branch.path)) {
      throw new AgenticError('ERR_NODE_UNWRAPPED', `the branch of "${path}" would see live state`)
    }
  }
}

function* graphsOf(
  graph: object,
  prefix = '',
  seen = new Set<object>(),
): Generator<{ graph: GraphLike; prefix: string }> {
  if (seen.has(graph) || typeof (graph as GraphLike).nodes !== 'object') return
  seen.add(graph)
  yield { graph: graph as GraphLike, prefix }
  for (const [name, node] of Object.entries((graph as GraphLike).nodes)) {
    for (const candidate of [...(node.subgraphs ?? []), ...partsOf(node.bound)]) {
      if (isGraph(candidate)) yield* graphsOf(candidate, `${prefix}${name}/`, seen)
    }
  }
}

function* nodesOf(graph: object): Generator<{ node: NodeLike; path: string }> {
  for (const { graph: each, prefix } of graphsOf(graph)) {
    for (const [name, node] of Object.entries(each.nodes)) {
      // LangGraph's own entry, which only writes the input.
      if (name !== '__start__') yield { node, path: `${prefix}${name}` }
    }
  }
}

function* branchesOf(graph: object): Generator<{ branch: { path: RunnableLike }; path: string }> {
  for (const { graph: each, prefix } of graphsOf(graph)) {
    for (const [name, branches] of Object.entries(each.builder?.branches ?? {})) {
      for (const branch of Object.values(branches)) yield { branch, path: `${prefix}${name}` }
    }
  }
}

/** A runnable, and what a sequence is made of. */
function partsOf(bound: unknown): readonly unknown[] {
  const steps = (bound as { steps?: unknown }).steps
  return Array.isArray(steps) ? [bound, ...steps] : [bound]
}

function isGraph(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && (value as { lg_is_pregel?: unknown }).lg_is_pregel === true
  )
}

function guardBound(bound: RunnableLike, node: string, options: SecureOptions): RunnableLike {
  const subgraph = partsOf(bound).some(isGraph)
  const inner = withGuardedTools(bound, node, options)
  const rules = options.rules ?? {}
  const mayInterrupt = options.mayInterrupt?.(node) ?? true

  async function invoke(input: unknown, config: NodeConfig): Promise<unknown> {
    const state = cloneFrozen(input, rules)
    const call: NodeCall = {
      node,
      taskId: String(config.configurable?.__pregel_task_id),
      state,
      signal: config.signal as AbortSignal | undefined,
      subgraph,
    }
    return requireValue(
      node,
      await options.guardStep(call, async (...given) => {
        // A subgraph's channels change what they hold, and its nodes get their own copies and configs.
        if (subgraph) return cloneThawed(await inner.invoke(cloneThawed(input, rules), config), rules)
        const value = given.length > 0 ? given[0] : state
        const reduced = reduceConfig(config, value, mayInterrupt)
        const result = await withoutOuterConfig(reduced, () => inner.invoke(value, reduced))
        return cloneThawed(requireValue(node, result), rules)
      }),
    )
  }
  return standIn(bound, invoke)
}

/** LangGraph would run a returned Runnable after the guard, with the whole config. */
function requireValue(node: string, result: unknown): unknown {
  if (
    typeof result === 'object' &&
    result !== null &&
    (result as { lc_runnable?: unknown }).lc_runnable === true
  ) {
    throw new AgenticError('ERR_STEP_FAILED', `node "${node}" returned something to run instead of a result`)
  }
  return result
}

/** Conditional edges run outside nodes: they get a copy and a reduced config, and decide nothing but the way. */
function isolatePath(path: RunnableLike, node: string, options: SecureOptions): RunnableLike {
  return standIn(path, async (input, config) => {
    const state = cloneFrozen(input, options.rules)
    const reduced = reduceConfig(config, state, false)
    return requireValue(node, await withoutOuterConfig(reduced, () => path.invoke(state, reduced)))
  })
}

/** Looks like the original to drawing and to `getState`, and answers `invoke` itself. */
function standIn(original: RunnableLike, invoke: RunnableLike['invoke']): RunnableLike {
  const made = new Proxy(original, {
    get: (target, key, receiver) => (key === 'invoke' ? invoke : Reflect.get(target, key, receiver)),
  })
  guarded.add(made)
  return made
}

/** A ToolNode that calls guarded tools; the original, which another graph may share, stays as it is. */
function withGuardedTools(bound: RunnableLike, node: string, options: SecureOptions): RunnableLike {
  const { guardTool } = options
  const toolNode = bound as RunnableLike & { tools?: unknown; run?: unknown }
  if (!guardTool || !Array.isArray(toolNode.tools) || typeof toolNode.run !== 'function') return bound
  const run = toolNode.run as (this: unknown, input: unknown, config: unknown) => unknown
  const view: RunnableLike = Object.create(bound, {
    tools: { value: toolNode.tools.map((tool: ToolLike) => guardTool(node, tool)) },
    func: { value: (input: unknown, config: unknown) => run.call(view, input, config) },
  })
  return view
}
