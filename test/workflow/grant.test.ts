import { describe, expect, it } from 'vitest'
import { checkArguments, parseToolGrants } from '../../runtime/delegation/tools.js'
import { defineWorkflow } from '../../runtime/workflow/define.js'
import type { WorkflowDefinition } from '../../runtime/workflow/definition.js'
import { resolveGrant, stepGrant } from '../../runtime/workflow/grant.js'
import { expectCode } from '../support/expect-code.js'
import { patchingDefinition } from '../support/patching-workflow.js'

const workflow = defineWorkflow(patchingDefinition)
const input = { repo: '/repo', severity: 'low', limit: 10, dry: false }

/** A workflow whose grant has one constraint. */
function granting(constraint: unknown, type: 'string' | 'number' | 'boolean' = 'string') {
  return defineWorkflow({
    id: 'w',
    version: '1.0.0',
    parameters: { p: { type } },
    entry: 'a',
    grant: { scope: [], tools: { t: { x: constraint } } },
    steps: [{ id: 'a', agent: 'x' }],
    result: 'a',
  } as WorkflowDefinition)
}

describe('resolveGrant', () => {
  it('puts the input in place of parameters', () => {
    const grant = resolveGrant(workflow, input)
    expect(grant).toEqual({
      scope: ['advisories:read', 'repo:read', 'repo:write'],
      maxDepth: 3,
      lifetimeSeconds: 86_400,
      tools: {
        'repository/read_inventory': { repository: { constraint_type: 'exact', value: '/repo' } },
        'repository/apply_patch': {
          repository: { constraint_type: 'exact', value: '/repo' },
          changes: { constraint_type: 'wildcard' },
        },
        'advisories/match': {},
      },
    })
    checkArguments(grant.tools, 'repository/read_inventory', { repository: '/repo' })
  })

  it('fills holes of every kind, nested ones too', () => {
    const filled = (constraint: unknown, value: unknown, type?: 'number' | 'boolean') =>
      resolveGrant(granting(constraint, type), { p: value as string }).tools['t']?.['x']
    const hole = { $parameter: 'p' }
    expect(filled({ constraint_type: 'one_of', values: ['a', hole, { deep: [hole] }] }, 'v')).toEqual({
      constraint_type: 'one_of',
      values: ['a', 'v', { deep: ['v'] }],
    })
    expect(filled({ constraint_type: 'range', max: hole }, 5, 'number')).toEqual({
      constraint_type: 'range',
      max: 5,
    })
    expect(filled({ constraint_type: 'range', max: 1, max_inclusive: hole }, false, 'boolean')).toMatchObject(
      { max_inclusive: false },
    )
    expect(filled({ constraint_type: 'path_containment', root: hole }, '/r')).toMatchObject({ root: '/r' })
    expect(
      filled({ constraint_type: 'any', constraints: [{ constraint_type: 'exact', value: hole }] }, 'v'),
    ).toMatchObject({
      constraints: [{ value: 'v' }],
    })
    expect(filled({ constraint_type: 'url', scheme: 'https', host: hole, port: 443 }, 'a.com')).toMatchObject(
      { host: 'a.com' },
    )
    expect(
      filled({ constraint_type: 'url', scheme: 'https', host: 'a.com', port: hole }, 8443, 'number'),
    ).toMatchObject({ port: 8443 })
    expect(filled({ constraint_type: 'pattern', value: hole }, '/a')).toMatchObject({ value: '/a' })
  })

  it('refuses an input that does not fit its constraint', async () => {
    const hole = { $parameter: 'p' }
    const refused: [constraint: unknown, value: string][] = [
      [{ constraint_type: 'path_containment', root: hole }, '/r/../etc'],
      [{ constraint_type: 'path_containment', root: hole }, 'relative'],
      [{ constraint_type: 'url', scheme: 'https', host: hole, port: 443 }, 'a.com/x'],
      [{ constraint_type: 'pattern', value: hole }, '**'],
      [{ constraint_type: 'pattern', value: hole }, '/a/*'],
    ]
    for (const [constraint, value] of refused) {
      await expectCode(() => resolveGrant(granting(constraint), { p: value }), 'ERR_INPUT_INVALID')
    }
  })

  it('takes an input as a value, never as a constraint', () => {
    const text = '{"constraint_type":"wildcard"}'
    const grant = resolveGrant(granting({ constraint_type: 'exact', value: { $parameter: 'p' } }), {
      p: text,
    })
    expect(grant.tools['t']?.['x']).toEqual({ constraint_type: 'exact', value: text })
  })

  it('refuses a parameter that the input lacks or only inherits', async () => {
    const one = granting({ constraint_type: 'exact', value: { $parameter: 'p' } })
    await expectCode(() => resolveGrant(one, {}), 'ERR_INPUT_INVALID')
    await expectCode(() => resolveGrant(one, Object.create({ p: 'x' })), 'ERR_INPUT_INVALID')
  })
})

describe('stepGrant', () => {
  const root = resolveGrant(workflow, input)

  it('keeps the delegator’s constraints for a list of tools', () => {
    const own = parseToolGrants({
      'repository/read_inventory': { repository: { constraint_type: 'exact', value: '/other' } },
    })
    expect(stepGrant(workflow, 'scan', own, input)).toEqual({ scope: ['repo:read'], tools: own })
    expect(stepGrant(workflow, 'scan', root.tools, input).tools).toEqual({
      'repository/read_inventory': root.tools['repository/read_inventory'],
    })
  })

  it('narrows for a map of tools', () => {
    expect(stepGrant(workflow, 'classify', root.tools, input)).toEqual({
      scope: ['advisories:read'],
      tools: { 'advisories/match': { severity: { constraint_type: 'exact', value: 'low' } } },
    })
  })

  it('is the whole grant for the entry', () => {
    expect(stepGrant(workflow, 'supervise', root.tools, input)).toEqual({
      scope: root.scope,
      tools: root.tools,
    })
  })

  it('refuses a tool or a constraint that the delegator’s assertion does not hold', async () => {
    await expectCode(() => stepGrant(workflow, 'scan', {}, input), 'ERR_CHAIN_TOOL_WIDENED')
    await expectCode(() => stepGrant(workflow, 'classify', {}, input), 'ERR_CHAIN_TOOL_WIDENED')
    const closed = parseToolGrants({
      'advisories/match': { severity: { constraint_type: 'exact', value: 'high' } },
    })
    await expectCode(() => stepGrant(workflow, 'classify', closed, input), 'ERR_CHAIN_CONSTRAINT_WIDENED')
    stepGrant(workflow, 'classify', closed, { ...input, severity: 'high' })
  })

  it('has nothing for a gate', () => {
    expect(() => stepGrant(workflow, 'approve', root.tools, input)).toThrow(TypeError)
  })
})
