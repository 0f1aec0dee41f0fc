/**
 * The house of test/support/ledger.ts with a mark in everything that is secret, and with everything watched that
 * leaves a run: the wire, the log, the events, the outcome and what the command line prints of them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { outcomeJson, showOutcome } from '../../runtime/cli/outcome.js'
import { progressLine } from '../../runtime/cli/progress.js'
import { reportError } from '../../runtime/cli/report-error.js'
import { canonicalize } from '../../runtime/encoding/canonical-json.js'
import { isAgenticError } from '../../runtime/errors.js'
import type { Registration } from '../../runtime/identity/registration.js'
import {
  type AgentDefinition,
  createRuntime,
  defineAgent,
  type GuardedResource,
} from '../../runtime/index.js'
import { masterSecretFrom } from '../../runtime/keys/master-secret.js'
import type { ChatModel, Run } from '../../runtime/runtime.js'
import { agents, approveAll, ledgerWorkflow, payTool, readTool } from '../support/ledger.js'
import { temporaryFolder } from '../support/stores.js'
import { createWatch, type Watch } from './watch.js'

export const canaries = {
  master: 'canary-master-secret-4f1c9a-3270',
  prompt: 'canary-prompt-77ab02',
  argument: 'canary-argument-19ce4d',
  result: 'canary-result-c0ffe3',
  thrown: 'canary-thrown-5d00d5',
  apiKey: 'sk-canary-api-key-88f0b1',
  model: 'canary-model-words-02aa71',
} as const

/** All of them in one text, as an error could quote what it worked on. */
export const everything = Object.values(canaries).join(' ')

export interface Scenario {
  readonly agents?: Partial<Record<keyof typeof agents, Partial<AgentDefinition>>>
  readonly handlers?: Partial<Record<'read' | 'pay', (args: unknown) => unknown>>
  /** Stands between the agent's side and the resource. */
  readonly wire?: Wire
  readonly model?: ChatModel
  readonly approve?: 'approved' | 'denied'
  readonly input?: Record<string, unknown>
}

export type Wire = (url: string, init: Sent, send: () => Promise<Response>) => Promise<Response>

export interface Sent {
  body: string
  headers: Record<string, string>
}

export interface CanaryHouse {
  readonly watch: Watch
  /** Runs once and looks at all that comes of it. @returns the code of what stopped it; `completed` else */
  run(scenario: Scenario): Promise<string>
  /** Looks at every byte of the log, and closes the house. */
  close(): Promise<void>
}

export async function canaryHouse(): Promise<CanaryHouse> {
  const watch = createWatch()
  for (const [name, text] of Object.entries(canaries)) {
    watch.secret(name, text)
    watch.secret(name, Buffer.from(text))
  }
  const state = temporaryFolder()
  const masterSecret = Buffer.from(canaries.master)
  let now: Scenario = {}
  let printLast: () => Promise<unknown> = async () => undefined
  const runtime = await createRuntime({
    store: `sqlite:${join(state, 'baton.db')}`,
    masterSecret,
    fetch: watchedFetch(watch, () => now.wire),
  })
  return {
    watch,
    async run(scenario) {
      now = scenario
      try {
        return await runOnce(scenario)
      } catch (error) {
        lookAtError('what a run was refused with', error, watch)
        return isAgenticError(error) ? error.code : 'server_error'
      }
    },
    async close() {
      await printLast()
      await runtime.close()
      const audit = join(state, 'audit')
      for (const name of readdirSync(audit, { recursive: true, encoding: 'utf8' })) {
        if (name.endsWith('.log')) watch.look('the audit log', readFileSync(join(audit, name), 'utf8'))
      }
    },
  }

  async function runOnce(scenario: Scenario): Promise<string> {
    const definitions = markedAgents(scenario)
    const reports = await runtime.register({ agents: definitions, acceptChanges: true })
    for (const { registration } of reports) watchSeed(registration)
    const run = await runtime.start(ledgerWorkflow, {
      input: scenario.input ?? { account: canaries.argument },
      resources: [markedResource(scenario)],
      onApproval: async () => ({ ...(await approveAll()), decision: scenario.approve ?? 'approved' }),
      ...(scenario.model !== undefined && { model: scenario.model }),
    })
    return lookAtRun(run, definitions)
  }

  async function lookAtRun(run: Run, definitions: readonly AgentDefinition[]): Promise<string> {
    const result = await run.result()
    const events = await runtime.events(run.id)
    watch.look('the events of a run', JSON.stringify(events))
    for (const event of events) watch.look('a line of progress', progressLine(event, false))
    for (const { data } of events) if (typeof data['code'] === 'string') watch.code(data['code'])
    if (result.status === 'completed') return 'completed'
    watch.look('the failure of a run', JSON.stringify(result.failure ?? null))
    const program = { workflow: ledgerWorkflow, agents: definitions }
    const verdict = { records: 0, root: '', verified: true }
    watch.look('the outcome as an object', JSON.stringify(outcomeJson(result, program, verdict)))
    const place = { cwd: state, state, store: '', issuers: { file: '', optional: true } }
    const write = (line: string) => watch.look('a line of the outcome', line)
    // It verifies the log each time, so only the last is printed.
    printLast = () => showOutcome(result, program, place, runtime, 'plain', write)
    return result.failure?.code ?? result.status
  }

  /** The seed of an agent's key, which nobody but the runtime can know. */
  function watchSeed({ agentId, agentChecksum }: Registration): void {
    const { issuer: iss } = runtime
    const info = { v: 1, purpose: 'agent', iss, agent_id: agentId, agent_checksum: agentChecksum, epoch: 0 }
    watch.secret(`seed of ${agentId}`, masterSecretFrom(masterSecret).expand(canonicalize(info)))
  }
}

/** A message, and what the command line makes of it; the cause is the debugger's. */
export function lookAtError(place: string, error: unknown, watch: Watch): void {
  if (isAgenticError(error)) {
    watch.code(error.code)
    watch.look(place, error.message)
  }
  for (const json of [false, true]) {
    for (const debug of [false, true]) {
      const print = (line: string) => watch.look(`${place}, on the command line`, line)
      reportError(error, { json, debug, out: print, err: print })
    }
  }
}

function markedAgents(scenario: Scenario): readonly AgentDefinition[] {
  return Object.values(agents).map((agent) =>
    defineAgent({
      ...agent,
      prompt: `${agent.prompt} ${canaries.prompt}`,
      ...scenario.agents?.[agent.id as keyof typeof agents],
    }),
  )
}

function markedResource({ handlers = {} }: Scenario): GuardedResource {
  return {
    id: 'ledger',
    tools: [
      { definition: readTool, handler: handlers.read ?? (() => ({ owed: 40, note: canaries.result })) },
      { definition: payTool, handler: handlers.pay ?? (() => ({ paid: 40, note: canaries.result })) },
    ],
  }
}

/** Every token that is sent becomes a secret, and every refusal that comes back is looked at. */
function watchedFetch(watch: Watch, wireNow: () => Wire | undefined): typeof fetch {
  return async (url, init) => {
    const headers = { ...(init?.headers as Record<string, string>) }
    const { authorization = '', dpop = '', 'delegation-chain': chain = '' } = headers
    watch.token('a token', authorization.replace('DPoP ', ''))
    watch.token('a proof', dpop)
    for (const hop of chain.split(', ')) watch.token('a hop', hop)
    const sent = { headers, body: new TextDecoder().decode(init?.body as Uint8Array) }
    const send = async () => {
      const answer = await fetch(String(url), { ...init, headers: sent.headers, body: sent.body })
      if (!answer.ok) {
        const text = await answer.clone().text()
        watch.look(
          'an answer of the guard',
          `${answer.status} ${JSON.stringify([...answer.headers])} ${text}`,
        )
      }
      return answer
    }
    const wire = wireNow()
    return wire ? wire(String(url), sent, send) : send()
  }
}
