/**
 * Runs of the ledger's workflow by agents that carry a mark of their own in prompt, tools and configuration, with
 * everything kept that comes out: what is sent and answered, what is told of a run, and the files it leaves.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { sha256Hex } from '../../runtime/encoding/digest.js'
import {
  type AgentDefinition,
  createRuntime,
  defineAgent,
  defineTool,
  type Program,
  type ToolDefinition,
} from '../../runtime/index.js'
import type { ChatModel, RegistrationReport, RunResult, Runtime } from '../../runtime/runtime.js'
import { Sqlite } from '../../runtime/sqlite.js'
import { agents, approveAll, type Effects, ledgerResource, ledgerWorkflow } from './ledger.js'

export type AgentName = keyof typeof agents
export const agentNames = Object.keys(agents) as readonly AgentName[]

/** What is nobody's but this agent's. */
export function marksOf(agent: AgentName): readonly string[] {
  return ['prompt', 'model', 'setting', 'tool', 'argument'].map(
    (place) => `mark-${agent}-${place}-${sha256Hex(`${agent} ${place}`).slice(0, 8)}`,
  )
}

function marked(name: AgentName, changes: Partial<AgentDefinition> = {}): AgentDefinition {
  const agent: AgentDefinition = agents[name]
  const [prompt = '', model = '', setting = '', aboutTool = '', aboutArgument = ''] = marksOf(name)
  const tools = agent.tools.map((tool) =>
    defineTool({
      ...tool,
      description: `${tool.description} ${aboutTool}`,
      parameters: z.object({ ...tool.parameters.shape, account: z.string().describe(aboutArgument) }),
    } as ToolDefinition),
  )
  const configuration = { model_name: model, temperature: 0, [setting]: { deep: [setting] } }
  return defineAgent({ ...agent, prompt: `${agent.prompt} ${prompt}`, tools, configuration, ...changes })
}

/** By the name of the place where it came out. */
export type Outside = Map<string, string>

export interface MarkedHouse {
  readonly runtime: Runtime
  readonly state: string
  readonly program: Program
  readonly reports: readonly RegistrationReport[]
  readonly outside: Outside
  run(options?: { readonly model?: ChatModel }): Promise<RunResult>
  /** Closes the runtime and adds all it has left on the disk. */
  close(): Promise<void>
}

export async function markedHouse(
  state: string,
  changes: Partial<Record<AgentName, Partial<AgentDefinition>>> = {},
): Promise<MarkedHouse> {
  const outside: Outside = new Map()
  const add = (place: string, value: unknown) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    outside.set(place, `${outside.get(place) ?? ''}${text}\n`)
  }
  const runtime = await createRuntime({
    store: `sqlite:${join(state, 'baton.db')}`,
    fetch: async (url, init) => {
      const body = new TextDecoder().decode(init?.body as Uint8Array)
      add('requests', [url, init?.headers, body])
      const answer = await fetch(url, init)
      add('answers', [[...answer.headers], await answer.clone().text()])
      return answer
    },
  })
  const program = {
    workflow: ledgerWorkflow,
    agents: agentNames.map((name) => marked(name, changes[name])),
  }
  const reports = await runtime.register(program)
  const effects: Effects = { payments: [], reads: 0 }
  return {
    runtime,
    state,
    program,
    reports,
    outside,
    async run({ model } = {}) {
      const run = await runtime.start(ledgerWorkflow, {
        input: { account: 'acme' },
        resources: [ledgerResource(effects)],
        async onApproval(question) {
          add('questions', question)
          return approveAll()
        },
        ...(model && { model }),
      })
      const result = await run.result()
      add('results', result)
      add('events', await runtime.events(run.id))
      add('details', await runtime.run(run.id))
      add('runs', await runtime.runs())
      add('head of the log', [runtime.audit(), runtime.jwkSet()])
      return result
    },
    async close() {
      await runtime.close()
      for (const name of readdirSync(state, { recursive: true, encoding: 'utf8' })) {
        const file = join(state, name)
        if (name.endsWith('.log')) add('the log', readFileSync(file, 'utf8'))
        else if (/\.(db|db-wal|key)$/.test(name)) add('the files', readFileSync(file, 'latin1'))
      }
      for (const [table, values] of tablesOf(join(state, 'baton.db'))) {
        add(table === 'registrations' ? 'the registrations' : 'the other tables', values)
      }
    },
  }
}

/** Every value in every table: in the file itself the end of a page may hide one. */
function tablesOf(file: string): readonly (readonly [table: string, values: string])[] {
  const database = new Sqlite(file, { readonly: true })
  try {
    const tables = database.prepare("select name from sqlite_master where type = 'table'").pluck().all()
    return (tables as string[]).map((table) => {
      const rows = database.prepare(`select * from "${table}"`).raw().all() as unknown[][]
      const texts = rows
        .flat()
        .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value))
      return [table, texts.join('\n')]
    })
  } finally {
    database.close()
  }
}

/** A text with whatever it holds in base64url read, too: header and claims of each token, and what stands in those. */
export function unfolded(text: string, depth = 2): string {
  if (depth === 0) return text
  const parts = (text.match(/[\w-]{24,}/g) ?? []).map((part) =>
    Buffer.from(part, 'base64url').toString('utf8'),
  )
  return [text, ...[...new Set(parts)].map((part) => unfolded(part, depth - 1))].join('\n')
}
