/**
 * What a workflow is: who does which step, after what, with which authority, and whose result counts. As a
 * person writes it (`WorkflowDefinition`) and as the runtime holds it (`Workflow`: checked, complete, frozen).
 */
import type { JsonObject } from '../encoding/canonical-json.js'

/** One input of a run. */
export interface ParameterDefinition {
  readonly type: 'string' | 'number' | 'boolean'
  readonly description?: string
  /** Absent: the input is required. */
  readonly default?: string | number | boolean
  readonly enum?: readonly (string | number | boolean)[]
  /** What the text names; who starts the run resolves it to an absolute path first. */
  readonly format?: 'directory'
}

/** A constraint (PROTOCOL 5.4) in which `{ $parameter: name }` stands for a value of the run's input. */
export type ConstraintTemplate = JsonObject

/** tool → argument → constraint template. */
export type ToolTemplates = Readonly<Record<string, Readonly<Record<string, ConstraintTemplate>>>>

/** A list keeps the delegator's constraints; a map replaces them by narrower ones. */
export type ToolNarrowing = readonly string[] | ToolTemplates

/** argument or input name → dotted path into `input` or the output of an earlier step, as in `plan.changes`. */
export type PathMapping = Readonly<Record<string, string>>

export interface GrantDefinition {
  readonly scope: readonly string[]
  readonly tools: ToolTemplates
  /** Most hops below the entry's assertion; default 3. */
  readonly maxDepth?: number
  /** Default 86,400; at most 7 days. */
  readonly lifetimeSeconds?: number
}

export interface AgentStepDefinition {
  readonly id: string
  readonly agent: string
  readonly after?: readonly string[]
  /** The step whose agent signs this one's assertion; default: the entry. */
  readonly delegatedBy?: string
  /** Default: none. The entry holds the whole grant and names neither scope nor tools. */
  readonly scope?: readonly string[]
  readonly tools?: ToolNarrowing
  /** Default: `input`, and the outputs of the `after` steps by their ids. */
  readonly input?: PathMapping
  /** CEL over `input` and the outputs of earlier steps; false: the step is skipped, its output is null. */
  readonly when?: string
  /** The gate that opens the tool it names for this step. */
  readonly approval?: string
  readonly timeoutSeconds?: number
}

export interface GateStepDefinition {
  readonly id: string
  readonly gate: {
    /** The step whose call is approved. */
    readonly opens: string
    readonly tool: string
    /** The arguments of that call, whole. */
    readonly arguments: PathMapping
  }
  readonly after: readonly string[]
  readonly when?: string
}

export interface WorkflowDefinition {
  readonly id: string
  /** Semantic version. */
  readonly version: string
  readonly description?: string
  readonly parameters?: Readonly<Record<string, ParameterDefinition>>
  /** The step whose agent gets the root assertion. */
  readonly entry: string
  /** What the initiator grants. */
  readonly grant: GrantDefinition
  readonly steps: readonly (AgentStepDefinition | GateStepDefinition)[]
  /** The step whose output is the run's result. */
  readonly result: string
}

/** A step that an agent runs. */
export interface AgentStep {
  readonly kind: 'agent'
  readonly id: string
  readonly agent: string
  readonly after: readonly string[]
  /** Undefined for the entry alone. */
  readonly delegatedBy?: string
  readonly scope: readonly string[]
  readonly tools: ToolNarrowing
  readonly input?: PathMapping
  readonly when?: string
  readonly approval?: string
  readonly timeoutSeconds?: number
}

/** A step that waits for a person. */
export interface GateStep {
  readonly kind: 'gate'
  readonly id: string
  readonly after: readonly string[]
  readonly opens: string
  readonly tool: string
  readonly arguments: PathMapping
  readonly when?: string
}

export type Step = AgentStep | GateStep

/** A definition with every default filled in, its steps in the order they were written. */
export interface CompleteDefinition {
  readonly id: string
  readonly version: string
  readonly description: string
  readonly parameters: Readonly<Record<string, ParameterDefinition>>
  readonly entry: string
  readonly grant: Required<GrantDefinition>
  readonly steps: readonly Step[]
  readonly result: string
}

/** A checked workflow; deeply frozen. `steps` are in topological order, the entry first. */
export interface Workflow extends CompleteDefinition {
  /** @throws AgenticError ERR_STEP_UNKNOWN */
  step(id: string): Step
  /** `sha256:<hex>` over the canonical JSON of `source`. */
  readonly digest: string
  /** The complete definition as on the wire; `workflowFromSource` (define.ts) makes the same workflow of it. */
  readonly source: JsonObject
}
