/**
 * A program is what `baton run` runs: a workflow, its agents, and how typed input becomes real. A module
 * with these exports is one; the built-in workflows are the same.
 */
import type { JsonObject, JsonValue } from './encoding/canonical-json.js'
import type { GuardedResource } from './guard/resource.js'
import type { AgentDefinition } from './identity/agent.js'
import type { Workflow } from './workflow/definition.js'

export interface Preparation {
  /** The input as the run gets it: paths absolute, defaults filled in. Preparing it again changes nothing. */
  readonly input: JsonObject
  /** The guarded resources this run needs. */
  readonly resources: readonly GuardedResource[]
  /** The request in words; part of the intent. */
  readonly request?: string
}

export interface Program {
  readonly workflow: Workflow
  readonly agents: readonly AgentDefinition[]
  /**
   * Turns what was typed into input and opens resources. Must not change anything.
   * @throws AgenticError ERR_INPUT_INVALID, ERR_TOOL_FAILED with a sentence for people
   */
  readonly prepare?: (
    input: Readonly<Record<string, unknown>>,
    options: { readonly cwd: string; readonly options: Readonly<Record<string, string>> },
  ) => Promise<Preparation>
  /** The result for people, as Markdown. */
  readonly report?: (output: JsonValue) => string
  /** The result for scripts; default the output itself. */
  readonly summary?: (output: JsonValue) => JsonValue
}
