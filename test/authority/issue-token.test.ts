import { describe, expect, it } from 'vitest'
import { nowSeconds } from '../../runtime/clock.js'
import { digestOf } from '../../runtime/encoding/digest.js'
import { sequenceHash } from '../../runtime/identity/checksum.js'
import { createDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { verifyIntentToken } from '../../runtime/tokens/intent-token.js'
import { attack } from '../support/attack.js'
import {
  checksumOf,
  failingJournal,
  type House,
  openHouse,
  recordsOf,
  startRun,
  tokenRequest,
} from '../support/authority-house.js'
import { hashOf } from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'
import { claimsOf } from '../support/forger.js'
import { audience, issuer } from '../support/intent-claims.js'
import { approvedArgs, shipping } from '../support/shipping.js'

function freshProof(house: House, agent: string): string {
  return createDpopProof({ method: 'POST', url: `${issuer}/token` }, fixedKey(agent), house)
}

describe('an issued token', () => {
  it('says what the authority observed', async () => {
    const house = await openHouse()
    const run = await startRun(house)
    const activation = await run.reach('look')
    const issued = await house.authority.issue(tokenRequest(activation, 'stock/read'))
    expect(issued).toMatchObject({
      tokenType: 'DPoP',
      expiresIn: 300,
      scope: ['stock:read'],
      tools: ['stock/read'],
    })
    expect(issued).not.toHaveProperty('use')
    const trustedKeys = [fixedKey('authority').publicKey]
    const token = verifyIntentToken(issued.accessToken, {
      issuer,
      trustedKeys,
      audience,
      now: nowSeconds(house.clock),
      keyring,
    })
    expect(token).toMatchObject({
      sub: 'reader',
      clientId: 'runtime',
      scope: ['stock:read'],
      agentProof: { agentChecksum: checksumOf('reader'), registrationId: 'registration-reader' },
      intent: {
        workflowId: 'shipping',
        workflowStep: 'look',
        workflowDigest: shipping.digest,
        executionId: run.execution.executionId,
        activationId: activation.activationId,
        epoch: 1,
        executedBy: 'reader',
        initiatedBy: 'os:1000',
        delegationChain: sequenceHash(['lead', 'reader']),
        stepSequenceHash: sequenceHash(['lead', 'look']),
        checkpoint: activation.checkpoint,
        intentHash: run.execution.intentHash,
        chainHash: hashOf(activation.chain.at(-1) ?? ''),
      },
    })
    expect(token.key.thumbprint).toBe(fixedKey('reader').publicKey.thumbprint)
    expect(await house.store.executions.tokens(run.execution.executionId)).toMatchObject([
      {
        jti: token.jti,
        activationId: activation.activationId,
        audience,
        scope: ['stock:read'],
        exp: token.exp,
      },
    ])
  })

  attack('T2', 'costs a proof: the same one does not get a second', async () => {
    const house = await openHouse()
    const request = tokenRequest(await (await startRun(house)).reach('look'), 'stock/read')
    await house.authority.issue(request)
    await expectCode(house.authority.issue(request), 'ERR_PROOF_REPLAYED')
    await house.authority.issue({ ...request, proof: freshProof(house, 'reader') })
  })

  attack('T10', 'takes initiator and intent from the signed root, not from the stored row', async () => {
    const house = await openHouse()
    const run = await startRun(house)
    const activation = await run.reach('look')
    await house.store.executions.decide(run.execution.executionId, [], ({ execution }) => ({
      changes: [
        {
          kind: 'execution',
          row: {
            ...execution,
            intentHash: 'sha256:x',
            initiator: { ...execution.initiator, initiatedBy: 'os:0' },
          },
        },
      ],
      result: undefined,
    }))
    const issued = await house.authority.issue(tokenRequest(activation, 'stock/read'))
    expect(claimsOf(issued.accessToken).intent).toMatchObject({
      initiated_by: 'os:1000',
      intent_hash: run.execution.intentHash,
    })
  })
})

describe('a tool behind a gate', () => {
  attack(
    ['T8', 'X3'],
    'is in no token but its own, and that one is good once and for what was approved',
    async () => {
      const house = await openHouse()
      const activation = await (await startRun(house)).reach('write')
      const counting = await house.authority.issue(tokenRequest(activation, 'stock/count'))
      expect(counting.tools).toEqual(['stock/count'])
      const writing = await house.authority.issue(
        tokenRequest(activation, 'stock/write', { proof: freshProof(house, 'writer') }),
      )
      expect(writing).toMatchObject({ tools: ['stock/write'], use: 'once' })
      expect(claimsOf(writing.accessToken).intent).toMatchObject({
        use: 'once',
        approval: { tool: 'stock/write', args_digest: digestOf(approvedArgs) },
      })
      await expectCode(
        house.authority.issue(
          tokenRequest(activation, 'stock/write', { proof: freshProof(house, 'writer') }),
        ),
        'ERR_APPROVAL_USED',
      )
    },
  )

  attack('T8', 'is closed to a step that the gate does not open, though its leaf grants it', async () => {
    const house = await openHouse()
    const activation = await (await startRun(house)).reach('plan')
    await expectCode(house.authority.issue(tokenRequest(activation, 'stock/write')), 'ERR_APPROVAL_REQUIRED')
    const counting = tokenRequest(activation, 'stock/count', { proof: freshProof(house, 'planner') })
    expect((await house.authority.issue(counting)).tools).toEqual(['stock/count'])
  })

  attack('X3', 'asked for many times at once gets one token', async () => {
    const house = await openHouse()
    const activation = await (await startRun(house)).reach('write')
    const asked = [1, 2, 3].map(() =>
      house.authority.issue(tokenRequest(activation, 'stock/write', { proof: freshProof(house, 'writer') })),
    )
    const outcomes = (await Promise.allSettled(asked)).map(({ status }) => status).sort()
    expect(outcomes).toEqual(['fulfilled', 'rejected', 'rejected'])
  })

  it('keeps its approval when the request fails for another reason', async () => {
    const house = await openHouse()
    const activation = await (await startRun(house)).reach('write')
    const elsewhere = tokenRequest(activation, 'stock/write', { audience: 'https://evil.example' })
    await expectCode(house.authority.issue(elsewhere), 'ERR_TARGET_INVALID')
    const proof = freshProof(house, 'writer')
    await house.authority.issue(tokenRequest(activation, 'stock/write', { proof }))
  })
})

describe('what a token may carry', () => {
  attack('T9', 'is no scope that the registration, the step or the leaf lacks', async () => {
    const house = await openHouse()
    const run = await startRun(house)
    const activation = await run.reach('look')
    const wider = { ...activation, scope: ['stock:read', 'stock:write'] }
    await house.store.executions.decide(run.execution.executionId, [], () => ({
      changes: [{ kind: 'activation', row: wider }],
      result: undefined,
    }))
    await expectCode(house.authority.issue(tokenRequest(wider, 'stock/read')), 'ERR_SCOPE_MISSING')
    const proof = freshProof(house, 'reader')
    await house.authority.issue(tokenRequest(activation, 'stock/read', { proof }))
  })

  attack('X13', 'is nothing once the registration is revoked', async () => {
    const house = await openHouse()
    const activation = await (await startRun(house)).reach('look')
    await house.authority.issue(tokenRequest(activation, 'stock/read'))
    await house.store.registrations.revoke('registration-reader')
    const proof = freshProof(house, 'reader')
    await expectCode(
      house.authority.issue(tokenRequest(activation, 'stock/read', { proof })),
      'ERR_AGENT_REVOKED',
    )
  })

  attack('X13', 'is nothing once a delegator on the way is revoked', async () => {
    const house = await openHouse()
    const activation = await (await startRun(house)).reach('write')
    await house.store.registrations.revoke('registration-planner')
    await expectCode(house.authority.issue(tokenRequest(activation, 'stock/count')), 'ERR_AGENT_REVOKED')
  })
})

describe('the record of a token request', () => {
  it('stands in the log for each outcome, without token, proof or checksum', async () => {
    const house = await openHouse()
    const activation = await (await startRun(house)).reach('look')
    const request = tokenRequest(activation, 'stock/read')
    const { accessToken } = await house.authority.issue(request)
    await expectCode(
      house.authority.issue({ ...request, proof: freshProof(house, 'reader'), scope: ['x'] }),
      'ERR_SCOPE_MISSING',
    )
    const records = recordsOf(house).slice(-2)
    const place = {
      actor: 'agent:reader',
      activation_id: activation.activationId,
      execution_id: activation.executionId,
    }
    expect(records).toMatchObject([
      {
        ...place,
        type: 'token.issued',
        subjects: { jti: claimsOf(accessToken).jti },
        data: { tool: 'stock/read', hops: 2, use: 'reusable' },
      },
      { ...place, type: 'token.refused', data: { code: 'ERR_SCOPE_MISSING', scope: 'x' } },
    ])
    const text = JSON.stringify(records)
    for (const secret of [accessToken, request.proof, request.computedChecksum, request.chain[1]]) {
      expect(text).not.toContain(secret)
    }
  })

  attack('X16', 'keeps no text that a refused request put where a name belongs', async () => {
    const house = await openHouse()
    const activation = await (await startRun(house)).reach('look')
    const request = tokenRequest(activation, 'stock/read')
    const { accessToken } = await house.authority.issue(request)
    const members = [
      'agentId',
      'workflowStep',
      'workflowId',
      'executionId',
      'activationId',
      'audience',
      'tool',
      'computedChecksum',
    ] as const
    for (const member of members) {
      const wrong = { ...request, proof: freshProof(house, 'reader'), [member]: accessToken }
      await expect(house.authority.issue(wrong)).rejects.toMatchObject({ name: 'AgenticError' })
      const [record] = recordsOf(house).slice(-1)
      expect(record).toMatchObject({ type: 'token.refused', data: { scope: 'stock:read' } })
      expect(JSON.stringify(record)).not.toContain('eyJ')
    }
    const scope = ['stock:read', accessToken]
    await expectCode(
      house.authority.issue({ ...request, proof: freshProof(house, 'reader'), scope }),
      'ERR_SCOPE_MISSING',
    )
    expect(JSON.stringify(recordsOf(house).at(-1))).not.toContain('eyJ')
  })

  attack('X7', 'is durable before the token leaves: without it there is none', async () => {
    const { deps } = await openHouse()
    const journal = failingJournal(deps.journal)
    const house = await openHouse({ journal })
    const activation = await (await startRun(house)).reach('look')
    journal.fail(new Error('disk full'))
    await expect(house.authority.issue(tokenRequest(activation, 'stock/read'))).rejects.toThrow('disk full')
  })
})
