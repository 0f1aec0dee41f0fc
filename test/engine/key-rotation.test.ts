import { describe, expect } from 'vitest'
import { decodeAssertion } from '../../runtime/delegation/assertion.js'
import { rotateKey } from '../../runtime/identity/add-key.js'
import { registeredKey } from '../../runtime/identity/registration-keys.js'
import { runtimeClientId } from '../../runtime/parts.js'
import { attack } from '../support/attack.js'
import { type EngineRig, engineRig } from '../support/engine-rig.js'
import { toyAgent, toyWorkflow } from '../support/toy-workflow.js'

const workflow = toyWorkflow([
  { id: 'a', agent: 'a' },
  { id: 'b', agent: 'b', after: ['a'] },
  { id: 'c', agent: 'c', after: ['b'] },
])

/** Rotates every agent's key. @param overlapSeconds for how long the old ones count */
async function rotateAll({ parts, clock }: EngineRig, overlapSeconds: number): Promise<void> {
  for (const { registrationId } of await parts.store.registrations.list()) {
    await rotateKey(
      { registrationId, clientId: runtimeClientId, overlapSeconds },
      {
        store: parts.store.registrations,
        keyring: parts.keyring,
        issuer: parts.issuer,
        clock,
        keyFor: parts.agentKey,
      },
    )
  }
}

/** A run in the course of which all keys are rotated: once its root is signed, or while its first agent acts. */
async function runAcross(when: 'started' | 'acting', overlapSeconds: number) {
  let rotate = async () => {}
  const echo = (id: string, before = async () => {}) =>
    toyAgent(id, async (context) => {
      await before()
      return context.tool(`${id}/echo`)({ text: id })
    })
  const acting = when === 'acting' ? () => rotate() : undefined
  const rig = await engineRig([echo('a', acting), echo('b'), echo('c')])
  rotate = () => rotateAll(rig, overlapSeconds)
  const { authority } = rig.parts
  const run = await rig.start(workflow, {
    authority: {
      ...authority,
      async startExecution(request) {
        const execution = await authority.startExecution(request)
        if (when === 'started') await rotate()
        return execution
      },
    },
  })
  const result = await run.result
  const { activations } = await rig.parts.store.executions.snapshot(run.executionId)
  const registrations = await rig.parts.store.registrations.list()
  const epochs = activations.map(({ step, agentId, chain }) => {
    const registration = registrations.find((found) => found.agentId === agentId)
    const leaf = chain.at(-1)
    return [step, registration && leaf && registeredKey(registration, decodeAssertion(leaf).jwk).epoch]
  })
  return { result, epochs: Object.fromEntries(epochs) as Record<string, number> }
}

describe('a key that is rotated while a run is under way', () => {
  for (const when of ['started', 'acting'] as const) {
    attack(
      'X13',
      `signs for what it holds until its overlap ends, and for nothing new (${when})`,
      async () => {
        const { result, epochs } = await runAcross(when, 600)
        expect(result.status).toBe('completed')
        expect(epochs).toEqual({ a: 0, b: 1, c: 1 })
      },
    )
  }

  attack('X13', 'without an overlap holds nothing any more', async () => {
    expect((await runAcross('started', 0)).result.failure?.code).toBe('ERR_CHAIN_AGENT')
    expect((await runAcross('acting', 0)).result.failure?.code).toBe('ERR_PROOF_KEY')
  })
})
