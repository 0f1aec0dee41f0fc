import { describe, expect, it } from 'vitest'
import {
  assertionFromWire,
  assertionToWire,
  decodeAssertion,
  parseToolDetails,
  signingInputHash,
  toolDetails,
} from '../../runtime/delegation/assertion.js'
import { parseToolGrants } from '../../runtime/delegation/tools.js'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import { attack } from '../support/attack.js'
import { chainOf, chainTools, hashOf, rootToken } from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { changed, claimsOf, forge } from '../support/forger.js'

const [root, hop] = chainOf(2).map(claimsOf) as [Record<string, unknown>, Record<string, unknown>]

function read(claims: Record<string, unknown>, changes: Record<string, unknown> = {}) {
  return assertionFromWire(changed(claims, changes) as JsonObject)
}

describe('the claims of an assertion', () => {
  it('come back as they were', () => {
    for (const claims of [root, hop]) expect(assertionToWire(read(claims))).toEqual(claims)
    const withTask = changed(hop, { 'intent.task_digest': 'sha256:1' })
    expect(assertionToWire(read(withTask))).toEqual(withTask)
  })

  it.each(['iss', 'agent_proof.agent_checksum', 'intent.workflow_step', 'intent.intent_hash'])(
    'need "%s" as text',
    async (name) => {
      for (const bad of [undefined, '', 7, null, {}]) {
        await expectCode(() => read(hop, { [name]: bad }), 'ERR_CLAIM_INVALID')
      }
    },
  )

  it.each(['par_hash', 'initiated_by', 'intent.task_digest'])(
    'may lack "%s", which is text',
    async (name) => {
      for (const bad of ['', 7, null]) {
        await expectCode(() => read(root, { [name]: bad }), 'ERR_CLAIM_INVALID')
      }
      read(root, { [name]: undefined })
      read(root, { [name]: 'x' })
    },
  )

  it.each(['iat', 'exp', 'del_depth', 'del_max_depth'])(
    'need "%s" as a whole number from 0',
    async (name) => {
      for (const bad of [undefined, -1, 1.5, '1', null]) {
        await expectCode(() => read(hop, { [name]: bad }), 'ERR_CLAIM_INVALID')
      }
    },
  )

  it.each(['jti', 'intent.execution_id', 'intent.activation_id'])('bound "%s"', async (name) => {
    for (const bad of ['', 'x'.repeat(129), 'a b', 7]) {
      await expectCode(() => read(hop, { [name]: bad }), 'ERR_CLAIM_INVALID')
    }
    read(hop, { [name]: 'x'.repeat(128) })
  })

  it.each(['intent.workflow_id', 'agent_proof.registration_id'])(
    'need "%s" as an identifier',
    async (name) => {
      for (const bad of [undefined, '', 'a b', 7]) {
        await expectCode(() => read(hop, { [name]: bad }), 'ERR_CLAIM_INVALID')
      }
    },
  )

  it.each(['cnf', 'cnf.jwk', 'intent', 'agent_proof'])('need "%s" as an object', async (name) => {
    for (const bad of [undefined, 'x', [], null]) {
      await expectCode(() => read(hop, { [name]: bad }), 'ERR_CLAIM_INVALID')
    }
  })

  it('need "scope", which may be empty', async () => {
    await expectCode(() => read(hop, { scope: undefined }), 'ERR_CLAIM_INVALID')
    await expectCode(() => read(hop, { scope: 'a a' }), 'ERR_CLAIM_INVALID')
    expect(read(hop, { scope: '' }).scope).toEqual([])
  })

  it('may lack "auth", which says how and when', async () => {
    for (const bad of [
      'x',
      {},
      { method: 'local' },
      { method: '', time: 1 },
      { method: 'local', time: '1' },
    ]) {
      await expectCode(() => read(root, { auth: bad }), 'ERR_CLAIM_INVALID')
    }
    expect(read(root, { auth: undefined })).not.toHaveProperty('auth')
  })
})

describe('the tools of an assertion', () => {
  const entry = { type: 'attenuating_agent_token', tools: chainTools }

  it('stand in exactly one entry of their type', async () => {
    expect(parseToolDetails([entry])).toEqual(chainTools)
    expect(parseToolDetails(toolDetails(parseToolGrants(chainTools)))).toEqual(chainTools)
    const other = { ...entry, type: 'payment' }
    for (const details of [[], [entry, entry], [entry, other], [other]]) {
      await expectCode(() => parseToolDetails(details), 'ERR_CLAIM_INVALID')
      await expectCode(() => read(hop, { authorization_details: details }), 'ERR_CLAIM_INVALID')
    }
  })

  attack('T9', 'an entry without a tools map grants nothing', async () => {
    for (const tools of [undefined, null, [], '*']) {
      await expectCode(() => parseToolDetails([changed(entry, { tools }) as JsonObject]), 'ERR_CLAIM_INVALID')
    }
    expect(parseToolDetails([{ ...entry, tools: {} }])).toEqual({})
  })

  it('are understood or refused', async () => {
    const unknown = { 'repo/read': { path: { constraint_type: 'regex', value: '.*' } } }
    const details = [{ ...entry, tools: unknown }]
    await expectCode(() => read(hop, { authorization_details: details }), 'ERR_CONSTRAINT_INVALID')
  })
})

describe('the hash that links hops', () => {
  it('covers header and claims, not the signature', () => {
    const token = rootToken()
    expect(signingInputHash(token)).toBe(hashOf(token))
    expect(signingInputHash(`${token}x`)).toBe(hashOf(token))
    expect(signingInputHash(rootToken({ scope: 'repo:read' }))).not.toBe(hashOf(token))
  })
})

describe('an assertion that somebody wrote', () => {
  it('is read without being believed', () => {
    const forged = forge({ typ: 'delegation+jwt' }, root, fixedKey('stranger'))
    expect(decodeAssertion(forged).jti).toBe('hop-0')
  })
})
