import type { WorkflowDefinition } from '../../runtime/workflow/definition.js'

/** A whole workflow with every feature of a definition: the paper's running example. */
export const patchingDefinition = {
  id: 'vulnerability-patching',
  version: '1.0.0',
  description: 'Find and patch vulnerable dependencies of a Node project',
  parameters: {
    repo: { type: 'string', description: 'The project', format: 'directory' },
    severity: { type: 'string', enum: ['low', 'high'], default: 'low' },
    limit: { type: 'number', default: 10 },
    dry: { type: 'boolean', default: false },
  },
  entry: 'supervise',
  grant: {
    scope: ['repo:read', 'repo:write', 'advisories:read'],
    maxDepth: 3,
    lifetimeSeconds: 86_400,
    tools: {
      'repository/read_inventory': {
        repository: { constraint_type: 'exact', value: { $parameter: 'repo' } },
      },
      'repository/apply_patch': {
        repository: { constraint_type: 'exact', value: { $parameter: 'repo' } },
        changes: { constraint_type: 'wildcard' },
      },
      'advisories/match': {},
    },
  },
  steps: [
    { id: 'supervise', agent: 'supervisor' },
    {
      id: 'scan',
      agent: 'scanner',
      after: ['supervise'],
      scope: ['repo:read'],
      tools: ['repository/read_inventory'],
      input: { repo: 'input.repo' },
      timeoutSeconds: 600,
    },
    {
      id: 'classify',
      agent: 'classifier',
      after: ['scan'],
      scope: ['advisories:read'],
      tools: {
        'advisories/match': { severity: { constraint_type: 'exact', value: { $parameter: 'severity' } } },
      },
      input: { inventory: 'scan.inventory' },
    },
    {
      id: 'plan',
      agent: 'planner',
      after: ['classify'],
      scope: ['repo:write'],
      tools: ['repository/apply_patch'],
    },
    {
      id: 'approve',
      gate: {
        opens: 'patch',
        tool: 'repository/apply_patch',
        arguments: { changes: 'plan.changes', repository: 'input.repo' },
      },
      after: ['plan'],
      when: 'size(plan.changes) > 0',
    },
    {
      id: 'patch',
      agent: 'patcher',
      after: ['approve'],
      delegatedBy: 'plan',
      scope: ['repo:write'],
      tools: ['repository/apply_patch'],
      input: { changes: 'plan.changes', repo: 'input.repo' },
      when: 'size(plan.changes) > 0',
      approval: 'approve',
    },
    {
      id: 'verify',
      agent: 'verifier',
      after: ['patch'],
      scope: ['repo:read'],
      tools: ['repository/read_inventory'],
      input: { before: 'scan.inventory', patched: 'patch', repo: 'input.repo' },
    },
  ],
  result: 'verify',
} as const satisfies WorkflowDefinition

/** The same in YAML: other order of keys, other style, defaults left out or written out. */
export const patchingYaml = `
result: verify
version: 1.0.0
id: vulnerability-patching
description: >-
  Find and patch vulnerable dependencies
  of a Node project
parameters:
  severity: { default: low, enum: [low, high], type: string }
  repo:
    format: directory
    type: string
    description: The project
  limit: { type: number, default: 10 }
  dry: { type: boolean, default: false }
entry: supervise
grant:
  tools:
    advisories/match: {}
    repository/apply_patch:
      changes: { constraint_type: wildcard }
      repository: { value: { $parameter: repo }, constraint_type: exact }
    repository/read_inventory: { repository: { constraint_type: exact, value: { $parameter: repo } } }
  scope: [advisories:read, repo:write, repo:read]
steps:
  - id: supervise
    agent: supervisor
  - id: scan
    agent: scanner
    after: [supervise]
    delegated_by: supervise
    scope: [repo:read]
    tools: [repository/read_inventory]
    input: { repo: input.repo }
    timeout_seconds: 600
  - id: classify
    agent: classifier
    after: [scan]
    scope: [advisories:read]
    tools:
      advisories/match:
        severity: { constraint_type: exact, value: { $parameter: severity } }
    input: { inventory: scan.inventory }
  - id: plan
    agent: planner
    after:
      - classify
    scope: [repo:write]
    tools: [repository/apply_patch]
  - id: approve
    gate:
      opens: patch
      tool: repository/apply_patch
      arguments: { changes: plan.changes, repository: input.repo }
    after: [plan]
    when: size(plan.changes) > 0
  - id: patch
    agent: patcher
    after: [approve]
    delegated_by: plan
    scope: [repo:write]
    tools: [repository/apply_patch]
    input: { changes: plan.changes, repo: input.repo }
    when: "size(plan.changes) > 0"
    approval: approve
  - id: verify
    agent: verifier
    after: [patch]
    scope: [repo:read]
    tools: [repository/read_inventory]
    input: { before: scan.inventory, patched: patch, repo: input.repo }
`
