/** A guarded resource on a real loopback port, with a call that is right in everything but what is changed. */
import { canonicalize } from '../../runtime/encoding/canonical-json.js'
import type { GuardDeps } from '../../runtime/guard/deps.js'
import type { ResourceTool } from '../../runtime/guard/resource.js'
import { type ServedResource, serveResource } from '../../runtime/guard/serve.js'
import type { SigningKey } from '../../runtime/keys/signing-key.js'
import { createDpopProof } from '../../runtime/tokens/dpop-proof.js'
import { openHouse, recordsOf, startRun, tokenRequest } from '../support/authority-house.js'
import { fixedKey } from '../support/fixed-keys.js'
import { guardOf } from '../support/guard-house.js'
import { shippingTools } from '../support/shipping.js'

export interface Call {
  readonly body?: string
  /** Added to or in place of the right ones; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly proofKey?: SigningKey
  /** The proof as it is sent, made of the right one. */
  readonly proof?: (right: string) => string
}

/** What a caller can see of an answer. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Counter {
  readonly token: string
  readonly chain: readonly string[]
  readonly args: string
  send(call?: Call): Promise<Answer>
  /** The log as text. */
  log(): string
  close(): Promise<void>
}

/** The tool `stock/read`, asked for by the step `look`. */
export async function openCounter(
  changes: { readonly guard?: Partial<GuardDeps>; readonly handler?: ResourceTool['handler'] } = {},
): Promise<Counter> {
  const served: { resource?: ServedResource } = {}
  const house = await openHouse({ audiences: () => [served.resource?.url ?? ''] })
  const definition = shippingTools['stock/read']
  if (!definition) throw new Error('shipping has no such tool')
  const handler = changes.handler ?? (() => ({ done: true }))
  const resource = await serveResource(
    { id: 'stock', tools: [{ definition, handler }] },
    guardOf(house, changes.guard),
  )
  served.resource = resource
  const activation = await (await startRun(house)).reach('look')
  const { accessToken: token } = await house.authority.issue(
    tokenRequest(activation, 'stock/read', { audience: resource.url }),
  )
  const url = `${resource.url}/read`
  const args = canonicalize({ item: 'apples' })
  return {
    token,
    chain: activation.chain,
    args,
    log: () => JSON.stringify(recordsOf(house)),
    close: () => resource.close(),
    async send({
      body = args,
      headers = {},
      proofKey = fixedKey('reader'),
      proof = (right: string) => right,
    } = {}) {
      const contentType = 'application/json'
      const request = { query: '', contentType, body: new TextEncoder().encode(body) }
      const right = createDpopProof({ method: 'POST', url, accessToken: token, request }, proofKey, house)
      const sent: Record<string, string | undefined> = {
        authorization: `DPoP ${token}`,
        'content-type': contentType,
        'delegation-chain': activation.chain.join(', '),
        dpop: proof(right),
        ...headers,
      }
      const present = Object.entries(sent).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      )
      const answer = await fetch(url, { method: 'POST', body, headers: Object.fromEntries(present) })
      return {
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        body: await answer.text(),
      }
    },
  }
}
