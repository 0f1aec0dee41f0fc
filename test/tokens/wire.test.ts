import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import { fromWire, toWire } from '../../runtime/tokens/wire.js'
import { attack } from '../support/attack.js'
import { expectCode } from '../support/expect-code.js'
import { changed } from '../support/forger.js'
import { approvedIntentClaims, intentClaims } from '../support/intent-claims.js'

const times = { jti: 'token-1', iat: 1_000, exp: 1_300 }
const plain = toWire(intentClaims(), times)
const approved = toWire(approvedIntentClaims(), times)

function read(claims: JsonObject, changes: Record<string, unknown> = {}) {
  return fromWire(changed(claims as Record<string, unknown>, changes) as JsonObject)
}

describe('the claims of an intent token', () => {
  it('say on the wire what PROTOCOL 7 names', () => {
    expect(Object.keys(plain).sort()).toEqual(
      [
        ['agent_proof', 'aud', 'authorization_details', 'client_id', 'cnf', 'exp', 'iat', 'intent'],
        ['iss', 'jti', 'scope', 'sub'],
      ].flat(),
    )
    expect(Object.keys(plain.intent as object).sort()).toEqual(
      [
        ['activation_id', 'chain_hash', 'checkpoint', 'delegation_chain', 'epoch', 'executed_by'],
        ['execution_id', 'initiated_by', 'intent_hash', 'step_sequence_hash', 'workflow_digest'],
        ['workflow_id', 'workflow_step'],
      ].flat(),
    )
    expect(approved.intent).toMatchObject({
      approval: { id: 'approval-1', tool: 'repo/write', args_digest: `sha256:${'4'.repeat(64)}` },
      use: 'once',
    })
  })

  it('come back as they were', () => {
    expect(read(plain)).toEqual({ ...intentClaims(), ...times })
    expect(read(approved)).toEqual({ ...approvedIntentClaims(), ...times })
  })

  const texts = ['iss', 'aud', 'client_id', 'cnf.jkt', 'agent_proof.agent_checksum'].concat(
    ['workflow_step', 'workflow_digest', 'initiated_by', 'delegation_chain', 'step_sequence_hash'].map(
      (name) => `intent.${name}`,
    ),
    ['checkpoint', 'intent_hash', 'chain_hash'].map((name) => `intent.${name}`),
  )
  it.each(texts)('need "%s" as text', async (name) => {
    for (const bad of [undefined, '', 7, null, ['x'], { x: 'y' }]) {
      await expectCode(() => read(plain, { [name]: bad }), 'ERR_CLAIM_INVALID')
    }
    read(plain, { [name]: 'x' })
  })

  const ids = ['sub', 'intent.workflow_id', 'intent.executed_by', 'agent_proof.registration_id']
  it.each(ids)('need "%s" as an identifier', async (name) => {
    for (const bad of [undefined, '', '-x', 'a b', 'a/b', 'é', 'x'.repeat(129), 7]) {
      await expectCode(() => read(plain, { [name]: bad }), 'ERR_CLAIM_INVALID')
    }
    read(plain, { [name]: 'x'.repeat(128) })
  })

  it.each(['jti', 'intent.execution_id', 'intent.activation_id'])(
    'take "%s" from others, bounded',
    async (name) => {
      for (const bad of [undefined, '', 'x'.repeat(129), 'a b', 'a\nb', 'é', 7]) {
        await expectCode(() => read(plain, { [name]: bad }), 'ERR_CLAIM_INVALID')
      }
      read(plain, { [name]: `{${'~'.repeat(126)}}` })
    },
  )

  it.each(['iat', 'exp', 'intent.epoch'])('need "%s" as a whole number from 0', async (name) => {
    for (const bad of [undefined, -1, 1.5, '1000', 2 ** 53, null]) {
      await expectCode(() => read(plain, { [name]: bad }), 'ERR_CLAIM_INVALID')
    }
    read(plain, { [name]: 0 })
  })

  it.each(['cnf', 'cnf.jwk', 'intent', 'agent_proof'])('need "%s" as an object', async (name) => {
    for (const bad of [undefined, null, 'x', [], 7]) {
      await expectCode(() => read(plain, { [name]: bad }), 'ERR_CLAIM_INVALID')
    }
  })

  it('need "authorization_details" as a list of objects', async () => {
    for (const bad of [undefined, {}, 'x', ['x'], [null]]) {
      await expectCode(() => read(plain, { authorization_details: bad }), 'ERR_CLAIM_INVALID')
    }
  })

  it('need "scope" as tokens with one space between, each once', async () => {
    for (const bad of [undefined, 7, ['a'], ' a', 'a ', 'a  b', 'a\tb', 'a a', 'a"', 'a\\', 'é']) {
      await expectCode(() => read(plain, { scope: bad }), 'ERR_CLAIM_INVALID')
    }
    expect(read(plain, { scope: '' }).scope).toEqual([])
    expect(read(plain, { scope: 'a b!' }).scope).toEqual(['a', 'b!'])
  })
})

describe('an approval in a token', () => {
  attack('X3', 'an approved token cannot lose its "once", nor a reusable one gain an approval', async () => {
    await expectCode(() => read(approved, { 'intent.use': undefined }), 'ERR_CLAIM_INVALID')
    await expectCode(() => read(approved, { 'intent.approval': undefined }), 'ERR_CLAIM_INVALID')
    for (const bad of ['twice', true, null, '']) {
      await expectCode(() => read(approved, { 'intent.use': bad }), 'ERR_CLAIM_INVALID')
    }
    read(approved)
  })

  it.each(['id', 'tool', 'args_digest'])('needs its "%s"', async (name) => {
    for (const bad of [undefined, '', 7, null]) {
      await expectCode(() => read(approved, { [`intent.approval.${name}`]: bad }), 'ERR_CLAIM_INVALID')
    }
    await expectCode(() => read(approved, { 'intent.approval': 'approval-1' }), 'ERR_CLAIM_INVALID')
  })
})

describe('a claims set in a polluted realm', () => {
  attack('X10', 'a claim that only `Object.prototype` has is missing', async () => {
    Object.defineProperty(Object.prototype, 'client_id', { value: 'evil', configurable: true })
    try {
      await expectCode(() => read(plain, { client_id: undefined }), 'ERR_CLAIM_INVALID')
    } finally {
      Reflect.deleteProperty(Object.prototype, 'client_id')
    }
  })
  attack('X10', 'an approval that only `Object.prototype` has is none', () => {
    const polluted = { use: 'once', approval: (approved.intent as JsonObject)['approval'] }
    for (const [name, value] of Object.entries(polluted)) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true })
    }
    try {
      const { intent } = read(plain)
      expect(Object.hasOwn(intent, 'approval') || Object.hasOwn(intent, 'use')).toBe(false)
    } finally {
      for (const name of Object.keys(polluted)) Reflect.deleteProperty(Object.prototype, name)
    }
  })
})
