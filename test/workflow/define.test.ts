import { describe, expect, it } from 'vitest'
import { defineWorkflow, workflowFromSource } from '../../runtime/workflow/define.js'
import type { WorkflowDefinition } from '../../runtime/workflow/definition.js'
import { expectCode } from '../support/expect-code.js'
import { patchingDefinition } from '../support/patching-workflow.js'

// biome-ignore lint/suspicious/noExplicitAny: a definition that is being made wrong
type Loose = any
type Change = (definition: Loose) => void

/** The sample, changed; steps are found by their ids. */
function changed(change: Change): WorkflowDefinition {
  const definition = structuredClone(patchingDefinition) as Loose
  definition.at = (id: string) => definition.steps.find((step: Loose) => step.id === id)
  change(definition)
  delete definition.at
  return definition
}

const exactly = (value: unknown) => ({ constraint_type: 'exact', value })

const refusals: readonly [fact: string, refused: Change, where: string, allowed: Change][] = [
  // shape
  ['an unknown member', (d) => (d.owner = 'x'), 'owner', () => {}],
  [
    'a misspelt member, and says which was meant',
    (d) => (d.at('scan').scopes = []),
    'steps.scan.scopes: no such member (did you mean "scope"?)',
    () => {},
  ],
  [
    'a wire spelling in code',
    (d) => (d.at('scan').timeout_seconds = 1),
    '(did you mean "timeoutSeconds"?)',
    (d) => (d.at('scan').timeoutSeconds = 1),
  ],
  ['a missing id', (d) => delete d.id, 'id: expected a text, found nothing', () => {}],
  ['an id with a slash', (d) => (d.id = 'a/b'), 'id: expected an identifier', (d) => (d.id = 'a.b')],
  ['a version that is none', (d) => (d.version = '1.0'), 'version', (d) => (d.version = '1.0.0-rc.1')],
  ['a number as version', (d) => (d.version = 1), 'version: expected a text, found a number', () => {}],
  ['no steps', (d) => (d.steps = []), 'steps: expected at least one', () => {}],
  ['steps that are a map', (d) => (d.steps = { scan: {} }), 'steps: expected a list', () => {}],
  ['a step that is a text', (d) => d.steps.push('scan'), 'steps[7]: expected an object', () => {}],
  ['a step without an agent', (d) => delete d.at('scan').agent, 'steps.scan.agent', () => {}],
  [
    'a step with agent and gate',
    (d) => (d.at('approve').agent = 'x'),
    'steps.approve.agent: no such member',
    () => {},
  ],
  [
    'an empty condition',
    (d) => (d.at('patch').when = ''),
    'steps.patch.when',
    (d) => delete d.at('patch').when,
  ],
  [
    'a timeout of zero',
    (d) => (d.at('scan').timeoutSeconds = 0),
    'steps.scan.timeout_seconds',
    (d) => (d.at('scan').timeoutSeconds = 1),
  ],
  [
    'a timeout in words',
    (d) => (d.at('scan').timeoutSeconds = '600'),
    'steps.scan.timeout_seconds',
    () => {},
  ],
  [
    'the same step twice in `after`',
    (d) => (d.at('scan').after = ['supervise', 'supervise']),
    'listed twice',
    () => {},
  ],
  ['NaN', (d) => (d.parameters.limit.default = Number.NaN), 'parameters.limit.default', () => {}],
  ['a function', (d) => (d.at('scan').agent = () => 'x'), 'steps.scan.agent', () => {}],
  [
    'a lone surrogate',
    (d) => (d.description = '\ud800'),
    'description',
    (d) => (d.description = '\ud83d\ude00'),
  ],
  [
    'a getter',
    (d) => Object.defineProperty(d.at('scan').input, 'repo', { get: () => 'input.repo', enumerable: true }),
    'steps.scan.input.repo',
    () => {},
  ],
  // ids
  ['a second step of the same id', (d) => (d.at('classify').id = 'scan'), 'a second step "scan"', () => {}],
  [
    'a step id with a dot',
    (d) => (d.at('verify').id = d.result = 'a.b'),
    'steps.a.b.id',
    (d) => (d.at('verify').id = d.result = 'a-b'),
  ],
  ['a step called input', (d) => (d.at('verify').id = d.result = 'input'), '"input" is reserved', () => {}],
  ['a step called constructor', (d) => (d.at('verify').id = d.result = 'constructor'), 'reserved', () => {}],
  [
    'a parameter called toString',
    (d) => (d.parameters.toString = { type: 'string', default: '' }),
    'parameters.toString',
    () => {},
  ],
  // references
  [
    'an entry that is no step',
    (d) => (d.entry = 'supervize'),
    'entry: no step "supervize" (did you mean "supervise"?)',
    () => {},
  ],
  ['a result that is no step', (d) => (d.result = 'nobody'), 'result: no step', (d) => (d.result = 'scan')],
  ['a result from a gate', (d) => (d.result = 'approve'), 'result', (d) => (d.result = 'patch')],
  [
    'an unknown step in `after`',
    (d) => (d.at('scan').after = ['foo']),
    'steps.scan.after: no step "foo"',
    () => {},
  ],
  [
    'an unknown delegator',
    (d) => (d.at('patch').delegatedBy = 'plam'),
    'steps.patch.delegated_by: no step "plam" (did you mean "plan"?)',
    () => {},
  ],
  ['an unknown gate', (d) => (d.at('patch').approval = 'aprove'), 'steps.patch.approval: no step', () => {}],
  [
    'a gate that opens nothing',
    (d) => (d.at('approve').gate.opens = 'pitch'),
    'steps.approve.gate.opens: no step',
    () => {},
  ],
  // order
  ['a step after itself', (d) => (d.at('scan').after = ['scan']), 'steps.scan.after', () => {}],
  [
    'a cycle through `after`',
    (d) => (d.at('scan').after = ['classify']),
    'steps wait for each other: scan → classify → scan',
    () => {},
  ],
  [
    'a cycle through delegation',
    (d) => {
      d.at('scan').delegatedBy = 'plan'
      d.at('scan').tools = []
      d.at('scan').scope = []
    },
    'wait for each other',
    (d) => {
      d.at('verify').delegatedBy = 'plan'
      d.at('verify').tools = []
      d.at('verify').scope = []
    },
  ],
  [
    'a cycle through an approval',
    (d) => (d.at('approve').after = ['patch']),
    'wait for each other: approve → patch → approve',
    () => {},
  ],
  [
    'an entry that comes after something',
    (d) => (d.at('supervise').after = ['scan']),
    'steps.supervise.after',
    (d) => (d.at('supervise').after = []),
  ],
  [
    'an entry that may be skipped',
    (d) => (d.at('supervise').when = 'true'),
    'steps.supervise.when',
    () => {},
  ],
  [
    'an entry with a gate',
    (d) => (d.at('supervise').approval = 'approve'),
    'steps.supervise.approval',
    () => {},
  ],
  ['an entry that is a gate', (d) => (d.entry = 'approve'), 'entry', () => {}],
  // authority
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
  // gates
  ['a gate that comes first', (d) => (d.at('approve').after = []), 'steps.approve: a gate', () => {}],
  [
    'a gate whose step does not name it',
    (d) => delete d.at('patch').approval,
    'steps.approve.gate.opens',
    () => {},
  ],
  [
    'a gate that opens another step than names it',
    (d) => (d.at('verify').approval = 'approve'),
    'steps.verify.approval: gate "approve" opens step "patch"',
    () => {},
  ],
  [
    'an approval by a step that is no gate',
    (d) => (d.at('verify').approval = 'scan'),
    'steps.verify.approval: step "scan" is not a gate',
    () => {},
  ],
  [
    'a gate that opens a gate',
    (d) => (d.at('approve').gate.opens = 'approve'),
    'steps.approve.gate.opens',
    () => {},
  ],
  [
    'a gate for a tool its step lacks',
    (d) => (d.at('patch').tools = []),
    'steps.patch.tools: gate "approve" opens tool',
    () => {},
  ],
  [
    'a gate without arguments',
    (d) => delete d.at('approve').gate.arguments,
    'steps.approve.gate.arguments',
    (d) => (d.at('approve').gate.arguments = {}),
  ],
  // data
  [
    'a path into a later step',
    (d) => (d.at('scan').input.x = 'plan.changes'),
    'steps.scan.input.x: step "plan" does not come before',
    (d) => (d.at('patch').input.x = 'scan.inventory'),
  ],
  ['a path into itself', (d) => (d.at('scan').input.x = 'scan.inventory'), 'does not come before', () => {}],
  [
    'a path into nothing',
    (d) => (d.at('patch').input.x = 'plam.changes'),
    'no step "plam" (did you mean "plan"?)',
    () => {},
  ],
  [
    'a path to no parameter',
    (d) => (d.at('scan').input.repo = 'input.repos'),
    'no parameter "repos" (did you mean "repo"?)',
    () => {},
  ],
  [
    'a path with an empty part',
    (d) => (d.at('scan').input.repo = 'input..repo'),
    'expected a path',
    () => {},
  ],
  ['a path to a prototype', (d) => (d.at('patch').input.x = 'plan.__proto__.x'), 'expected a path', () => {}],
  [
    'a path of a gate into a later step',
    (d) => (d.at('approve').gate.arguments.changes = 'patch'),
    'steps.approve.gate.arguments.changes',
    () => {},
  ],
  [
    'a condition that does not parse',
    (d) => (d.at('patch').when = 'size('),
    'steps.patch.when: condition',
    () => {},
  ],
  [
    'a condition over a later step',
    (d) => (d.at('plan').when = 'verify != null'),
    'no earlier step "verify"',
    (d) => (d.at('plan').when = 'scan != null'),
  ],
  ['a condition that is a number', (d) => (d.at('patch').when = '1 + 1'), 'of type int', () => {}],
  // parameters
  ['a type that is none', (d) => (d.parameters.repo.type = 'path'), 'parameters.repo.type', () => {}],
  [
    'a default of another type',
    (d) => (d.parameters.limit.default = '10'),
    'parameters.limit.default',
    () => {},
  ],
  [
    'a default outside its enum',
    (d) => (d.parameters.severity.default = 'medium'),
    'parameters.severity.default',
    (d) => (d.parameters.severity.default = 'high'),
  ],
  ['an empty enum', (d) => (d.parameters.severity.enum = []), 'parameters.severity.enum', () => {}],
  [
    'a format for a number',
    (d) => (d.parameters.limit.format = 'directory'),
    'parameters.limit.format',
    () => {},
  ],
]

describe('defineWorkflow', () => {
  for (const [fact, refused, where, allowed] of refusals) {
    it(`refuses ${fact}`, async () => {
      const error = await expectCode(() => defineWorkflow(changed(refused)), 'ERR_WORKFLOW_INVALID')
      expect(error.message).toContain(where)
      defineWorkflow(changed(allowed))
    })
  }

  it('reads 200 steps and refuses 201', async () => {
    const many = (count: number) =>
      changed((d) => {
        d.steps = Array.from({ length: count }, (_, i) => ({
          id: `s${i}`,
          agent: 'a',
          ...(i > 0 && { after: [`s${i - 1}`] }),
        }))
        d.entry = 's0'
        d.result = `s${count - 1}`
      })
    expect(defineWorkflow(many(200)).steps).toHaveLength(200)
    await expectCode(() => defineWorkflow(many(201)), 'ERR_WORKFLOW_INVALID')
  })

  it('refuses what is no definition at all', async () => {
    for (const value of [null, undefined, 1, 'x', [], new Map(), () => {}, new (class A {})()]) {
      await expectCode(() => defineWorkflow(value as unknown as WorkflowDefinition), 'ERR_WORKFLOW_INVALID')
    }
  })

  it('fills in every default', () => {
    const workflow = defineWorkflow({
      id: 'w',
      version: '1.0.0',
      entry: 'a',
      grant: { scope: ['s'], tools: { t: {} } },
      steps: [
        { id: 'a', agent: 'x' },
        { id: 'b', agent: 'y' },
      ],
      result: 'b',
    })
    expect(workflow).toMatchObject({
      description: '',
      parameters: {},
      grant: { maxDepth: 3, lifetimeSeconds: 86_400 },
    })
    expect(workflow.step('a')).toEqual({
      kind: 'agent',
      id: 'a',
      agent: 'x',
      after: [],
      scope: ['s'],
      tools: ['t'],
    })
    expect(workflowFromSource(workflow.source)).toMatchObject({
      digest: workflow.digest,
      source: workflow.source,
    })
    expect(workflow.step('b')).toEqual({
      kind: 'agent',
      id: 'b',
      agent: 'y',
      after: [],
      delegatedBy: 'a',
      scope: [],
      tools: [],
    })
  })

  it('puts the steps in topological order, the entry first, whatever their order in the definition', () => {
    const workflow = defineWorkflow(changed((d) => d.steps.reverse()))
    expect(workflow.steps.map((step) => step.id)).toEqual([
      'supervise',
      'scan',
      'classify',
      'plan',
      'approve',
      'patch',
      'verify',
    ])
  })

  it('finds steps by id and nothing else', async () => {
    const workflow = defineWorkflow(patchingDefinition)
    expect(workflow.step('approve')).toMatchObject({ kind: 'gate', opens: 'patch' })
    await expectCode(() => workflow.step('nobody'), 'ERR_STEP_UNKNOWN')
    await expectCode(() => workflow.step('constructor'), 'ERR_STEP_UNKNOWN')
  })

  it('is frozen throughout and keeps nothing of the definition it was made from', () => {
    const definition = changed(() => {}) as Loose
    const workflow = defineWorkflow(definition)
    const digest = workflow.digest
    definition.grant.scope.push('admin')
    definition.steps[1].scope.push('admin')
    expect(workflow.grant.scope).not.toContain('admin')
    expect(workflow.step('scan')).toMatchObject({ scope: ['repo:read'] })
    for (const part of [workflow, workflow.grant.tools, workflow.steps, workflow.steps[1], workflow.source]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
    expect(workflow.digest).toBe(digest)
  })

  it('can be made again from its source', async () => {
    const workflow = defineWorkflow(patchingDefinition)
    const again = workflowFromSource(JSON.parse(JSON.stringify(workflow.source)))
    expect(again.digest).toBe(workflow.digest)
    expect(again.source).toEqual(workflow.source)
    expect(again.steps).toEqual(workflow.steps)
    expect(again.grant).toEqual(workflow.grant)
    await expectCode(
      () => workflowFromSource({ ...workflow.source, entry: 'nobody' }),
      'ERR_WORKFLOW_INVALID',
    )
  })
})
