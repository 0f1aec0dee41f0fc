import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../runtime/errors.js'
import { attack } from '../support/attack.js'
import { recordsOf } from '../support/authority-house.js'
import { fixedKey, smallOrderJwk } from '../support/fixed-keys.js'
import { claimsOf, forge } from '../support/forger.js'
import { type CallChanges, type Counter, counter } from '../support/guard-house.js'
import { issuer } from '../support/intent-claims.js'
import { approvedArgs } from '../support/shipping.js'

const apples = { item: 'apples' }
const bytes = (text: string) => new TextEncoder().encode(text)

/** Sends a wrong call, and then the right one: the first has no effect and one record, the second has one. */
async function expectRefused(
  wrong: (setting: Counter) => CallChanges | Promise<CallChanges>,
  code: ErrorCode,
  status = 401,
  at: [step: string, tool: string, args: Record<string, string | number>] = ['look', 'stock/read', apples],
): Promise<void> {
  const setting = await counter(...at)
  const answer = await setting.send(await wrong(setting))
  expect(await answer.json()).toMatchObject({ code })
  expect(answer.status).toBe(status)
  expect(setting.handled).toEqual([])
  const refusals = recordsOf(setting.house).filter(({ type }) => type === 'call.refused')
  expect(refusals).toMatchObject([{ actor: 'guard', data: { tool: at[1], code } }])
  expect((await setting.send()).status).toBe(200)
  expect(setting.handled).toHaveLength(1)
}

describe('the token of a call', () => {
  attack('T1', 'is signed by the authority', async () => {
    await expectRefused(({ token }) => {
      const agent = fixedKey('reader')
      const kid = fixedKey('authority').publicKey.thumbprint
      return { token: forge({ typ: 'at+jwt', kid }, claimsOf(token), agent) }
    }, 'ERR_SIGNATURE_INVALID')
  })

  attack('X8', 'is a token: a root, signed by the same key, is none', async () => {
    await expectRefused(({ activation }) => ({ token: activation.chain[0] ?? '' }), 'ERR_TYP_MISMATCH')
  })

  it('is from the trusted issuer, for this resource, and in time', async () => {
    await expectRefused(({ reminted }) => ({ token: reminted({ iss: `${issuer}/` }) }), 'ERR_TOKEN_ISSUER')
    await expectRefused(
      ({ reminted }) => ({ token: reminted({ iat: 1_000, exp: 1_300 }) }),
      'ERR_TOKEN_EXPIRED',
    )
  })

  attack('T2', 'is not one for another resource', async () => {
    await expectRefused(
      ({ reminted }) => ({ token: reminted({ aud: 'https://x.example' }) }),
      'ERR_TOKEN_AUDIENCE',
    )
  })

  attack('X9', 'is not bound to a key that anyone can use', async () => {
    await expectRefused(
      ({ reminted }) => ({ token: reminted({ 'cnf.jwk': smallOrderJwk }) }),
      'ERR_KEY_SMALL_ORDER',
    )
  })
})

describe('the proof of a call', () => {
  attack('T1', 'is by the key in the token: copied id, checksum and token do not help', async () => {
    await expectRefused(() => ({ key: fixedKey('planner') }), 'ERR_PROOF_KEY')
  })

  attack(['T2', 'X18'], 'is over this very body', async () => {
    const swapped = { query: '', contentType: 'application/json', body: bytes('{"item":"pears"}') }
    await expectRefused(() => ({ proof: { request: swapped } }), 'ERR_PROOF_REQUEST')
  })

  attack('T2', 'is over this content type, query, method and path, and this token', async () => {
    await expectRefused(
      () => ({ headers: { 'content-type': 'application/json; charset=utf-8' } }),
      'ERR_PROOF_REQUEST',
    )
    await expectRefused(() => ({ path: '/read?force=1' }), 'ERR_PROOF_REQUEST')
    await expectRefused(() => ({ proof: { method: 'PUT' } }), 'ERR_PROOF_METHOD')
    await expectRefused(() => ({ proof: { url: 'https://repo.example/count' } }), 'ERR_PROOF_URL')
    await expectRefused(() => ({ proof: { accessToken: 'another' } }), 'ERR_PROOF_TOKEN')
  })

  attack('T2', 'is good once', async () => {
    const setting = await counter('look', 'stock/read', apples)
    const dpop = setting.request().headers.get('dpop') ?? ''
    expect((await setting.send({ headers: { dpop } })).status).toBe(200)
    expect(await (await setting.send({ headers: { dpop } })).json()).toMatchObject({
      code: 'ERR_PROOF_REPLAYED',
    })
    expect(setting.handled).toHaveLength(1)
  })
})

describe('the standing of a call', () => {
  attack('X4', 'ends with its activation', async () => {
    const setting = await counter('look', 'stock/read', apples)
    await setting.run.complete(setting.activation)
    const answer = await setting.send()
    expect(answer.status).toBe(403)
    expect(await answer.json()).toMatchObject({ code: 'ERR_ACTIVATION_NOT_LIVE' })
    expect(setting.handled).toEqual([])
  })

  attack('X13', 'ends with its registration', async () => {
    const setting = await counter('look', 'stock/read', apples)
    await setting.house.store.registrations.revoke('registration-reader')
    expect(await (await setting.send()).json()).toMatchObject({ code: 'ERR_AGENT_REVOKED' })
    expect(setting.handled).toEqual([])
  })
})

describe('the chain of a call', () => {
  attack('T11', 'has every hop', async () => {
    await expectRefused(({ activation }) => ({ chain: activation.chain.slice(0, -1) }), 'ERR_CHAIN_HASH')
    await expectRefused(
      ({ activation }) => ({ chain: activation.chain.slice(1) }),
      'ERR_CHAIN_ROOT_UNTRUSTED',
    )
  })

  attack(['T11', 'X1'], 'is the one that the token names, not another of the same agent', async () => {
    await expectRefused(({ releafed }) => ({ chain: releafed({ scope: '' }).chain }), 'ERR_CHAIN_HASH')
  })

  attack('T11', 'is bound to the key of the token', async () => {
    await expectRefused(({ reminted }) => {
      const { jwk, thumbprint } = fixedKey('planner').publicKey
      return { key: fixedKey('planner'), token: reminted({ 'cnf.jwk': jwk, 'cnf.jkt': thumbprint }) }
    }, 'ERR_CHAIN_HASH')
  })

  attack(['X1', 'T10'], 'serves the run and the intent of the token', async () => {
    await expectRefused(
      ({ reminted }) => ({ token: reminted({ 'intent.intent_hash': 'sha256:0' }) }),
      'ERR_CHAIN_INTENT',
    )
    const setting = await counter('look', 'stock/read', apples, {
      guard: { requireStanding: async () => {} },
    })
    const token = setting.reminted({ 'intent.execution_id': 'execution-2' })
    expect(await (await setting.send({ token })).json()).toMatchObject({ code: 'ERR_CHAIN_INTENT' })
  })

  attack(['T7', 'T9'], 'does not widen, though the delegator itself signed', async () => {
    await expectRefused(
      ({ releafed }) => releafed({ scope: 'stock:read stock:admin' }),
      'ERR_CHAIN_SCOPE_WIDENED',
    )
    const shell = [{ type: 'attenuating_agent_token', tools: { shell: {} } }]
    await expectRefused(
      ({ releafed }) => releafed({ authorization_details: shell }),
      'ERR_CHAIN_TOOL_WIDENED',
    )
  })

  it('is fetched by its hash where it was not carried', async () => {
    const setting = await counter('look', 'stock/read', apples)
    expect((await setting.send({ chain: undefined })).status).toBe(200)
    const token = setting.reminted({ 'intent.chain_hash': 'unknown' })
    const answer = await setting.send({ chain: undefined, token })
    expect(await answer.json()).toMatchObject({ code: 'ERR_CHAIN_MISSING' })
    expect(setting.handled).toHaveLength(1)
  })

  attack('T11', 'that a shelf gives out is verified like one that was carried', async () => {
    const other = await counter('look', 'stock/read', apples)
    const setting = await counter('look', 'stock/read', apples, {
      guard: { fetchChain: async () => other.activation.chain },
    })
    expect(await (await setting.send({ chain: undefined })).json()).toMatchObject({ code: 'ERR_CHAIN_HASH' })
  })
})

describe('the arguments of a call', () => {
  attack('T9', 'are within the grant', async () => {
    await expectRefused(() => ({ args: { item: 'pears' } }), 'ERR_ARGUMENT_REFUSED', 403)
  })

  attack('T9', 'are within what the token says and within what the leaf says', async () => {
    const pears = { item: { constraint_type: 'exact', value: 'pears' } }
    const detail = (tools: object) => [{ type: 'attenuating_agent_token', tools }]
    await expectRefused(
      ({ reminted }) => ({ token: reminted({ authorization_details: detail({ 'stock/read': pears }) }) }),
      'ERR_ARGUMENT_REFUSED',
      403,
    )
    await expectRefused(
      ({ reminted }) => ({
        args: { item: 'pears' },
        token: reminted({ authorization_details: detail({ 'stock/read': pears }) }),
      }),
      'ERR_ARGUMENT_REFUSED',
      403,
    )
    await expectRefused(
      ({ reminted }) => ({ token: reminted({ authorization_details: detail({ 'stock/count': {} }) }) }),
      'ERR_TOOL_NOT_GRANTED',
      403,
    )
    await expectRefused(
      ({ reminted }) => ({ token: reminted({ authorization_details: [] }) }),
      'ERR_CLAIM_INVALID',
    )
  })

  it('fit the schema exactly: nothing more, nothing converted, nothing left out', async () => {
    for (const args of [{ ...apples, force: true }, { item: 7 }, {}]) {
      await expectRefused(() => ({ args }), 'ERR_ARGUMENT_INVALID', 400)
    }
  })

  attack('X3', 'are those that were approved', async () => {
    await expectRefused(() => ({ args: { ...approvedArgs, count: 4 } }), 'ERR_APPROVAL_ARGUMENTS', 403, [
      'write',
      'stock/write',
      approvedArgs,
    ])
  })
})

describe('the scope of a call', () => {
  attack('T9', 'is in the token and in the leaf', async () => {
    await expectRefused(
      ({ reminted }) => ({ token: reminted({ scope: 'stock:write' }) }),
      'ERR_SCOPE_MISSING',
      403,
    )
    await expectRefused(({ releafed }) => releafed({ scope: '' }), 'ERR_SCOPE_MISSING', 403)
  })
})
