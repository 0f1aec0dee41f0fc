/** A guard beside its authority, and calls that are right in everything but what is changed. */
import { requireStanding, requireStandingHops } from '../../runtime/authority/standing.js'
import { createLinkCache } from '../../runtime/delegation/verified-links.js'
import { canonicalize, type JsonObject } from '../../runtime/encoding/canonical-json.js'
import type { ActivationRow } from '../../runtime/execution/records.js'
import type { GuardDeps } from '../../runtime/guard/deps.js'
import { createResourceHandler, type ResourceTool } from '../../runtime/guard/resource.js'
import type { ToolCallInfo } from '../../runtime/identity/agent.js'
import type { SigningKey } from '../../runtime/keys/signing-key.js'
import type { DpopNonces } from '../../runtime/tokens/dpop-nonce.js'
import { createDpopProof, type DpopProofRequest } from '../../runtime/tokens/dpop-proof.js'
import { type House, type HouseRun, openHouse, startRun, tokenRequest } from './authority-house.js'
import { hashOf } from './chain-builder.js'
import { fixedKey, keyring } from './fixed-keys.js'
import { changed, claimsOf, forge } from './forger.js'
import { audience, issuer } from './intent-claims.js'
import { shippingTools } from './shipping.js'

export interface Handled {
  readonly args: JsonObject
  readonly info: ToolCallInfo
}

export function guardOf(house: House, changes: Partial<GuardDeps> = {}): GuardDeps {
  return {
    issuer,
    trustedKeys: () => [fixedKey('authority').publicKey],
    keyring,
    singleUse: house.store.singleUse,
    requireStanding: ({ intent, sub, agentProof, jti }) => {
      const { executionId, activationId, workflowStep: step, epoch } = intent
      const { registrationId } = agentProof
      return requireStanding(
        { executionId, activationId, step, epoch, agentId: sub, registrationId, jti },
        { ...house.store, clock: house.clock },
      )
    },
    requireStandingHops: ({ hops }) => requireStandingHops(hops, { ...house.store, clock: house.clock }),
    fetchChain: (chainHash) => house.authority.chain(chainHash),
    journal: house.deps.journal,
    links: createLinkCache(),
    clock: house.clock,
    ...changes,
  }
}

/** What differs from the right call; `proof` changes what the proof is made over, not what is sent. */
export interface CallChanges {
  readonly token?: string
  readonly chain?: readonly string[] | undefined
  readonly key?: SigningKey
  readonly args?: JsonObject
  readonly body?: string
  readonly method?: string
  readonly path?: string
  readonly origin?: string
  readonly headers?: Record<string, string>
  readonly without?: string
  readonly proof?: Partial<DpopProofRequest>
}

export interface Counter {
  readonly house: House
  readonly run: HouseRun
  readonly activation: ActivationRow
  readonly token: string
  readonly handled: Handled[]
  /** The token with some claims changed, under the authority's own key. */
  reminted(changes: Record<string, unknown>): string
  /** The chain with the claims of its leaf changed, signed by the true delegator; with a token that names it. */
  releafed(changes: Record<string, unknown>): { chain: readonly string[]; token: string }
  request(changes?: CallChanges): Request
  send(changes?: CallChanges): Promise<Response>
}

const delegators: Readonly<Record<string, string>> = { look: 'lead', plan: 'lead', write: 'planner' }

/** Opens a step with a token for one of its tools, and a resource that counts what reaches its handlers. */
export async function counter(
  step: string,
  tool: string,
  args: JsonObject,
  options: {
    readonly guard?: Partial<GuardDeps>
    readonly tool?: Partial<ResourceTool>
    readonly house?: House
    readonly nonces?: DpopNonces
  } = {},
): Promise<Counter> {
  const house = options.house ?? (await openHouse())
  const run = await startRun(house)
  const activation = await run.reach(step)
  const { accessToken: token } = await house.authority.issue(tokenRequest(activation, tool))
  const handled: Handled[] = []
  const tools = Object.values(shippingTools).map((definition) => ({
    definition,
    handler: (given: JsonObject, info: ToolCallInfo) => {
      handled.push({ args: given, info })
      return { done: true }
    },
    ...(definition.name === tool && options.tool),
  }))
  const { nonces } = options
  const resource = { id: 'stock', tools, ...(nonces && { nonces }) }
  const handler = createResourceHandler(resource, audience, guardOf(house, options.guard))
  const path = shippingTools[tool]?.http?.path ?? ''

  function request(changes: CallChanges = {}): Request {
    const method = changes.method ?? 'POST'
    const body = changes.body ?? canonicalize(changes.args ?? args)
    const carried = changes.token ?? token
    const chain = 'chain' in changes ? changes.chain : activation.chain
    const contentType = 'application/json'
    const bytes = new TextEncoder().encode(body)
    const headers = new Headers({
      authorization: `DPoP ${carried}`,
      'content-type': contentType,
      ...(chain && { 'delegation-chain': chain.join(', ') }),
    })
    const whole = {
      method,
      url: `${audience}${path}`,
      accessToken: carried,
      request: { query: '', contentType, body: bytes },
      ...changes.proof,
    }
    const key = changes.key ?? fixedKey(activation.agentId ?? '')
    headers.set('dpop', createDpopProof(whole, key, house))
    for (const [name, value] of Object.entries(changes.headers ?? {})) headers.set(name, value)
    if (changes.without) headers.delete(changes.without)
    const url = `${changes.origin ?? audience}${changes.path ?? path}`
    return new Request(url, { method, headers, ...(method === 'POST' && { body }) })
  }

  const authority = fixedKey('authority')
  const reminted = (changes: Record<string, unknown>) =>
    forge(
      { typ: 'at+jwt', kid: authority.publicKey.thumbprint },
      changed(claimsOf(token), changes),
      authority,
    )
  return {
    house,
    run,
    activation,
    token,
    handled,
    reminted,
    releafed(changes) {
      const leaf = forge(
        { typ: 'delegation+jwt' },
        changed(claimsOf(activation.chain.at(-1) ?? ''), changes),
        fixedKey(delegators[step] ?? ''),
      )
      const chain = [...activation.chain.slice(0, -1), leaf]
      return { chain, token: reminted({ 'intent.chain_hash': hashOf(leaf) }) }
    },
    request,
    send: (changes) => handler(request(changes)),
  }
}
