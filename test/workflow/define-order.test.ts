import { describe } from 'vitest'
import { type Refusal, refuses } from '../support/changed-definition.js'

const refusals: readonly Refusal[] = [
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
]

describe('defineWorkflow', () => {
  refuses(refusals)
})
