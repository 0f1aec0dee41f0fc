import { describe, expect, it } from 'vitest'
import { digestOf } from '../../runtime/encoding/digest.js'
import { defineWorkflow } from '../../runtime/workflow/define.js'
import type { WorkflowDefinition } from '../../runtime/workflow/definition.js'
import { parseWorkflowYaml } from '../../runtime/workflow/yaml.js'
import { patchingDefinition, patchingYaml } from '../support/patching-workflow.js'

// biome-ignore lint/suspicious/noExplicitAny: a definition that is being changed
type Loose = any
const base = defineWorkflow(patchingDefinition)

function changed(change: (definition: Loose) => void): WorkflowDefinition {
  const definition = structuredClone(patchingDefinition) as Loose
  definition.at = (id: string) => definition.steps.find((step: Loose) => step.id === id)
  change(definition)
  delete definition.at
  return definition
}

const changes: Record<string, (definition: Loose) => void> = {
  id: (d) => (d.id = 'other'),
  version: (d) => (d.version = '1.0.1'),
  description: (d) => (d.description += '.'),
  'parameters.repo.description': (d) => (d.parameters.repo.description = 'x'),
  'parameters.repo.format': (d) => delete d.parameters.repo.format,
  'parameters.severity.default': (d) => (d.parameters.severity.default = 'high'),
  'parameters.severity.enum': (d) => d.parameters.severity.enum.push('critical'),
  'parameters.limit.type': (d) => (d.parameters.limit = { type: 'string', default: '10' }),
  'a parameter more': (d) => (d.parameters.extra = { type: 'string' }),
  entry: (d) => {
    d.steps.unshift({ id: 'first', agent: 'supervisor' })
    d.entry = 'first'
    d.at('supervise').scope = d.grant.scope
    d.at('supervise').tools = Object.keys(d.grant.tools)
    for (const step of d.steps)
      if (step.agent && step.id !== 'first' && !step.delegatedBy) step.delegatedBy = 'supervise'
    d.at('supervise').delegatedBy = 'first'
  },
  'grant.scope': (d) => d.grant.scope.push('more'),
  'grant.max_depth': (d) => (d.grant.maxDepth = 4),
  'grant.lifetime_seconds': (d) => (d.grant.lifetimeSeconds = 86_399),
  'grant.tools': (d) => (d.grant.tools.more = {}),
  'a constraint': (d) =>
    (d.grant.tools['repository/apply_patch'].changes = { constraint_type: 'subset', allowed: [] }),
  'a parameter in a constraint': (d) => (d.at('classify').tools['advisories/match'].severity.value = 'low'),
  'step.id': (d) => (d.at('verify').id = d.result = 'check'),
  'step.agent': (d) => (d.at('scan').agent = 'other'),
  'step.after': (d) => d.at('verify').after.push('plan'),
  'step.delegated_by': (d) => (d.at('patch').delegatedBy = 'supervise'),
  'step.scope': (d) => d.at('scan').scope.push('repo:write'),
  'step.tools': (d) => d.at('scan').tools.push('advisories/match'),
  'step.tools as a map': (d) =>
    (d.at('plan').tools = { 'repository/apply_patch': d.grant.tools['repository/apply_patch'] }),
  'step.input': (d) => (d.at('scan').input.severity = 'input.severity'),
  'step.input path': (d) => (d.at('verify').input.before = 'scan'),
  'step.input absent': (d) => delete d.at('scan').input,
  'step.input empty': (d) => (d.at('scan').input = {}),
  'step.when': (d) => (d.at('patch').when = 'size(plan.changes) > 1'),
  'step.timeout_seconds': (d) => (d.at('scan').timeoutSeconds = 601),
  'step.approval and gate': (d) => {
    delete d.at('patch').approval
    d.at('plan').approval = 'approve'
    d.at('approve').gate.opens = 'plan'
    d.at('approve').after = ['classify']
    d.at('approve').gate.arguments.changes = 'classify'
    delete d.at('approve').when
  },
  'gate.tool': (d) => {
    d.at('plan').tools = d.at('patch').tools = ['repository/apply_patch', 'advisories/match']
    d.at('approve').gate.tool = 'advisories/match'
  },
  'gate.arguments': (d) => (d.at('approve').gate.arguments.changes = 'plan'),
  'gate.when': (d) => delete d.at('approve').when,
  result: (d) => (d.result = 'patch'),
  'a step less': (d) => {
    d.steps.pop()
    d.result = 'patch'
  },
}

describe('the digest of a workflow', () => {
  it('is that of its source', () => {
    expect(base.digest).toBe(digestOf(base.source))
    expect(base.digest).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  it('is the same from YAML and from code', () => {
    expect(parseWorkflowYaml(patchingYaml, 'patching.yaml').digest).toBe(base.digest)
  })

  it('does not depend on the order of keys and of sets', () => {
    const reordered = JSON.parse(
      JSON.stringify(patchingDefinition, (_, value: unknown) =>
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.fromEntries(Object.entries(value).reverse())
          : value,
      ),
    )
    reordered.grant.scope.reverse()
    expect(defineWorkflow(reordered).digest).toBe(base.digest)
  })

  it('does not depend on whether a default is written out', () => {
    const written = changed((d) => {
      d.at('scan').delegatedBy = 'supervise'
      d.at('supervise').after = []
    })
    const left = changed((d) => {
      delete d.grant.maxDepth
      delete d.grant.lifetimeSeconds
    })
    expect(defineWorkflow(written).digest).toBe(base.digest)
    expect(defineWorkflow(left).digest).toBe(base.digest)
  })

  for (const [what, change] of Object.entries(changes)) {
    it(`changes with ${what}`, () => {
      expect(defineWorkflow(changed(change)).digest).not.toBe(base.digest)
    })
  }

  it('is another one for each of these changes', () => {
    const digests = Object.values(changes).map((change) => defineWorkflow(changed(change)).digest)
    expect(new Set(digests).size).toBe(digests.length)
  })
})
