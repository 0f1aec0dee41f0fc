import { describe, expect, it } from 'vitest'
import { decodeAssertion } from '../../runtime/delegation/assertion.js'
import { defineWorkflow } from '../../runtime/workflow/define.js'
import { attack } from '../support/attack.js'
import { failingJournal, openHouse, recordsOf, registrationOf, startRun } from '../support/authority-house.js'
import { hashOf } from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { issuer } from '../support/intent-claims.js'
import { order, shipping } from '../support/shipping.js'

const start = {
  workflow: shipping,
  input: order,
  initiator: { initiatedBy: 'os:1000', auth: { method: 'local', time: 1_767_225_600 } },
  request: 'ship apples',
  driver: 'scripted',
}

/** The same workflow without its gate, as somebody would like it. */
const gateless = defineWorkflow({
  id: 'shipping',
  version: '1.0.0',
  parameters: { item: { type: 'string' } },
  entry: 'lead',
  result: 'look',
  grant: shipping.grant,
  steps: [
    { id: 'lead', agent: 'lead' },
    { id: 'look', agent: 'reader', scope: ['stock:read'], tools: ['stock/read'] },
  ],
})

describe('a run that is started', () => {
  it('pins the workflow and the newest registration of each agent', async () => {
    const house = await openHouse()
    const newest = registrationOf('reader', {
      registrationId: 'registration-reader-2',
      agentChecksum: 'sha256:2',
    })
    await house.store.registrations.save(newest, 'registration-reader')
    const execution = await house.authority.startExecution(start)
    expect(execution).toMatchObject({
      workflowDigest: shipping.digest,
      epoch: 1,
      status: 'running',
      input: order,
      pinned: {
        lead: 'registration-lead',
        reader: 'registration-reader-2',
        planner: 'registration-planner',
        writer: 'registration-writer',
      },
    })
    expect((await house.store.executions.snapshot(execution.executionId)).execution).toEqual(execution)
  })

  it('gets a root for its entry agent, with the grant filled in', async () => {
    const house = await openHouse()
    const { root, executionId, intentHash } = await house.authority.startExecution(start)
    expect(decodeAssertion(root)).toMatchObject({
      iss: issuer,
      initiatedBy: 'os:1000',
      auth: { method: 'local', time: 1_767_225_600 },
      depth: 0,
      maxDepth: 2,
      scope: ['stock:read', 'stock:write'],
      jwk: fixedKey('lead').publicKey.jwk,
      agentProof: { registrationId: 'registration-lead' },
      intent: { executionId, workflowId: 'shipping', workflowStep: 'lead', intentHash },
      toolGrants: { 'stock/read': { item: { constraint_type: 'exact', value: 'apples' } } },
    })
  })

  it('leaves a record with digests and no payload', async () => {
    const house = await openHouse()
    const { root, intentHash } = await house.authority.startExecution(start)
    const [record] = recordsOf(house)
    expect(record).toMatchObject({
      type: 'execution.started',
      actor: 'os:1000',
      subjects: { intent_hash: intentHash, root: hashOf(root) },
      data: { workflow: 'shipping', workflow_digest: shipping.digest, auth_method: 'local' },
    })
    expect(JSON.stringify(record)).not.toContain('apples')
    expect(JSON.stringify(record)).not.toContain('ship apples')
  })

  attack('T10', 'has another intent each time, though the words are the same', async () => {
    let count = 0
    const house = await openHouse({ random: (bytes) => new Uint8Array(bytes).fill(count++) })
    const hashes = [await house.authority.startExecution(start), await house.authority.startExecution(start)]
    expect(new Set(hashes.map((execution) => execution.intentHash)).size).toBe(2)
  })

  attack('X13', 'is refused when an agent is revoked or not registered', async () => {
    const house = await openHouse()
    await house.store.registrations.revoke('registration-writer')
    await expectCode(house.authority.startExecution(start), 'ERR_AGENT_REVOKED')
    const other = defineWorkflow({ ...definition, steps: [{ id: 'lead', agent: 'stranger' }] })
    await expectCode(house.authority.startExecution({ ...start, workflow: other }), 'ERR_AGENT_UNKNOWN')
  })

  attack('T6', 'is refused for a definition that only claims its digest', async () => {
    const house = await openHouse()
    const forged = { ...gateless, digest: shipping.digest }
    await expectCode(house.authority.startExecution({ ...start, workflow: forged }), 'ERR_WORKFLOW_CHANGED')
    await house.authority.startExecution(start)
  })

  it('is not begun when its record cannot be written', async () => {
    const { deps } = await openHouse()
    const journal = failingJournal(deps.journal)
    const house = await openHouse({ journal })
    journal.fail(new Error('disk full'))
    await expect(house.authority.startExecution(start)).rejects.toThrow('disk full')
    expect(await house.store.executions.list()).toEqual([])
  })

  const definition = {
    id: 'shipping',
    version: '1.0.0',
    parameters: { item: { type: 'string' as const } },
    entry: 'lead',
    result: 'lead',
    grant: shipping.grant,
  }
})

describe('a run that is taken over', () => {
  attack('X4', 'has one writer: the one before is refused from then on', async () => {
    const house = await openHouse()
    const run = await startRun(house)
    const taken = await house.authority.takeOver(run.execution.executionId, shipping)
    expect(taken).toMatchObject({ epoch: 2, status: 'running' })
    await expectCode(run.open('lead'), 'ERR_EPOCH_STALE')
    const lease = { executionId: run.execution.executionId, epoch: 2 }
    await house.authority.activate(lease, { workflow: shipping, step: 'lead', iteration: 0, item: 0 })
    expect(recordsOf(house).map(({ type }) => type)).toContain('execution.taken_over')
  })

  attack('T6', 'is refused under another definition', async () => {
    const house = await openHouse()
    const { execution } = await startRun(house)
    await expectCode(house.authority.takeOver(execution.executionId, gateless), 'ERR_WORKFLOW_CHANGED')
    await house.authority.takeOver(execution.executionId, shipping)
  })

  attack('X13', 'is refused when any of its agents has been revoked', async () => {
    const house = await openHouse()
    const { execution } = await startRun(house)
    await house.store.registrations.revoke('registration-writer')
    await expectCode(house.authority.takeOver(execution.executionId, shipping), 'ERR_AGENT_REVOKED')
  })

  it('is refused when its grant has expired, or it has ended', async () => {
    const house = await openHouse()
    const { execution, lease } = await startRun(house)
    house.clock.advanceSeconds(3599)
    const taken = await house.authority.takeOver(execution.executionId, shipping)
    house.clock.advanceSeconds(1)
    await expectCode(house.authority.takeOver(execution.executionId, shipping), 'ERR_TOKEN_EXPIRED')
    await house.authority.endExecution({ ...lease, epoch: taken.epoch }, { status: 'failed' })
    await expectCode(house.authority.takeOver(execution.executionId, shipping), 'ERR_EXECUTION_ENDED')
  })
})

describe('a run that ends', () => {
  it('says how, and leaves a record without its result', async () => {
    const house = await openHouse()
    const { execution, lease } = await startRun(house)
    const failure = { code: 'ERR_TOOL_FAILED', message: 'secret words', step: 'look' }
    await house.authority.endExecution(lease, { status: 'failed', failure, result: 'secret words' })
    const { execution: ended } = await house.store.executions.snapshot(execution.executionId)
    expect(ended).toMatchObject({
      status: 'failed',
      failure,
      result: 'secret words',
      endedAt: house.clock.nowMs(),
    })
    const record = recordsOf(house).at(-1)
    expect(record).toMatchObject({
      type: 'execution.failed',
      data: { code: 'ERR_TOOL_FAILED', step: 'look' },
    })
    expect(JSON.stringify(record)).not.toContain('secret')
  })

  attack('X4', 'is ended by its writer alone, and once', async () => {
    const house = await openHouse()
    const { lease } = await startRun(house)
    await expectCode(
      house.authority.endExecution({ ...lease, epoch: 2 }, { status: 'completed' }),
      'ERR_EPOCH_STALE',
    )
    await house.authority.endExecution(lease, { status: 'waiting' })
    await house.authority.endExecution(lease, { status: 'completed' })
    await expectCode(house.authority.endExecution(lease, { status: 'failed' }), 'ERR_EXECUTION_ENDED')
  })
})
