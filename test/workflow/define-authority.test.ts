import { describe } from 'vitest'
import { type Refusal, refuses } from '../support/changed-definition.js'

const exactly = (value: unknown) => ({ constraint_type: 'exact', value })

const refusals: readonly Refusal[] = [
  [
    'an entry that names a scope',
    (d) => (d.at('supervise').scope = ['repo:read']),
    'steps.supervise.scope',
    () => {},
  ],
  [
    'an entry with a delegator',
    (d) => (d.at('supervise').delegatedBy = 'plan'),
    'steps.supervise.delegated_by',
    () => {},
  ],
  [
    'a delegator that is a gate',
    (d) => (d.at('patch').delegatedBy = 'approve'),
    'steps.patch.delegated_by: a gate',
    () => {},
  ],
  [
    'a step that delegates to itself',
    (d) => (d.at('patch').delegatedBy = 'patch'),
    'steps.patch.delegated_by',
    () => {},
  ],
  [
    'more hops than granted',
    (d) => (d.grant.maxDepth = 1),
    'steps.patch.delegated_by: is 2 hops',
    (d) => (d.grant.maxDepth = 2),
  ],
  ['a depth beyond 31', (d) => (d.grant.maxDepth = 32), 'grant.max_depth', (d) => (d.grant.maxDepth = 31)],
  [
    'a lifetime beyond a week',
    (d) => (d.grant.lifetimeSeconds = 604_801),
    'grant.lifetime_seconds',
    (d) => (d.grant.lifetimeSeconds = 604_800),
  ],
  [
    'a scope outside the grant',
    (d) => d.at('scan').scope.push('admin'),
    'steps.scan.scope: step "supervise" does not hold "admin"',
    (d) => d.at('scan').scope.push('repo:write'),
  ],
  [
    'a scope its delegator lacks, though granted',
    (d) => d.at('patch').scope.push('repo:read'),
    'steps.patch.scope: step "plan" does not hold "repo:read"',
    (d) => {
      d.at('patch').scope.push('repo:read')
      d.at('plan').scope.push('repo:read')
    },
  ],
  [
    'two scopes in one text',
    (d) => (d.grant.scope = ['repo:read repo:write', 'advisories:read']),
    'grant.scope',
    () => {},
  ],
  [
    'a tool outside the grant',
    (d) => (d.at('scan').tools = ['repository/read_inventroy']),
    '(did you mean "repository/read_inventory"?)',
    () => {},
  ],
  [
    'a tool its delegator lacks, though granted',
    (d) => d.at('patch').tools.push('advisories/match'),
    'steps.patch.tools: step "plan" does not hold',
    (d) => {
      d.at('patch').tools.push('advisories/match')
      d.at('plan').tools.push('advisories/match')
    },
  ],
  [
    'a wider constraint',
    (d) =>
      (d.at('scan').tools = { 'repository/read_inventory': { repository: { constraint_type: 'wildcard' } } }),
    'steps.scan.tools.repository/read_inventory',
    (d) =>
      (d.at('scan').tools = { 'repository/read_inventory': { repository: exactly({ $parameter: 'repo' }) } }),
  ],
  [
    'constraints left out',
    (d) => (d.at('scan').tools = { 'repository/read_inventory': {} }),
    'a list of names keeps',
    () => {},
  ],
  [
    'another parameter in place of the granted one',
    (d) =>
      (d.at('scan').tools = {
        'repository/read_inventory': { repository: exactly({ $parameter: 'severity' }) },
      }),
    'steps.scan.tools',
    () => {},
  ],
  [
    'a literal in place of a granted parameter',
    (d) => (d.at('scan').tools = { 'repository/read_inventory': { repository: exactly('/etc') } }),
    'steps.scan.tools',
    () => {},
  ],
  [
    'a constraint that is none',
    (d) => (d.grant.tools['advisories/match'] = { severity: { constraint_type: 'regex' } }),
    'grant.tools.advisories/match.severity: constraint',
    () => {},
  ],
  [
    'an unknown parameter in a constraint',
    (d) => (d.grant.tools['advisories/match'] = { severity: exactly({ $parameter: 'severty' }) }),
    '(did you mean "severity"?)',
    (d) => (d.grant.tools['advisories/match'] = { severity: exactly({ $parameter: 'severity' }) }),
  ],
  [
    'a parameter as type of a constraint',
    (d) =>
      (d.grant.tools['advisories/match'] = { severity: { constraint_type: { $parameter: 'severity' } } }),
    'cannot be a parameter',
    () => {},
  ],
  [
    'a text as a bound',
    (d) => {
      d.grant.tools['advisories/match'] = {
        limit: { constraint_type: 'range', max: { $parameter: 'severity' } },
      }
      d.at('classify').tools = []
    },
    'needs a number',
    (d) => {
      d.grant.tools['advisories/match'] = {
        limit: { constraint_type: 'range', max: { $parameter: 'limit' } },
      }
      d.at('classify').tools = []
    },
  ],
  [
    'a parameter with something beside it',
    (d) => (d.grant.tools['advisories/match'] = { severity: exactly({ $parameter: 'severity', or: 1 }) }),
    'grant.tools.advisories/match.severity',
    () => {},
  ],
  [
    'a tool name that is none',
    (d) => (d.grant.tools['a b'] = {}),
    'grant.tools.a b',
    (d) => (d.grant.tools['a/b'] = {}),
  ],
]

describe('defineWorkflow', () => {
  refuses(refusals)
})
