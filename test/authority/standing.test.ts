import { describe, it } from 'vitest'
import { requireStanding, type StandingQuestion } from '../../runtime/authority/standing.js'
import { attack } from '../support/attack.js'
import { openHouse, registrationOf, startRun } from '../support/authority-house.js'
import { expectCode } from '../support/expect-code.js'
import { shipping } from '../support/shipping.js'

async function standing() {
  const house = await openHouse()
  const run = await startRun(house)
  const activation = await run.open('lead')
  const question: StandingQuestion = {
    executionId: run.execution.executionId,
    activationId: activation.activationId,
    step: 'lead',
    epoch: 1,
    agentId: 'lead',
    registrationId: 'registration-lead',
    jti: 'token-1',
  }
  const ask = (changes: Partial<StandingQuestion> = {}) =>
    requireStanding({ ...question, ...changes }, { ...house.store, clock: house.clock })
  return { house, run, activation, ask }
}

describe('a token that was minted', () => {
  it('stands while its activation lives', async () => {
    const { run, activation, ask } = await standing()
    await ask()
    await run.complete(activation)
    await expectCode(ask(), 'ERR_ACTIVATION_NOT_LIVE')
  })

  attack('X4', 'falls with its attempt: a retry abandons it', async () => {
    const { run, ask } = await standing()
    await run.open('lead')
    await expectCode(ask(), 'ERR_ACTIVATION_NOT_LIVE')
  })

  attack('X4', 'falls with its writer: a take-over ends it', async () => {
    const { house, run, ask } = await standing()
    await house.authority.takeOver(run.execution.executionId, shipping)
    await expectCode(ask(), 'ERR_EPOCH_STALE')
    await expectCode(ask({ epoch: 2 }), 'ERR_EPOCH_STALE')
  })

  it('falls with its run', async () => {
    const { house, run, ask } = await standing()
    await house.authority.endExecution(run.lease, { status: 'completed' })
    await expectCode(ask(), 'ERR_EXECUTION_ENDED')
    await expectCode(ask({ executionId: 'x' }), 'ERR_EXECUTION_UNKNOWN')
  })

  attack('X13', 'falls with its registration', async () => {
    const { house, ask } = await standing()
    await expectCode(ask({ registrationId: 'registration-reader' }), 'ERR_TOKEN_REVOKED')
    await expectCode(ask({ agentId: 'stranger' }), 'ERR_AGENT_UNKNOWN')
    await house.store.registrations.revoke('registration-lead')
    await expectCode(ask(), 'ERR_AGENT_REVOKED')
  })

  attack('X13', 'outlives its registration, once superseded, by a day and no longer', async () => {
    const { house, ask } = await standing()
    const next = registrationOf('lead', {
      registrationId: 'registration-lead-2',
      registeredAt: Math.floor(house.clock.nowMs() / 1000),
    })
    await house.store.registrations.save(next, 'registration-lead')
    house.clock.advanceSeconds(86_399)
    await ask()
    house.clock.advanceSeconds(1)
    await expectCode(ask(), 'ERR_AGENT_SUPERSEDED')
  })

  it('is of the activation and step it names', async () => {
    const { ask } = await standing()
    await expectCode(ask({ activationId: 'x' }), 'ERR_ACTIVATION_UNKNOWN')
    await expectCode(ask({ step: 'look' }), 'ERR_ACTIVATION_UNKNOWN')
  })
})
