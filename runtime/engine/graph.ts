/**
 * A workflow as a LangGraph graph: one node and one channel per step, edges from its prerequisites. The nodes know
 * nothing; who runs in them, and whether, is decided by the guard round them.
 */
import { Annotation, START, StateGraph } from '@langchain/langgraph'
import type { RunData } from '../workflow/condition.js'
import type { Step, Workflow } from '../workflow/definition.js'
import { prerequisitesOf } from '../workflow/prerequisites.js'

/** What a node's function gets from its guard, and does. */
export interface NodeWork {
  run(): unknown
}

/** The result is boxed, so that LangGraph never takes it for a command or for something to run. */
export interface NodeResult {
  readonly value: unknown
}

/** The state of a run: its input, and the output of each step that has ended. */
export type RunState = Readonly<Record<string, unknown>>

export const inputChannel = 'input'

/** The channel of a step's output. LangGraph wants no channel named like a node, and nodes are named like steps. */
export function outputChannel(step: string): string {
  return `output/${step}`
}

/** The state as workflows speak of it. */
export function dataOf(state: RunState, workflow: Workflow): RunData {
  const outputs = workflow.steps.map(({ id }) => [id, state[outputChannel(id)] ?? null] as const)
  return { input: state[inputChannel] ?? null, outputs: Object.fromEntries(outputs) }
}

/** @throws Error when LangGraph finds the graph unsound, which a parsed workflow is not */
export function buildGraph(workflow: Workflow) {
  const channels = Object.fromEntries([
    // LastValue: a channel has one writer, and a value is never merged with the one before.
    [inputChannel, Annotation<unknown>()],
    ...workflow.steps.map(({ id }) => [outputChannel(id), Annotation<unknown>()] as const),
  ])
  // LangGraph counts nodes in its types; ours are known at run time only.
  const graph = new StateGraph(Annotation.Root(channels)) as unknown as UntypedGraph
  for (const { id } of workflow.steps) graph.addNode(id, runWork)
  for (const step of workflow.steps) connect(graph, step)
  return graph
}

interface UntypedGraph {
  addNode(name: string, action: (work: NodeWork) => Promise<NodeResult>): unknown
  addEdge(from: string | string[], to: string): unknown
  compile(options: { checkpointer?: unknown }): CompiledRun
}

/** What the engine uses of a compiled graph. */
export interface CompiledRun {
  invoke(input: RunState | null, options: Record<string, unknown>): Promise<RunState>
}

async function runWork(work: NodeWork): Promise<NodeResult> {
  return { value: await work.run() }
}

function connect(graph: UntypedGraph, step: Step): void {
  const before = prerequisitesOf(step)
  if (before.length === 0) graph.addEdge(START, step.id)
  // One edge from all of them: the step runs once, when the last is done.
  else graph.addEdge(before.length === 1 ? String(before[0]) : before, step.id)
}
