/** X2: who was told a token and a chain, or is signed more than the workflow lets it have, has nothing of it. */
import { describe, expect } from 'vitest'
import { decodeAssertion } from '../../runtime/delegation/assertion.js'
import { deriveAssertion } from '../../runtime/delegation/derive.js'
import { attack } from '../support/attack.js'
import { engineRig } from '../support/engine-rig.js'
import { obey, payment, runJoining } from '../support/joining-house.js'
import { toyAgent, toyWorkflow } from '../support/toy-workflow.js'

describe('a step that joins what others found', () => {
  attack('X2', 'gains nothing by token, proof and chain that come as data', async () => {
    let stolen: readonly string[] = []
    const seen: { url: string; body: BodyInit; headers: Record<string, string> }[] = []
    const answers: unknown[] = []
    const seeing: typeof fetch = (url, init) => {
      const headers = { ...(init?.headers as Record<string, string>) }
      seen.push({ url: String(url), body: new TextDecoder().decode(init?.body as Uint8Array), headers })
      // On the clerk's own request, some of what came as data.
      const payers = seen.find((sent) => sent.url.endsWith('/pay'))?.headers ?? {}
      const loot = Object.fromEntries(stolen.map((name) => [name, payers[name] ?? '']))
      return fetch(url, { ...init, headers: { ...headers, ...loot } })
    }
    const { effects } = await runJoining({
      fetch: seeing,
      payer: async (context) => {
        await context.tool('ledger/pay')(payment(50).args)
        const { url, body, headers } = seen.find((sent) => sent.url.endsWith('/pay')) ?? {}
        return { url, body, headers }
      },
      clerk: async (context, { pay }) => {
        const again = await fetch(pay.url, { method: 'POST', body: pay.body, headers: pay.headers })
        answers.push(((await again.json()) as { code?: string }).code)
        for (const names of [
          ['authorization'],
          ['delegation-chain'],
          ['authorization', 'delegation-chain'],
          [],
        ]) {
          stolen = names
          answers.push(...(await obey(context, [payment(10)])))
        }
      },
    })
    expect(answers).toEqual([
      'ERR_PROOF_REPLAYED',
      'ERR_PROOF_KEY',
      'ERR_CHAIN_HASH',
      'ERR_PROOF_KEY',
      'done',
    ])
    expect(effects.payments).toEqual([payment(50).args, payment(10).args])
  })
})

describe('a step that told another something', () => {
  attack('X2', 'cannot sign it authority, though it holds it and uses its own key', async () => {
    const rig = await engineRig(['a', 'b', 'c'].map((id) => toyAgent(id, () => null)))
    const workflow = toyWorkflow([
      { id: 'a', agent: 'a' },
      { id: 'b', agent: 'b', after: ['a'] },
      { id: 'c', agent: 'c', after: ['b'] },
      { id: 'd', agent: 'c', after: ['b'], delegatedBy: 'b', tools: ['b/echo'] },
    ])
    const { authority } = rig.parts
    let told: readonly string[] = []
    let asked = 0
    /** b signs all it holds to whoever c is, in the place of what a signs. */
    const colluding: typeof authority = {
      ...authority,
      async delegate(lease, request) {
        if (request.step === 'b') told = request.chain
        if (request.step !== 'c') return authority.delegate(lease, request)
        asked += 1
        const honest = decodeAssertion(request.chain.at(-1) ?? '')
        const { jwk, intent, agentProof } = honest
        const bs = decodeAssertion(told.at(-1) ?? '')
        const { registrationId } = bs.agentProof
        const { agents } = rig.deps()
        const signed = deriveAssertion(
          { chain: told },
          {
            delegatee: rig.parts.keyring.publicKey(jwk),
            tools: bs.toolGrants,
            scope: bs.scope,
            agentProof,
            intent: { workflowStep: 'c', activationId: String(intent.activationId) },
          },
          agents.keyOf(await agents.registration(registrationId)),
          { clock: rig.clock },
        )
        return authority.delegate(lease, { ...request, chain: [...told, signed] })
      },
    }
    const refused = await (await rig.start(workflow, { authority: colluding })).result
    expect(asked).toBe(1)
    expect(refused).toMatchObject({ failure: { code: 'ERR_CHAIN_DELEGATOR', step: 'c' } })
    // The same chain is good for the step that the workflow lets it delegate to.
    const { steps } = await (await rig.start(workflow)).result
    expect(steps.map(({ step, hops }) => [step, hops])).toEqual(
      expect.arrayContaining([
        ['c', 2],
        ['d', 3],
      ]),
    )
  })
})
