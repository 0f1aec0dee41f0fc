import { describe, expect, it } from 'vitest'
import { type PinnedRegistrations, requireWorkflowHops } from '../../runtime/authority/hops.js'
import type { Assertion } from '../../runtime/delegation/assertion.js'
import { createLinkCache } from '../../runtime/delegation/verified-links.js'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import type { ErrorCode } from '../../runtime/errors.js'
import type { Registration } from '../../runtime/identity/registration.js'
import { defineWorkflow } from '../../runtime/workflow/define.js'
import { attack } from '../support/attack.js'
import { agentKey, type Changes, chainOf, chainRules, chainTime } from '../support/chain-builder.js'
import { registrationRow } from '../support/execution-rows.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'

/** A workflow as deep as a chain can be: each step is delegated to by the one before, and one beside them by the entry. */
const longest = 32
const everyPlace = Array.from({ length: longest }, (_, place) => place)
const workflow = defineWorkflow({
  id: 'patching',
  version: '1.0.0',
  entry: 'step-0',
  result: 'step-31',
  grant: {
    scope: ['repo:read', 'repo:write'],
    maxDepth: 31,
    tools: { 'repo/write': { size: { constraint_type: 'range', min: 0, max: 1 } } },
  },
  steps: [
    { id: 'step-0', agent: 'agent-0' },
    ...everyPlace.slice(1).map((place) => ({
      id: `step-${place}`,
      agent: `agent-${place}`,
      after: [place === 31 ? 'gate' : `step-${place - 1}`],
      delegatedBy: `step-${place - 1}`,
      scope: ['repo:read'],
      tools: ['repo/write'],
      ...(place === 31 && { approval: 'gate' }),
    })),
    { id: 'beside', agent: 'beside', after: ['step-0'], scope: [], tools: [] },
    {
      id: 'gate',
      after: ['step-30'],
      gate: { opens: 'step-31', tool: 'repo/write', arguments: { size: 'step-30.size' } },
    },
  ],
})

const checksum = `sha256:${'3'.repeat(64)}` // what every hop of a test chain names
const besideKey = fixedKey('beside').publicKey

function registrationAt(place: number): Registration {
  const { publicKey } = agentKey(place)
  return registrationRow({
    registrationId: `registration-${place}`,
    agentId: `agent-${place}`,
    agentChecksum: checksum,
    keys: [{ kid: publicKey.thumbprint, jwk: publicKey.jwk, epoch: 0, mode: 'derived' }],
  })
}

const pinned: PinnedRegistrations = new Map([
  ...everyPlace.map((place) => [`agent-${place}`, registrationAt(place)] as const),
  [
    'beside',
    registrationRow({
      registrationId: 'registration-beside',
      agentId: 'beside',
      agentChecksum: checksum,
      keys: [{ kid: besideKey.thumbprint, jwk: besideKey.jwk, epoch: 0, mode: 'derived' }],
    }),
  ],
])

const links = createLinkCache()
/** The hops of a chain that verifies; a hit from the second time on. */
function hopsOf(tokens: readonly string[]): readonly Assertion[] {
  return verifyChain(tokens, chainRules({ cache: links })).hops
}

function check(hops: readonly Assertion[], registrations = pinned): void {
  requireWorkflowHops(hops, workflow, registrations, chainTime)
}

const honest = hopsOf(chainOf(longest))

/** Changes one hop of the chains of every length, at every place, and what is pinned at that place. */
async function expectRefused(
  code: ErrorCode,
  change: (hop: Assertion, place: number) => Assertion,
  repin: (registration: Registration) => Partial<Registration> | undefined = () => ({}),
  from = 0,
): Promise<void> {
  for (let length = from + 1; length <= longest; length++) {
    for (let place = from; place < length; place++) {
      const hops = honest.slice(0, length)
      const registrations = new Map(pinned)
      const changes = repin(registrationAt(place))
      if (changes === undefined) registrations.delete(`agent-${place}`)
      else registrations.set(`agent-${place}`, { ...registrationAt(place), ...changes })
      const changed = change(hops[place] as Assertion, place)
      await expectCode(() => check(hops.with(place, changed), registrations), code)
    }
    check(honest.slice(0, length))
  }
}

const same = (hop: Assertion) => hop
const proving = (changes: object) => (hop: Assertion) => ({
  ...hop,
  agentProof: { ...hop.agentProof, ...changes },
})
const serving = (changes: object) => (hop: Assertion) => ({ ...hop, intent: { ...hop.intent, ...changes } })

describe('I8: every hop is its pinned registration, at every place of chains of every length:', () => {
  it('the honest ones are, as their own agents or as newer keys of theirs', () => {
    for (let length = 1; length <= longest; length++) check(honest.slice(0, length))
    for (const place of everyPlace) {
      const { keys } = registrationAt(place)
      const newer = { kid: besideKey.thumbprint, jwk: besideKey.jwk, epoch: 1, mode: 'derived' } as const
      const rotated = { ...registrationAt(place), keys: [...keys, newer] }
      check(honest, new Map(pinned).set(`agent-${place}`, rotated))
    }
  })

  attack('T1', 'another registration or another checksum is not', async () => {
    await expectRefused('ERR_CHAIN_AGENT', proving({ registrationId: 'registration-beside' }))
    await expectRefused('ERR_CHAIN_AGENT', proving({ agentChecksum: `sha256:${'4'.repeat(64)}` }))
    await expectRefused('ERR_CHAIN_AGENT', same, () => ({ agentChecksum: `sha256:${'4'.repeat(64)}` }))
    await expectRefused('ERR_CHAIN_AGENT', same, () => ({ registrationId: 'registration-other' }))
  })

  attack('T1', 'another key is not, whosever it is', async () => {
    await expectRefused('ERR_CHAIN_AGENT', (hop) => ({ ...hop, jwk: besideKey.jwk }))
    await expectRefused('ERR_CHAIN_AGENT', (hop, place) => ({
      ...hop,
      jwk: agentKey(place === 0 ? 1 : place - 1).publicKey.jwk,
    }))
    await expectRefused('ERR_CHAIN_AGENT', same, () => ({ keys: [] }))
  })

  attack(['X13', 'T11'], 'a revoked one is not, though the chain has been verified before', async () => {
    await expectRefused('ERR_AGENT_REVOKED', same, () => ({ status: 'revoked' }))
    for (const place of everyPlace) {
      const tokens = chainOf(longest).slice(0, place + 1)
      const registrations = new Map(pinned)
      check(hopsOf(tokens), registrations)
      registrations.set(`agent-${place}`, { ...registrationAt(place), status: 'revoked' })
      await expectCode(() => check(hopsOf(tokens), registrations), 'ERR_AGENT_REVOKED')
      await expectCode(() => check(honest, registrations), 'ERR_AGENT_REVOKED')
    }
  })

  attack('X13', 'one that was superseded a day ago is not, one second before it is', async () => {
    const day = 24 * 3600
    const superseded = (seconds: number) =>
      ({ status: 'updated', supersededAt: chainTime - seconds }) as const
    await expectRefused('ERR_AGENT_SUPERSEDED', same, () => superseded(day))
    for (const place of everyPlace) {
      const late = { ...registrationAt(place), ...superseded(day - 1) }
      check(honest, new Map(pinned).set(`agent-${place}`, late))
    }
  })

  attack('X13', 'a key that has ended is not, one second before it is', async () => {
    const ending =
      (notAfter: number) =>
      ({ keys }: Registration) => ({ keys: keys.map((key) => ({ ...key, notAfter })) })
    await expectRefused('ERR_CHAIN_AGENT', same, ending(chainTime))
    for (const place of everyPlace) {
      const registration = registrationAt(place)
      const late = { ...registration, ...ending(chainTime + 1)(registration) }
      check(honest, new Map(pinned).set(`agent-${place}`, late))
    }
  })

  attack('X13', 'one of an agent that takes no part is not', async () => {
    await expectRefused('ERR_AGENT_UNKNOWN', same, () => undefined)
  })
})

describe('I9: every hop is the workflow’s, at every place of chains of every length:', () => {
  attack('T8', 'a step that was not delegated to by the one before is not', async () => {
    for (let length = 2; length <= longest; length++) {
      const hops = honest.slice(0, length)
      for (let place = 0; place < length; place++) {
        const skipped = hops.toSpliced(place, 1)
        if (place < length - 1) await expectCode(() => check(skipped), 'ERR_CHAIN_DELEGATOR')
        else check(skipped)
        await expectCode(
          () => check(hops.toSpliced(place, 0, hops[place] as Assertion)),
          'ERR_CHAIN_DELEGATOR',
        )
        if (place === 0) continue
        await expectCode(() => check(hops.slice(place)), 'ERR_CHAIN_DELEGATOR')
        const swapped = hops.toSpliced(place - 1, 2, hops[place] as Assertion, hops[place - 1] as Assertion)
        await expectCode(() => check(swapped), 'ERR_CHAIN_DELEGATOR')
        await expectCode(() => check(hops.with(place, hops[0] as Assertion)), 'ERR_CHAIN_DELEGATOR')
      }
    }
  })

  attack('T7', 'a step that another delegates to is not', async () => {
    const beside: Changes = {
      'cnf.jwk': { ...besideKey.jwk },
      'intent.workflow_step': 'beside',
      'agent_proof.registration_id': 'registration-beside',
    }
    const [root, aside] = hopsOf(chainOf(2, { 1: beside })) as [Assertion, Assertion]
    check([root, aside])
    for (let place = 2; place < longest; place++) {
      await expectCode(() => check([...honest.slice(0, place), aside]), 'ERR_CHAIN_DELEGATOR')
    }
    await expectCode(() => check([aside]), 'ERR_CHAIN_DELEGATOR')
  })

  attack('T6', 'a step of another workflow, a gate, and one that nobody defined are not', async () => {
    await expectRefused('ERR_CHAIN_DELEGATOR', serving({ workflowId: 'deploying' }))
    await expectRefused('ERR_STEP_UNKNOWN', serving({ workflowStep: 'gate' }))
    await expectRefused('ERR_STEP_UNKNOWN', serving({ workflowStep: 'step-32' }))
    await expectRefused('ERR_STEP_UNKNOWN', (hop, place) =>
      serving({ workflowStep: `step-${place}/agent-1` })(hop),
    )
    expect(honest).toHaveLength(longest)
  })
})
