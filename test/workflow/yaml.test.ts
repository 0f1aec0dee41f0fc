import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { defineWorkflow } from '../../runtime/workflow/define.js'
import { loadWorkflow, parseWorkflowYaml } from '../../runtime/workflow/yaml.js'
import { expectCode } from '../support/expect-code.js'
import { patchingDefinition, patchingYaml } from '../support/patching-workflow.js'

const parse = (text: string) => parseWorkflowYaml(text, 'w.yaml')

/** The smallest workflow. */
const small = `id: small
version: 1.0.0
entry: a
grant: { scope: [s], tools: { t: {} } }
steps:
  - id: a
    agent: x
result: a
`

const traps: readonly [fact: string, refused: string, allowed: string][] = [
  ['a duplicate key', `${small}result: a\n`, small],
  ['a duplicate key in a step', small.replace('agent: x', 'agent: x\n    agent: y'), small],
  ['a duplicate key in flow style', small.replace('{ t: {} }', '{ t: {}, t: {} }'), small],
  ['a duplicate key in other quotes', small.replace('{ t: {} }', '{ t: {}, "t": {} }'), small],
  ['a tab as indentation', small.replace('    agent', '\tagent'), small],
  ['__proto__ as a key', `${small}__proto__: { entry: b }\n`, small],
  ['__proto__ as a tool', small.replace('{ t: {} }', '{ t: {}, __proto__: {} }'), small],
  [
    '__proto__ as a parameter',
    `${small}parameters: { __proto__: { type: string } }\n`,
    `${small}parameters: { proto: { type: string } }\n`,
  ],
  ['a merge key', small.replace('scope: [s]', '<<: { scope: [s] }'), small],
  ['a custom tag', small.replace('agent: x', 'agent: !env x'), small.replace('agent: x', 'agent: !!str x')],
  ['a tag that makes code', small.replace('agent: x', 'agent: !!js/function "x"'), small],
  ['binary', small.replace('agent: x', 'agent: !!binary eA=='), small],
  ['a second document', `${small}---\n${small}`, `---\n${small}`],
  ['YAML 1.1', `%YAML 1.1\n---\n${small}`, `%YAML 1.2\n---\n${small}`],
  ['a list as a key', `${small}? [a]\n: b\n`, small],
  ['a version that YAML reads as a number', small.replace('1.0.0', '1.0'), small.replace('1.0.0', '"1.0.0"')],
  [
    'an agent that YAML reads as a boolean',
    small.replace('agent: x', 'agent: true'),
    small.replace('agent: x', 'agent: "true"'),
  ],
  [
    'an agent that YAML reads as null',
    small.replace('agent: x', 'agent: ~'),
    small.replace('agent: x', 'agent: "null"'),
  ],
  [
    'infinity',
    `${small}parameters: { p: { type: number, default: .inf } }\n`,
    `${small}parameters: { p: { type: number, default: 1 } }\n`,
  ],
  [
    'an integer that loses digits',
    `${small}parameters: { p: { type: number, default: 9007199254740993 } }\n`,
    `${small}parameters: { p: { type: number, default: 9007199254740991 } }\n`,
  ],
  ['steps without dashes', small.replace('- id', '  id'), small],
  [
    'camelCase',
    `${small.replace('tools: { t: {} }', 'tools: { t: {} }, maxDepth: 2')}`,
    small.replace('tools: { t: {} }', 'tools: { t: {} }, max_depth: 2'),
  ],
  ['an unclosed quote', small.replace('id: small', 'id: "small'), small],
  ['an anchor that is not there', small.replace('agent: x', 'agent: *x'), small],
  ['nothing', '', small],
  ['a lone text', 'workflow', small],
]

describe('parseWorkflowYaml', () => {
  for (const [fact, refused, allowed] of traps) {
    it(`refuses ${fact}`, async () => {
      await expectCode(() => parse(refused), 'ERR_WORKFLOW_INVALID')
      expect(parse(allowed).id).toBe('small')
    })
  }

  it('reads yes, no, on and off as texts, as YAML 1.2 does', () => {
    for (const word of ['yes', 'no', 'on', 'off', 'y', 'n']) {
      expect(parse(small.replace('agent: x', `agent: ${word}`)).step('a')).toMatchObject({ agent: word })
    }
  })

  it('reads a few aliases and refuses an alias bomb', async () => {
    const shared = small
      .replace('scope: [s]', 'scope: &s [s]')
      .replace('result: a', '  - { id: b, agent: x, scope: *s }\nresult: a')
    expect(parse(shared).step('b')).toMatchObject({ scope: ['s'] })
    const levels = Array.from(
      { length: 9 },
      (_, i) => `  l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`,
    )
    const bomb = `${small}parameters:\n  l0: &l0 [x]\n${levels.join('\n')}\n`
    await expectCode(() => parse(bomb), 'ERR_WORKFLOW_INVALID')
  })

  it('refuses an alias that contains itself', async () => {
    await expectCode(() => parse(`${small}parameters: &p { p: *p }\n`), 'ERR_WORKFLOW_INVALID')
  })

  it('refuses nesting that would exhaust the stack, which no handler survives', async () => {
    for (const opening of ['[', '{', '- ', '? ', '[{', '{a: ']) {
      await expectCode(() => parse(`${small}parameters: ${opening.repeat(60_000)}`), 'ERR_WORKFLOW_INVALID')
      await expectCode(
        () => parse(`${small}parameters:\n  ${opening.repeat(60_000)}`),
        'ERR_WORKFLOW_INVALID',
      )
    }
    const nested = (depth: number) =>
      small.replace(
        '{ t: {} }',
        `{ t: { x: { constraint_type: one_of, values: ${'['.repeat(depth)}${']'.repeat(depth)} } } }`,
      )
    expect(parse(nested(28)).id).toBe('small')
    await expectCode(() => parse(nested(29)), 'ERR_WORKFLOW_INVALID')
  })

  it('refuses more tokens than any workflow has', async () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join('\n')
    await expectCode(() => parse(keys), 'ERR_WORKFLOW_INVALID')
    await expectCode(() => parse('}'.repeat(200_000)), 'ERR_WORKFLOW_INVALID')
  })

  it('reads up to 256 KiB', async () => {
    const filled = (bytes: number) => `${small}#${'x'.repeat(bytes - small.length - 2)}\n`
    expect(parse(filled(256 * 1024)).id).toBe('small')
    await expectCode(() => parse(filled(256 * 1024 + 1)), 'ERR_WORKFLOW_INVALID')
  })

  it('says line and column, the place, and what was meant', async () => {
    const error = await expectCode(
      () => parse(patchingYaml.replace('after: [scan]', 'after: [scam]')),
      'ERR_WORKFLOW_INVALID',
    )
    expect(error.message).toBe('w.yaml:38:5: steps.classify.after: no step "scam" (did you mean "scan"?)')
    const unknown = await expectCode(
      () => parse(small.replace('agent: x', 'agnet: x')),
      'ERR_WORKFLOW_INVALID',
    )
    expect(unknown.message).toContain('w.yaml:7:5: steps.a.agnet: no such member (did you mean "agent"?)')
    const missing = await expectCode(() => parse(small.replace('    agent: x\n', '')), 'ERR_WORKFLOW_INVALID')
    expect(missing.message).toContain('w.yaml:6:5: steps.a.agent')
    const syntax = await expectCode(() => parse(`${small}result: a\n`), 'ERR_WORKFLOW_INVALID')
    expect(syntax.message).toContain('w.yaml:9:1: ')
  })

  it('leaves Object.prototype alone', async () => {
    await expectCode(() => parse(`${small}__proto__: { polluted: true }\n`), 'ERR_WORKFLOW_INVALID')
    expect('polluted' in {}).toBe(false)
  })
})

describe('loadWorkflow', () => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-yaml-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const file = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name)
    writeFileSync(path, content)
    return path
  }

  it('reads a file', () => {
    const workflow = loadWorkflow(file('patching.yaml', patchingYaml))
    expect(workflow.digest).toBe(defineWorkflow(patchingDefinition).digest)
  })

  it('refuses a file that is not there, a folder, bytes that are not UTF-8, and a huge file', async () => {
    await expectCode(() => loadWorkflow(join(folder, 'none.yaml')), 'ERR_WORKFLOW_UNKNOWN')
    mkdirSync(join(folder, 'dir.yaml'))
    await expectCode(() => loadWorkflow(join(folder, 'dir.yaml')), 'ERR_WORKFLOW_INVALID')
    await expectCode(
      () => loadWorkflow(file('latin1.yaml', Buffer.from(`${small}# \xe9`, 'latin1'))),
      'ERR_WORKFLOW_INVALID',
    )
    await expectCode(
      () => loadWorkflow(file('huge.yaml', small + '#'.repeat(300_000))),
      'ERR_WORKFLOW_INVALID',
    )
    expect(loadWorkflow(file('utf8.yaml', `${small}# \u00e9`)).id).toBe('small')
  })
})
