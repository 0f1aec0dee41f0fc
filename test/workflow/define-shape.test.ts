import { describe } from 'vitest'
import { type Refusal, refuses } from '../support/changed-definition.js'

const refusals: readonly Refusal[] = [
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
]

describe('defineWorkflow', () => {
  refuses(refusals)
})
