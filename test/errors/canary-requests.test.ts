import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TokenRequest } from '../../runtime/client/issuer.js'
import { checkArguments, parseToolGrants } from '../../runtime/delegation/tools.js'
import type { JsonObject } from '../../runtime/encoding/canonical-json.js'
import { sha256 } from '../../runtime/encoding/digest.js'
import { type AgenticError, isAgenticError } from '../../runtime/errors.js'
import { createDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { attack } from '../support/attack.js'
import {
  failingJournal,
  type House,
  openHouse,
  recordsOf,
  startRun,
  tokenRequest,
} from '../support/authority-house.js'
import { engineRig } from '../support/engine-rig.js'
import { expectCode } from '../support/expect-code.js'
import { fixedKey } from '../support/fixed-keys.js'
import { changed, claimsOf, forge } from '../support/forger.js'
import { type Counter, counter } from '../support/guard-house.js'
import { issuer } from '../support/intent-claims.js'
import { toyAgent, toyWorkflow } from '../support/toy-workflow.js'
import { lookAtError } from './canary-house.js'
import { createWatch, type Watch } from './watch.js'

const canary = 'canary-claim-64b2e0'
/** What an attacker, or a mistake, could put where something else belongs. */
const foreignTexts: readonly unknown[] = [canary, { [canary]: canary }, [canary], `${canary}\u0000`]

let watch: Watch
beforeEach(() => {
  watch = createWatch()
  watch.secret('what stood in a claim', canary)
  watch.secret('what stood in a claim', Buffer.from(canary))
  for (const name of ['authority', 'engine', 'lead', 'reader', 'planner', 'writer', 'audit']) {
    watch.secret(`seed of ${name}`, sha256(`baton test key ${name}`))
  }
})

afterEach(() => {
  expect(watch.leaks).toEqual([])
  expect(watch.looks).toBeGreaterThan(0)
})

/** Every member of a claims set, and of the objects in it, by dotted name. */
function membersOf(claims: Record<string, unknown>): readonly string[] {
  return Object.entries(claims).flatMap(([name, value]) => {
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isMap ? [name, ...Object.keys(value).map((inner) => `${name}.${inner}`)] : [name]
  })
}

/** Sends a call and looks at what comes back and at what is written down. @returns its code */
async function lookAtAnswer(at: Counter, changes: Parameters<Counter['send']>[0]): Promise<string> {
  const answer = await at.send(changes)
  const body = await answer.text()
  watch.look('an answer', `${answer.status} ${JSON.stringify([...answer.headers])} ${body}`)
  if (answer.status === 200) return 'passed'
  const { code } = JSON.parse(body) as { code?: string }
  watch.code(code ?? 'server_error')
  return code ?? 'server_error'
}

/** The records of refusals; what is allowed is recorded under the ids that the authority signed. */
function lookAtRecords(house: House): void {
  const refused = recordsOf(house).filter(({ type }) => String(type).endsWith('.refused'))
  watch.look('the log', JSON.stringify(refused))
}

describe('a call with foreign text in a claim', () => {
  const looking = () => counter('look', 'stock/read', { item: 'apples' })

  attack(['X8', 'X16'], 'of its token does not get it back', async () => {
    const at = await looking()
    watch.token('the token', at.token)
    const outcomes = new Map<string, string>()
    for (const member of membersOf(claimsOf(at.token))) {
      for (const text of foreignTexts) {
        const code = await lookAtAnswer(at, { token: at.reminted({ [member]: text }) })
        outcomes.set(`${member} ${JSON.stringify(text)}`, code)
      }
    }
    lookAtRecords(at.house)
    expect(outcomes.size).toBeGreaterThan(90)
    expect(watch.codes.size).toBeGreaterThan(5)
    expect(await lookAtAnswer(at, {})).toBe('passed')
  })

  attack(['T11', 'X16'], 'of its chain does not get it back', async () => {
    const at = await looking()
    for (const member of membersOf(claimsOf(at.activation.chain.at(-1) ?? ''))) {
      for (const text of foreignTexts) await lookAtAnswer(at, at.releafed({ [member]: text }))
    }
    const details = (tools: unknown) => ({
      authorization_details: [{ type: 'attenuating_agent_token', tools }],
    })
    const exact = { constraint_type: 'exact', value: 'apples' }
    const odd: readonly Record<string, unknown>[] = [
      { scope: `stock:read ${canary}` },
      details({ [`${canary} `]: {} }),
      details({ 'stock/read': { [canary]: exact } }),
      details({ 'stock/read': { item: exact, [canary]: exact } }),
      details({ 'stock/read': { item: { constraint_type: canary } } }),
      details({ 'stock/read': { item: { ...exact, [canary]: 1 } } }),
      details({ 'stock/read': { item: { constraint_type: 'exact', value: canary } } }),
    ]
    for (const claims of odd) expect(await lookAtAnswer(at, at.releafed(claims))).not.toBe('passed')
    lookAtRecords(at.house)
    expect(watch.codes.size).toBeGreaterThan(6)
    expect(await lookAtAnswer(at, at.releafed({}))).toBe('passed')
  })

  attack(['T2', 'X16'], 'of its proof does not get it back', async () => {
    const at = await looking()
    const key = fixedKey('reader')
    const right = () => at.request().headers.get('dpop') ?? ''
    const remade = (claims: Record<string, unknown>, header: object = {}) =>
      forge({ typ: 'dpop+jwt', jwk: key.publicKey.jwk, ...header }, changed(claimsOf(right()), claims), key)
    watch.token('a proof', right())
    for (const member of membersOf(claimsOf(right()))) {
      for (const text of foreignTexts) {
        await lookAtAnswer(at, { headers: { dpop: remade({ [member]: text }) } })
      }
    }
    for (const header of [{ [canary]: 1 }, { typ: canary }, { alg: canary }, { kid: { canary } }]) {
      expect(await lookAtAnswer(at, { headers: { dpop: remade({}, header) } })).not.toBe('passed')
    }
    for (const jwk of [
      canary,
      { kty: canary },
      { ...key.publicKey.jwk, x: canary },
      { ...key.publicKey.jwk, d: canary },
    ]) {
      expect(await lookAtAnswer(at, { headers: { dpop: remade({}, { jwk }) } })).not.toBe('passed')
    }
    lookAtRecords(at.house)
    expect(await lookAtAnswer(at, { headers: { dpop: remade({}) } })).toBe('passed')
  })

  attack(['X10', 'X16'], 'of its arguments does not get it back', async () => {
    const at = await looking()
    const bodies = [
      canary,
      `{"${canary}":1}`,
      `{"item":"${canary}"}`,
      `{"item":{"${canary}":1}}`,
      `{"item":"apples","${canary}":1}`,
      `{"item":"apples","item":"${canary}"}`,
      `["${canary}"]`,
      `{"__proto__":"${canary}"}`,
    ]
    for (const body of bodies) expect(await lookAtAnswer(at, { body })).not.toBe('passed')
    for (const path of [`/${canary}`, `/read?${canary}`]) {
      expect(await lookAtAnswer(at, { path })).not.toBe('passed')
    }
    lookAtRecords(at.house)
    // A tool whose schema is open leaves it to the grant to refuse.
    const grants = parseToolGrants({ 'stock/read': { item: { constraint_type: 'exact', value: 'apples' } } })
    const open: JsonObject[] = [{ item: 'apples', [canary]: 1 }, { item: canary }, { [canary]: 1 }]
    for (const args of open) {
      const error = await expectCode(() => checkArguments(grants, 'stock/read', args), 'ERR_ARGUMENT_REFUSED')
      watch.look('a refusal', error.message)
    }
  })
})

/** What a promise is refused with; foreign errors stay what they are. */
async function refusalOf(promise: Promise<unknown>): Promise<AgenticError | undefined> {
  const outcome: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (outcome !== undefined) lookAtError('a refusal', outcome, watch)
  return isAgenticError(outcome) ? outcome : undefined
}

describe('a token request', () => {
  const freshProof = (house: House) =>
    createDpopProof({ method: 'POST', url: `${issuer}/token` }, fixedKey('reader'), house)

  attack(
    'X16',
    'with foreign text in a member does not get it back, and leaves none in the log',
    async () => {
      const house = await openHouse()
      const activation = await (await startRun(house)).reach('look')
      const right = tokenRequest(activation, 'stock/read')
      const { accessToken } = await house.authority.issue(right)
      watch.token('the token', accessToken)
      const texts = [accessToken, `${canary} `, `${canary}${'x'.repeat(200)}`]
      const members = Object.keys(right).filter(
        (name) => !['epoch', 'proof', 'computedChecksum'].includes(name),
      )
      for (const member of members) {
        const isList = Array.isArray(right[member as keyof TokenRequest])
        for (const text of texts) {
          const wrong = {
            ...right,
            proof: freshProof(house),
            [member]: isList ? [text] : text,
          } as TokenRequest
          expect(await refusalOf(house.authority.issue(wrong)), member).toBeDefined()
        }
      }
      for (const text of texts) {
        await refusalOf(house.authority.issue({ ...right, proof: text }))
        await refusalOf(house.authority.issue({ ...right, proof: freshProof(house), computedChecksum: text }))
      }
      lookAtRecords(house)
      expect(watch.codes.size).toBeGreaterThan(8)
      expect(await refusalOf(house.authority.issue({ ...right, proof: freshProof(house) }))).toBeUndefined()
    },
  )

  attack('X16', 'that meets a broken store or log leaves none of its words in the log', async () => {
    const inner = await openHouse()
    const journal = failingJournal(inner.deps.journal)
    const house = await openHouse({ journal })
    const activation = await (await startRun(house)).reach('look')
    const right = tokenRequest(activation, 'stock/read')
    const broken = { claim: async () => Promise.reject(new Error(canary)) }
    const { singleUse } = house.deps
    Object.assign(house.deps, { singleUse: broken })
    const refused = await refusalOf(house.authority.issue(right))
    expect(refused === undefined || refused.code === 'ERR_REPLAY_STORE').toBe(true)
    Object.assign(house.deps, { singleUse })
    lookAtRecords(inner)
    journal.fail(new Error(canary))
    await refusalOf(house.authority.issue({ ...right, proof: freshProof(house) }))
    lookAtRecords(house)
    lookAtRecords(inner)
  })
})

describe('a run whose store or authority breaks', () => {
  const solo = toyWorkflow([{ id: 'a', agent: 'a' }])
  const failing = async (): Promise<never> => {
    throw new Error(canary)
  }

  it.each(['activate', 'delegate', 'prepareReceipt', 'endExecution'] as const)(
    'says nothing of it in events and failure: %s',
    async (method) => {
      const rig = await engineRig([toyAgent('a', (context) => context.tool('a/echo')({ text: 'x' }))])
      const { authority } = rig.parts
      const broken = {
        ...authority,
        [method]: () => {
          throw new Error(canary)
        },
      }
      const run = await rig.start(solo, { authority: broken })
      const result = await run.result
      expect(result).toMatchObject({ status: 'failed', failure: { code: 'ERR_STEP_FAILED' } })
      watch.look('a failure', JSON.stringify(result.failure ?? null))
      watch.look('events', JSON.stringify(await rig.parts.store.events.events(run.executionId)))
    },
  )

  it.each(['put', 'putWrites', 'getTuple'] as const)(
    'says nothing of it in events and failure: checkpoints, %s',
    async (method) => {
      const rig = await engineRig([toyAgent('a', () => ({ done: true }))])
      const { checkpoints } = rig.parts.store
      const broken: typeof checkpoints = {
        checkpointer: (lease, receipts) =>
          Object.assign(checkpoints.checkpointer(lease, receipts), { [method]: failing }),
      }
      const run = await rig.start(solo, { checkpoints: broken })
      const { status, failure } = await run.result
      expect(status).toBe('failed')
      watch.look('a failure', JSON.stringify(failure))
      watch.look('events', JSON.stringify(await rig.parts.store.events.events(run.executionId)))
    },
  )
})
