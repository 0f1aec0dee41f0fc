/**
 * A small house for attacks on whole runs: a lead, a reader, a planner, a gate and a payer with a chain of
 * three hops, and a guarded ledger on loopback that counts its effects.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { readAuditRecords } from '../../runtime/audit/auditor/read.js'
import { verifyAuditLog } from '../../runtime/audit/auditor/verify.js'
import { createRuntime } from '../../runtime/compose.js'
import type { GuardedResource } from '../../runtime/guard/resource.js'
import type { AgentDefinition } from '../../runtime/identity/agent.js'
import { defineAgent, defineTool } from '../../runtime/identity/define.js'
import { deriveKey } from '../../runtime/keys/derive.js'
import { createKeyring } from '../../runtime/keys/keyring.js'
import { masterSecretFrom } from '../../runtime/keys/master-secret.js'
import type { RunResult } from '../../runtime/runtime.js'
import { defineWorkflow } from '../../runtime/workflow/define.js'
import { folderOfThisFile } from './folder.js'

export const masterBytes = new Uint8Array(32).fill(7)

export const readTool = defineTool({
  name: 'ledger/read',
  description: 'Reads the balance.',
  parameters: z.object({ account: z.string() }),
  scope: 'ledger:read',
  http: { resource: 'ledger', method: 'POST', path: '/read' },
})

export const payTool = defineTool({
  name: 'ledger/pay',
  description: 'Pays.',
  parameters: z.object({ account: z.string(), amount: z.number() }),
  scope: 'ledger:pay',
  http: { resource: 'ledger', method: 'POST', path: '/pay' },
})

export const ledgerWorkflow = defineWorkflow({
  id: 'paying',
  version: '1.0.0',
  description: 'Pay what is owed.',
  parameters: { account: { type: 'string' } },
  entry: 'lead',
  grant: {
    scope: ['ledger:read', 'ledger:pay'],
    maxDepth: 2,
    tools: {
      'ledger/read': { account: { constraint_type: 'exact', value: { $parameter: 'account' } } },
      'ledger/pay': {
        account: { constraint_type: 'exact', value: { $parameter: 'account' } },
        amount: { constraint_type: 'range', min: 0, max: 100 },
      },
    },
  },
  steps: [
    { id: 'lead', agent: 'lead' },
    { id: 'read', agent: 'reader', after: ['lead'], scope: ['ledger:read'], tools: ['ledger/read'] },
    { id: 'plan', agent: 'planner', after: ['read'], scope: ['ledger:pay'], tools: ['ledger/pay'] },
    {
      id: 'approve',
      gate: {
        opens: 'pay',
        tool: 'ledger/pay',
        arguments: { account: 'input.account', amount: 'plan.amount' },
      },
      after: ['plan'],
    },
    {
      id: 'pay',
      agent: 'payer',
      after: ['approve'],
      delegatedBy: 'plan',
      scope: ['ledger:pay'],
      tools: ['ledger/pay'],
      approval: 'approve',
      input: { account: 'input.account', amount: 'plan.amount' },
    },
  ],
  result: 'pay',
})

type PayInput = { readonly account: string; readonly amount: number }

export const agents = {
  lead: defineAgent({ id: 'lead', prompt: 'Lead.', tools: [], scopes: [], run: () => ({}) }),
  reader: defineAgent({
    id: 'reader',
    prompt: 'Read.',
    tools: [readTool],
    scopes: ['ledger:read'],
    run: (context, input: { input: { account: string } }) =>
      context.tool('ledger/read')({ account: input.input.account }),
  }),
  planner: defineAgent({
    id: 'planner',
    prompt: 'Plan.',
    tools: [],
    scopes: [],
    run: () => ({ amount: 40 }),
  }),
  payer: defineAgent({
    id: 'payer',
    prompt: 'Pay.',
    tools: [payTool],
    scopes: ['ledger:pay'],
    run: (context, input: PayInput) =>
      context.tool('ledger/pay')({ account: input.account, amount: input.amount }),
  }),
} satisfies Record<string, AgentDefinition>

export interface Effects {
  readonly payments: { account: string; amount: number }[]
  reads: number
}

export function ledgerResource(effects: Effects): GuardedResource {
  return {
    id: 'ledger',
    tools: [
      {
        definition: readTool,
        handler: () => {
          effects.reads += 1
          return { owed: 40 }
        },
      },
      {
        definition: payTool,
        handler: (payment: { account: string; amount: number }) => {
          effects.payments.push({ ...payment })
          return { paid: payment.amount }
        },
      },
    ],
  }
}

export interface House {
  readonly state: string
  readonly effects: Effects
  /** Runs the workflow once, approving, in a runtime of its own. */
  run(changes?: HouseChanges): Promise<RunResult>
  /** Types and codes of all records, in order. */
  records(): Promise<readonly string[]>
  /** The real key that an agent of this house acts with. */
  keyOf(agentId: string, agentChecksum: string): ReturnType<typeof deriveKey>
  /** Whether the whole log still verifies. */
  logHolds(): Promise<boolean>
}

export interface HouseChanges {
  readonly agents?: Partial<typeof agents>
  readonly fetch?: typeof fetch
  readonly approve?: boolean
}

export function openHouse(): House {
  const state = folderOfThisFile('house')
  const effects: Effects = { payments: [], reads: 0 }
  const audit = join(state, 'audit')
  return {
    state,
    effects,
    async run(changes = {}) {
      const runtime = await houseRuntime(state, changes.fetch)
      try {
        await runtime.register({ agents: Object.values({ ...agents, ...changes.agents }) })
        const run = await runtime.start(ledgerWorkflow, {
          input: { account: 'acme' },
          resources: [ledgerResource(effects)],
          ...(changes.approve !== false && { onApproval: approveAll }),
        })
        return await run.result()
      } finally {
        await runtime.close()
      }
    },
    async records() {
      const records = await readAuditRecords(audit)
      return records.map(({ type, data }) =>
        typeof data['code'] === 'string' ? `${type} ${data['code']}` : type,
      )
    },
    keyOf: (agentId, agentChecksum) =>
      deriveKey(
        masterSecretFrom(masterBytes),
        {
          purpose: 'agent',
          iss: 'https://baton.localhost',
          agent_id: agentId,
          agent_checksum: agentChecksum,
          epoch: 0,
        },
        createKeyring(),
      ),
    logHolds: async () => (await verifyAuditLog({ folder: audit })).ok,
  }
}

export function houseRuntime(state: string, fetcher?: typeof fetch) {
  return createRuntime({
    store: `sqlite:${join(state, 'baton.db')}`,
    masterSecret: masterBytes,
    ...(fetcher && { fetch: fetcher }),
  })
}

export const approveAll = async () => ({ decision: 'approved', approver: 'os:1000', method: 'test' }) as const
