import type {
  ActivationRow,
  ApprovalRow,
  ExecutionRow,
  ReceiptRow,
  TokenRow,
} from '../../runtime/execution/records.js'
import type { Registration } from '../../runtime/identity/registration.js'

/** Plausible rows of one execution, `execution-1`; tests name what they care about. */
export function executionRow(changes: Partial<ExecutionRow> = {}): ExecutionRow {
  return {
    executionId: 'execution-1',
    workflowId: 'workflow-1',
    workflowVersion: '1.0.0',
    workflowDigest: `sha256:${'0'.repeat(64)}`,
    input: { repo: 'shop' },
    initiator: { initiatedBy: 'os:1000', auth: { method: 'os', time: 1_767_225_600_000 } },
    intentHash: 'intent-hash',
    root: 'root.assertion.signature',
    epoch: 1,
    status: 'running',
    pinned: { scanner: 'registration-1' },
    startedAt: 1_767_225_600_000,
    driver: 'scripted',
    ...changes,
  }
}

export function activationRow(changes: Partial<ActivationRow> = {}): ActivationRow {
  return {
    activationId: 'activation-1',
    executionId: 'execution-1',
    step: 'scan',
    iteration: 0,
    item: 0,
    attempt: 1,
    state: 'activated',
    epoch: 1,
    agentId: 'scanner',
    registrationId: 'registration-1',
    agentChecksum: `sha256:${'1'.repeat(64)}`,
    checkpoint: `sha256:${'2'.repeat(64)}`,
    parents: [],
    chain: ['root.assertion.signature'],
    scope: ['repo:read'],
    startedAt: 1_767_225_601_000,
    ...changes,
  }
}

export function receiptRow(changes: Partial<ReceiptRow> = {}): ReceiptRow {
  return {
    receiptHash: 'receipt-1',
    executionId: 'execution-1',
    activationId: 'activation-1',
    step: 'scan',
    iteration: 0,
    item: 0,
    checkpoint: `sha256:${'3'.repeat(64)}`,
    jws: 'receipt.jws.signature',
    at: 1_767_225_602_000,
    ...changes,
  }
}

export function approvalRow(changes: Partial<ApprovalRow> = {}): ApprovalRow {
  return {
    approvalId: 'approval-1',
    executionId: 'execution-1',
    gate: 'review',
    gateActivationId: 'activation-2',
    opens: 'patch',
    activationId: 'activation-3',
    tool: 'repo/write',
    args: { path: 'package.json' },
    argsDigest: `sha256:${'4'.repeat(64)}`,
    checkpoint: `sha256:${'5'.repeat(64)}`,
    state: 'pending',
    requestedAt: 1_767_225_603_000,
    ...changes,
  }
}

export function tokenRow(changes: Partial<TokenRow> = {}): TokenRow {
  return {
    jti: 'token-1',
    executionId: 'execution-1',
    activationId: 'activation-1',
    audience: 'https://repo.example',
    scope: ['repo:read'],
    exp: 1_767_225_900,
    ...changes,
  }
}

export function registrationRow(changes: Partial<Registration> = {}): Registration {
  return {
    registrationId: 'registration-1',
    agentId: 'scanner',
    owner: 'runtime',
    clientIds: ['runtime'],
    agentChecksum: `sha256:${'1'.repeat(64)}`,
    code: 'shallow',
    components: { prompt: 'sha256:a', tools: { 'repo/read': 'sha256:b' }, configuration: 'sha256:c' },
    keys: [
      {
        kid: 'thumbprint',
        jwk: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
        epoch: 1,
        mode: 'derived',
      },
    ],
    version: '1.0.0',
    status: 'verified',
    scopes: ['repo:read'],
    tools: ['repo/read'],
    registeredAt: 1_767_225_600,
    ...changes,
  }
}
