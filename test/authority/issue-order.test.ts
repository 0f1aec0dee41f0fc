import { describe, expect, it } from 'vitest'
import type { TokenRequest } from '../../runtime/client/issuer.js'
import type { ErrorCode } from '../../runtime/errors.js'
import { createDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { attack } from '../support/attack.js'
import {
  checksumOf,
  type House,
  type HouseRun,
  openHouse,
  startRun,
  tokenRequest,
} from '../support/authority-house.js'
import { hopToken } from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fakeClock } from '../support/fake-clock.js'
import { fixedKey } from '../support/fixed-keys.js'
import { changed, claimsOf, forge } from '../support/forger.js'
import { issuer } from '../support/intent-claims.js'

/** A request of the step `look` that is right in everything but what is changed. */
async function lookRequest(
  make: (house: House, run: HouseRun) => Promise<Partial<TokenRequest>> | Partial<TokenRequest>,
) {
  const house = await openHouse()
  const run = await startRun(house)
  const activation = await run.reach('look')
  const right = tokenRequest(activation, 'stock/read')
  return { house, run, activation, right, wrong: { ...right, ...(await make(house, run)) } }
}

function proof(key: string, changes: Record<string, unknown> = {}): string {
  const request = { method: 'POST', url: `${issuer}/token` }
  const claims = claimsOf(createDpopProof(request, fixedKey(key), { clock: fakeClock() }))
  return forge({ typ: 'dpop+jwt', jwk: fixedKey(key).publicKey.jwk }, changed(claims, changes), fixedKey(key))
}

describe('a token request that is wrong in one thing', () => {
  const steps: [number, string, ErrorCode, Partial<TokenRequest>][] = [
    [4, 'an agent that takes no part', 'ERR_AGENT_UNKNOWN', { agentId: 'stranger' }],
    [5, 'another checksum', 'ERR_AGENT_CHECKSUM_MISMATCH', { computedChecksum: `sha256:${'0'.repeat(64)}` }],
    [6, 'a proof by another agent’s key', 'ERR_PROOF_KEY', { proof: proof('planner') }],
    [6, 'a proof for another endpoint', 'ERR_PROOF_URL', { proof: proof('reader', { htu: `${issuer}/x` }) }],
    [6, 'a proof for another method', 'ERR_PROOF_METHOD', { proof: proof('reader', { htm: 'GET' }) }],
    [6, 'a stale proof', 'ERR_PROOF_STALE', { proof: proof('reader', { iat: 1_000 }) }],
    [7, 'another workflow', 'ERR_WORKFLOW_CHANGED', { workflowId: 'deploying' }],
    [7, 'a step that is none', 'ERR_STEP_UNKNOWN', { workflowStep: 'nothing' }],
    [7, 'a gate', 'ERR_STEP_UNKNOWN', { workflowStep: 'approve' }],
    [7, 'another step', 'ERR_ACTIVATION_NOT_LIVE', { workflowStep: 'plan' }],
    [7, 'another step of the same agent', 'ERR_ACTIVATION_NOT_LIVE', { workflowStep: 'check' }],
    [
      7,
      'another agent of the run, proven as itself',
      'ERR_ACTIVATION_NOT_LIVE',
      { agentId: 'planner', computedChecksum: checksumOf('planner'), proof: proof('planner') },
    ],
    [7, 'a stale epoch', 'ERR_EPOCH_STALE', { epoch: 0 }],
    [7, 'an activation that is none', 'ERR_ACTIVATION_UNKNOWN', { activationId: 'nothing' }],
    [8, 'no chain', 'ERR_CHAIN_EMPTY', { chain: [] }],
    [9, 'a scope its step lacks', 'ERR_SCOPE_MISSING', { scope: ['stock:read', 'stock:write'] }],
    [9, 'a tool its leaf lacks', 'ERR_TOOL_NOT_GRANTED', { tool: 'stock/write' }],
    [10, 'another audience', 'ERR_TARGET_INVALID', { audience: 'https://evil.example' }],
  ]
  for (const [order, what, code, changes] of steps) {
    attack(['T1', 'T9'], `is refused at step ${order}: ${what}`, async () => {
      const { house, right, wrong } = await lookRequest(() => changes)
      await expectCode(house.authority.issue(wrong), code)
      expect((await house.authority.issue({ ...right, proof: proof('reader') })).tools).toEqual([
        'stock/read',
      ])
    })
  }

  it('answers with the first failure of the order of PROTOCOL 9', async () => {
    const { house, right } = await lookRequest(() => ({}))
    const oneEach = steps.filter(([order], index) => steps.findIndex(([other]) => other === order) === index)
    for (const [index, [, , code]] of oneEach.entries()) {
      const wrong = Object.assign(
        {},
        ...oneEach.slice(index).map(([, , , changes]) => changes),
      ) as Partial<TokenRequest>
      const fresh = index > 2 ? { proof: proof('reader') } : {}
      await expectCode(house.authority.issue({ ...right, ...wrong, ...fresh }), code)
    }
  })

  it('is refused when the run is unknown', async () => {
    const { house, wrong } = await lookRequest(() => ({ executionId: 'nothing' }))
    await expectCode(house.authority.issue(wrong), 'ERR_EXECUTION_UNKNOWN')
  })
})

describe('the chain of a token request', () => {
  attack(['T11', 'X1'], 'must end at this activation: one of another is refused', async () => {
    const { house, right } = await lookRequest(() => ({}))
    const other = await lookRequest(() => ({}))
    await expectCode(house.authority.issue({ ...right, chain: other.right.chain }), 'ERR_CHAIN_INTENT')
    const [root = ''] = right.chain
    const leaf = claimsOf(right.chain[1] ?? '')
    const moved = changed(leaf, { 'intent.activation_id': 'activation-9' })
    const resigned = forge({ typ: 'delegation+jwt' }, moved, fixedKey('lead'))
    await expectCode(
      house.authority.issue({ ...right, chain: [root, resigned], proof: proof('reader') }),
      'ERR_CHAIN_INTENT',
    )
    await house.authority.issue({ ...right, proof: proof('reader') })
  })

  attack('T7', 'must be for the agent that asks: its delegator’s chain is refused', async () => {
    const { house, right } = await lookRequest(() => ({}))
    await expectCode(house.authority.issue({ ...right, chain: right.chain.slice(0, 1) }), 'ERR_CHAIN_INTENT')
  })

  attack(['T11', 'X1'], 'of the entry step is the root of this run, not of another', async () => {
    const house = await openHouse()
    const [run, other] = [await startRun(house), await startRun(house)]
    const right = tokenRequest(await run.open('lead'), 'stock/read', { scope: ['stock:read'] })
    await expectCode(house.authority.issue({ ...right, chain: [other.execution.root] }), 'ERR_CHAIN_INTENT')
    await house.authority.issue({ ...right, proof: proof('lead') })
  })

  attack('T11', 'must begin with a root of this authority', async () => {
    const { house, right } = await lookRequest(() => ({}))
    const root = forge({ typ: 'delegation+jwt' }, claimsOf(right.chain[0] ?? ''), fixedKey('lead'))
    await expectCode(house.authority.issue({ ...right, chain: [root] }), 'ERR_CHAIN_ROOT_UNTRUSTED')
  })

  /** The right chain with the claims of its leaf changed, signed by the true delegator. */
  function leafWith(right: TokenRequest, changes: Record<string, unknown>): TokenRequest {
    const leaf = forge(
      { typ: 'delegation+jwt' },
      changed(claimsOf(right.chain[1] ?? ''), changes),
      fixedKey('lead'),
    )
    return { ...right, chain: [right.chain[0] ?? '', leaf], proof: proof('reader') }
  }

  attack(['T7', 'T11'], 'must name the pinned registration, its checksum and its key (I8)', async () => {
    const { house, right } = await lookRequest(() => ({}))
    const wrong = [
      { 'agent_proof.registration_id': 'registration-planner' },
      { 'agent_proof.agent_checksum': `sha256:${'0'.repeat(64)}` },
      { 'cnf.jwk': fixedKey('planner').publicKey.jwk },
      { 'cnf.jwk': fixedKey('stranger').publicKey.jwk },
    ]
    for (const changes of wrong) {
      await expectCode(house.authority.issue(leafWith(right, changes)), 'ERR_CHAIN_AGENT')
    }
    await house.authority.issue(leafWith(right, {}))
  })

  attack(['T7', 'T11'], 'must go the way of the workflow (I9)', async () => {
    const house = await openHouse()
    const run = await startRun(house)
    const activation = await run.reach('write')
    const right = tokenRequest(activation, 'stock/count')
    await house.authority.issue(right)
    // The lead passes over the planner and signs to the writer directly.
    const direct = changed(claimsOf(right.chain[2] ?? ''), {
      iss: claimsOf(right.chain[1] ?? '').iss,
      par_hash: claimsOf(right.chain[1] ?? '').par_hash,
      del_depth: 1,
    })
    const skipping = [right.chain[0] ?? '', forge({ typ: 'delegation+jwt' }, direct, fixedKey('lead'))]
    await expectCode(
      house.authority.issue({ ...right, chain: skipping, proof: proof('writer') }),
      'ERR_CHAIN_DELEGATOR',
    )
  })

  attack('T9', 'must narrow, whoever signed', async () => {
    const { house, right } = await lookRequest(() => ({}))
    await expectCode(
      house.authority.issue(leafWith(right, { scope: 'stock:read stock:admin' })),
      'ERR_CHAIN_SCOPE_WIDENED',
    )
    const stranger = hopToken(right.chain[0] ?? '', 1, {}, fixedKey('stranger'))
    const foreign = { ...right, chain: [right.chain[0] ?? '', stranger], proof: proof('reader') }
    await expectCode(house.authority.issue(foreign), 'ERR_SIGNATURE_INVALID')
  })
})
