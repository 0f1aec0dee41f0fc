import { describe } from 'vitest'
import type { ErrorCode } from '../../runtime/errors.js'
import { attack } from '../support/attack.js'
import { type Changes, chainTime } from '../support/chain-builder.js'
import { everywhere, type Forgery, granted, held, sweep } from './forged-chains.js'

type Held = (place: number) => Changes

/** What the wrong hop says for its own place, and everyone below for theirs. */
function alike(says: (place: number, wrong: number) => Changes): Forgery {
  return { at: (place) => says(place, place), below: says }
}

function scopes(place: number, ...more: readonly string[]): Changes {
  return { scope: [...more, ...held.scopes(place)].join(' ') }
}

function tools(place: number, more: Changes, limit: Held = held.limit): Changes {
  return { authorization_details: granted({ ...held.tools(place), limited: limit(place), ...more }) }
}

function limits(says: (place: number, wrong: number) => Changes): Forgery {
  return alike((place, wrong) => tools(place, { limited: says(place, wrong) }))
}

const scopeCode = 'ERR_CHAIN_SCOPE_WIDENED'
const toolCode = 'ERR_CHAIN_TOOL_WIDENED'
const constraintCode = 'ERR_CHAIN_CONSTRAINT_WIDENED'

/** `p - 2` is what the parent's parent had and the parent gave up; `p - 1` what the parent has. */
const widenings: readonly [what: string, code: ErrorCode, wrong: Forgery, near?: Forgery][] = [
  ['a scope of its own', scopeCode, alike((p) => scopes(p, 'admin'))],
  ['a scope that begins like one it has', scopeCode, alike((q, p) => scopes(q, `scope:${p}x`))],
  [
    'the scope that its parent gave up',
    scopeCode,
    alike((q, p) => scopes(q, `scope:${p - 2}`)),
    alike((q, p) => scopes(q, `scope:${p - 1}`)),
  ],
  ['a tool of its own', toolCode, alike((p) => tools(p, { shell: {} }))],
  ['a tool that differs in case', toolCode, alike((q, p) => tools(q, { [`Tool/${p}`]: {} }))],
  ['a tool that objects inherit', toolCode, alike((p) => tools(p, { constructor: {} }))],
  [
    'the tool that its parent gave up',
    toolCode,
    alike((q, p) => tools(q, { [p === 1 ? 'tool/none' : `tool/${p - 2}`]: {} })),
    alike((q, p) => tools(q, { [`tool/${p - 1}`]: {} })),
  ],
  [
    'the limit that its parent lowered',
    constraintCode,
    limits((_, p) => held.limit(p - 2)),
    limits((_, p) => held.limit(p - 1)),
  ],
  [
    'a tool without its constraints',
    constraintCode,
    limits(() => ({})),
    // The tool is not granted at all.
    alike((p) => ({ authorization_details: granted(held.tools(p)) })),
  ],
  [
    'a constraint on another argument instead',
    constraintCode,
    limits((p) => ({ other: held.limit(p).count })),
  ],
  [
    'a constraint on one argument more',
    constraintCode,
    limits((p) => ({ ...held.limit(p), other: { constraint_type: 'exact', value: 1 } })),
    // A tool that is open to the parent may be closed.
    alike((q, p) => tools(q, q === p ? { [`tool/${p}`]: held.limit(0) } : {})),
  ],
  [
    'another run',
    'ERR_CHAIN_INTENT',
    everywhere({ 'intent.execution_id': 'execution-2' }),
    everywhere({ 'intent.activation_id': 'of-its-own' }),
  ],
  [
    'another workflow',
    'ERR_CHAIN_INTENT',
    everywhere({ 'intent.workflow_id': 'other' }),
    everywhere({ 'intent.workflow_step': 'of-its-own' }),
  ],
  [
    'another intent',
    'ERR_CHAIN_INTENT',
    everywhere({ 'intent.intent_hash': `sha256:${'9'.repeat(64)}` }),
    everywhere({ 'intent.task_digest': `sha256:${'9'.repeat(64)}` }),
  ],
  ['who initiated the run', 'ERR_CHAIN_INTENT', { at: () => ({ initiated_by: 'os:1000' }) }],
  [
    'how the initiator is known',
    'ERR_CHAIN_INTENT',
    { at: () => ({ auth: { method: 'local', time: chainTime } }) },
  ],
]

describe('an agent with its true key, at every place of chains of every length, cannot pass on', () => {
  for (const [what, code, wrong, near] of widenings) {
    attack('T9', what, () => sweep(code, wrong, near))
  }
})
