/** The house of test/support/ledger.ts with its reader and its payer driven by a chat model over HTTP. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ChatOpenAI } from '@langchain/openai'
import { expect } from 'vitest'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import type { RunEvent } from '../../runtime/execution/events.js'
import type { GuardedResource } from '../../runtime/guard/resource.js'
import { defineAgent } from '../../runtime/identity/define.js'
import type { ChatModel, RunResult } from '../../runtime/runtime.js'
import { defineWorkflow, workflowFromSource } from '../../runtime/workflow/define.js'
import type { Workflow } from '../../runtime/workflow/definition.js'
import {
  agents,
  approveAll,
  type House,
  houseRuntime,
  ledgerResource,
  ledgerWorkflow,
  openHouse,
  payTool,
  readTool,
} from '../support/ledger.js'
import {
  type OpenAiServer,
  openAiServer,
  type Question,
  type Reply,
  type Script,
} from '../support/openai-server.js'

export const apiKey = 'sk-test-8d1f0c'
export const prompts = { reader: 'You read the ledger (prompt-r7).', payer: 'You pay (prompt-p3).' }

type Calls = readonly { readonly tool: string; readonly result: unknown }[]

/** @throws Error when the model ended without having done it */
function resultOf(calls: Calls, tool: string): unknown {
  const call = calls.findLast((candidate) => candidate.tool === tool)
  if (!call) throw new Error('nothing was done')
  return call.result
}

export const modelAgents = {
  ...agents,
  reader: defineAgent({
    id: 'reader',
    prompt: prompts.reader,
    tools: [readTool],
    scopes: ['ledger:read'],
    run: agents.reader.run,
    task: ({ input }: { input: { account: string } }) => JSON.stringify({ account: input.account }),
    conclude: (calls) => resultOf(calls, 'ledger/read'),
  }),
  payer: defineAgent({
    id: 'payer',
    prompt: prompts.payer,
    tools: [payTool],
    scopes: ['ledger:pay'],
    run: agents.payer.run,
    task: (input: { account: string; amount: number }) => JSON.stringify(input),
    conclude: (calls) => resultOf(calls, 'ledger/pay'),
  }),
}

/** Paying up to 100 to one account, with no person asked. */
export const ungatedWorkflow = defineWorkflow({
  id: 'paying-freely',
  version: '1.0.0',
  description: 'Pay what is owed, up to 100.',
  parameters: { account: { type: 'string' }, amount: { type: 'number', default: 40 } },
  entry: 'lead',
  grant: {
    scope: ['ledger:pay'],
    tools: {
      'ledger/pay': {
        account: { constraint_type: 'exact', value: { $parameter: 'account' } },
        amount: { constraint_type: 'range', min: 0, max: 100 },
      },
    },
  },
  steps: [
    { id: 'lead', agent: 'lead' },
    {
      id: 'pay',
      agent: 'payer',
      after: ['lead'],
      scope: ['ledger:pay'],
      tools: ['ledger/pay'],
      input: { account: 'input.account', amount: 'input.amount' },
    },
  ],
  result: 'pay',
})

/** The ledger's workflow, but what the reader was told reaches the payer. */
export const notedWorkflow = workflowFromSource({
  ...ledgerWorkflow.source,
  steps: (ledgerWorkflow.source['steps'] as readonly JsonObject[]).map((step) =>
    step['id'] === 'pay'
      ? { ...step, input: { account: 'input.account', amount: 'plan.amount', note: 'read.note' } }
      : step,
  ),
})

/** What each agent's model does; one that is left out behaves well. */
export interface Minds {
  readonly reader?: Mind
  readonly payer?: Mind
}

/** Its replies in order, the last one repeated; or a function of what it was asked. */
export type Mind = readonly Reply[] | Thought
export type Thought = (question: Question) => Reply

/** Calls its tool with what the task says, once, and ends. */
export const reading: Thought = ({ turn, task }) =>
  turn === 0 ? { calls: [['ledger__read', JSON.parse(task)]] } : 'I have read it (words-w5).'

export const paying: Thought = ({ turn, task }) => {
  const { account, amount } = JSON.parse(task)
  return turn === 0 ? { calls: [['ledger__pay', { account, amount }]] } : 'Paid (words-w5).'
}

export function scriptOf(minds: Minds): Script {
  return (question) => {
    const mind = question.system === prompts.reader ? (minds.reader ?? reading) : (minds.payer ?? paying)
    if (typeof mind === 'function') return mind(question)
    return mind[Math.min(question.turn, mind.length - 1)] ?? 'done'
  }
}

export interface ModelRun {
  readonly result: RunResult
  readonly house: House
  readonly server: OpenAiServer
  readonly records: readonly string[]
  readonly events: readonly RunEvent[]
}

export interface ModelRunOptions {
  readonly workflow?: Workflow
  readonly resource?: (house: House) => GuardedResource
  readonly limits?: ChatModel['limits']
}

export function chatAt(baseURL: string): ChatOpenAI {
  return new ChatOpenAI({ model: 'test', apiKey, maxRetries: 0, configuration: { baseURL } })
}

/** Runs the workflow once with a model, approving; then the log must hold, and nothing secret be kept. */
export async function runWithModel(script: Script, options: ModelRunOptions = {}): Promise<ModelRun> {
  const house = openHouse()
  const server = await openAiServer(script)
  const runtime = await houseRuntime(house.state)
  try {
    await runtime.register({ agents: Object.values(modelAgents) })
    const run = await runtime.start(options.workflow ?? ledgerWorkflow, {
      input: { account: 'acme' },
      resources: [options.resource?.(house) ?? ledgerResource(house.effects)],
      onApproval: approveAll,
      model: {
        name: 'openai:test',
        chat: chatAt(server.url),
        ...(options.limits && { limits: options.limits }),
      },
    })
    const result = await run.result()
    const events = await runtime.events(run.id)
    keepsNoSecret(JSON.stringify([result, events]))
    return { result, house, server, events, records: await house.records() }
  } finally {
    await runtime.close()
    await server.close()
    expect(await house.logHolds()).toBe(true)
    keepsNoSecret(textBelow(house.state))
  }
}

/** Neither key nor prompt nor the model's words are kept anywhere. */
function keepsNoSecret(text: string): void {
  for (const secret of [apiKey, ...Object.values(prompts), 'words-w5']) expect(text).not.toContain(secret)
}

/** All that a runtime left on disk, as text. */
function textBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}
