import { describe } from 'vitest'
import { type Refusal, refuses } from '../support/changed-definition.js'

const refusals: readonly Refusal[] = [
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
  refuses(refusals)
})
