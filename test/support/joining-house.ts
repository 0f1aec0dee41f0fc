/**
 * A run whose step `join` gets what two others found: `pay` holds wide authority, `read` little, `pass` none, and it
 * hands on what `pay` said. `join` itself may pay a little; `heir` is delegated to by `pay`.
 */
import { decodeAssertion } from '../../runtime/delegation/assertion.js'
import { codeOf } from '../../runtime/errors.js'
import { type AgentContext, createRuntime, defineAgent, defineWorkflow } from '../../runtime/index.js'
import type { RunResult } from '../../runtime/runtime.js'
import { type Effects, ledgerResource, masterBytes, payTool, readTool } from './ledger.js'

const account = { constraint_type: 'exact', value: { $parameter: 'account' } } as const
const upTo = (max: number) => ({ constraint_type: 'range', min: 0, max }) as const

export const joining = {
  id: 'joining',
  version: '1.0.0',
  parameters: { account: { type: 'string' } },
  entry: 'lead',
  grant: {
    scope: ['ledger:read', 'ledger:pay'],
    maxDepth: 2,
    tools: { 'ledger/read': { account }, 'ledger/pay': { account, amount: upTo(100) } },
  },
  steps: [
    { id: 'lead', agent: 'lead' },
    { id: 'pay', agent: 'payer', after: ['lead'], scope: ['ledger:pay'], tools: ['ledger/pay'] },
    { id: 'read', agent: 'reader', after: ['lead'], scope: ['ledger:read'], tools: ['ledger/read'] },
    { id: 'pass', agent: 'postman', after: ['pay'], scope: [], tools: [] },
    {
      id: 'join',
      agent: 'clerk',
      after: ['pay', 'read', 'pass'],
      scope: ['ledger:pay'],
      tools: { 'ledger/pay': { account, amount: upTo(10) } },
    },
    {
      id: 'heir',
      agent: 'heir',
      after: ['join'],
      delegatedBy: 'pay',
      scope: ['ledger:pay'],
      tools: ['ledger/pay'],
    },
  ],
  result: 'join',
} as const

export interface Order {
  readonly tool: string
  readonly args: { readonly account: string; readonly amount?: number }
}

export function payment(amount: number, account = 'acme'): Order {
  return { tool: 'ledger/pay', args: { account, amount } }
}

/** Does what it is told. @returns what came of each order */
export async function obey(context: AgentContext, orders: readonly Order[]): Promise<readonly string[]> {
  const outcomes: string[] = []
  for (const { tool, args } of orders) {
    const outcome = await context
      .tool(tool)(args)
      .then(
        () => 'done',
        (error: unknown) => codeOf(error) ?? 'another error',
      )
    outcomes.push(outcome)
  }
  return outcomes
}

// biome-ignore lint/suspicious/noExplicitAny: whatever a test makes of it
type Work = (context: AgentContext, input: any) => unknown

export interface Joining {
  /** What each agent does; those left out do nothing. */
  readonly payer?: Work
  readonly postman?: Work
  readonly clerk?: Work
  readonly heir?: Work
  readonly fetch?: typeof fetch
}

export interface Joined {
  readonly result: RunResult
  readonly effects: Effects
  /** The chain of a step: at each hop the step, its agent's registration, scope, tools and key. */
  chainOf(step: string): readonly Hop[]
  /** `sha256:` and hex, by agent. */
  readonly checksums: Readonly<Record<string, string>>
}

export interface Hop {
  readonly step: string
  readonly checksum: string
  readonly scope: readonly string[]
  readonly tools: unknown
  readonly signedBy: string
}

export async function runJoining(work: Joining): Promise<Joined> {
  const effects: Effects = { payments: [], reads: 0 }
  const runtime = await createRuntime({
    masterSecret: masterBytes,
    ...(work.fetch && { fetch: work.fetch }),
  })
  const agents = [
    agent('lead', []),
    agent('payer', [payTool], work.payer),
    agent('reader', [readTool], (context, { input }) => context.tool('ledger/read')({ ...input })),
    agent('postman', [], work.postman ?? ((_context, { pay }) => pay)),
    agent('clerk', [readTool, payTool], work.clerk),
    agent('heir', [payTool], work.heir),
  ]
  try {
    const reports = await runtime.register({ agents })
    const run = await runtime.start(defineWorkflow(joining), {
      input: { account: 'acme' },
      resources: [ledgerResource(effects)],
    })
    const result = await run.result()
    return {
      result,
      effects,
      chainOf: (step) => (result.steps.find((report) => report.step === step)?.chain ?? []).map(hopOf),
      checksums: Object.fromEntries(
        reports.map(({ agent: id, registration }) => [id, registration.agentChecksum]),
      ),
    }
  } finally {
    await runtime.close()
  }
}

function agent(id: string, tools: readonly (typeof readTool)[], run: Work = () => null) {
  return defineAgent({ id, prompt: `You are ${id}.`, tools, scopes: tools.map(({ scope }) => scope), run })
}

function hopOf(token: string): Hop {
  const { intent, agentProof, scope, toolGrants: tools, iss } = decodeAssertion(token)
  return { step: intent.workflowStep, checksum: agentProof.agentChecksum, scope, tools, signedBy: iss }
}
