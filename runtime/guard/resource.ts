/**
 * A guarded HTTP resource as a function from Request to Response: every route is one tool, and no handler
 * runs before its call is proven. Refusals become 401 or 403 in OAuth's words (RFC 6750, RFC 9449).
 */
import { nowSeconds } from '../clock.js'
import { parseChainHeader } from '../delegation/carrying.js'
import { readBounded } from '../encoding/bounded-body.js'
import type { JsonObject } from '../encoding/canonical-json.js'
import { parseJsonObject } from '../encoding/strict-json.js'
import { AgenticError, type Credential, codeOf, isAgenticError, oauthAnswer } from '../errors.js'
import type { HttpRoute } from '../identity/agent.js'
import type { DpopNonces } from '../tokens/dpop-nonce.js'
import { verifyDpopProof } from '../tokens/dpop-proof.js'
import type { PresentedCall } from './check.js'
import type { GuardDeps, GuardedTool } from './deps.js'
import { perform, recordRefusal, type ToolHandler } from './perform.js'

/** Largest body of a call. */
export const maxBodyBytes = 2 * 1024 * 1024

export interface ResourceTool extends GuardedTool {
  readonly handler: ToolHandler
}

export interface GuardedResource {
  /** Identifier that tools' routes name. */
  readonly id: string
  readonly tools: readonly ResourceTool[]
  /** Present: every proof must carry a nonce of these, which each answer brings (RFC 9449 §9). */
  readonly nonces?: DpopNonces
}

/** @param publicUrl base URL of this resource, its audience; proofs are held against it, never against `Host` */
export function createResourceHandler(
  resource: GuardedResource,
  publicUrl: string,
  deps: GuardDeps,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const response = await respond(resource, request, publicUrl, deps)
    if (resource.nonces) response.headers.set('dpop-nonce', resource.nonces.issue())
    return response
  }
}

async function respond(
  resource: GuardedResource,
  request: Request,
  publicUrl: string,
  deps: GuardDeps,
): Promise<Response> {
  const progress: Progress = { reading: 'token' }
  try {
    const tool = routeOf(resource, request)
    if (!request.headers.has('authorization')) {
      throw new AgenticError('ERR_CREDENTIALS_MISSING', 'a call must carry a token and a proof')
    }
    const answer = await answerCall(tool, request, publicUrl, deps, progress)
    return json(200, answer)
  } catch (error) {
    return refuse(error, progress.reading)
  }
}

/** How far a request has come: the same code means another answer for the proof than for the token. */
interface Progress {
  reading: Credential
}

interface RoutedTool extends ResourceTool {
  readonly route: HttpRoute
  readonly nonces: DpopNonces | undefined
}

/** @throws AgenticError ERR_ROUTE_UNKNOWN */
function routeOf(resource: GuardedResource, request: Request): RoutedTool {
  const { pathname } = new URL(request.url)
  for (const tool of resource.tools) {
    const route = tool.definition.http
    if (route && route.path === pathname && route.method === request.method)
      return { ...tool, route, nonces: resource.nonces }
  }
  throw new AgenticError('ERR_ROUTE_UNKNOWN', 'there is no such route at this resource')
}

async function answerCall(
  tool: RoutedTool,
  request: Request,
  publicUrl: string,
  deps: GuardDeps,
  progress: Progress,
) {
  let call: PresentedCall
  try {
    call = await present(tool, request, publicUrl, deps, progress)
  } catch (error) {
    await recordRefusal({ audience: publicUrl, tool }, error, deps)
    throw error
  }
  return perform(call, tool.handler, { input: undefined, signal: request.signal }, deps)
}

/** Reads the request within its limits; proves nothing. */
async function present(
  tool: RoutedTool,
  request: Request,
  publicUrl: string,
  deps: GuardDeps,
  progress: Progress,
): Promise<PresentedCall> {
  const token = accessTokenOf(request)
  const proof = request.headers.get('dpop')
  if (proof === null) throw new AgenticError('ERR_PROOF_MISSING', 'a DPoP proof must come with the token')
  const contentType = request.headers.get('content-type') ?? ''
  const body = await readBounded(request.body, maxBodyBytes)
  if (!body) throw new AgenticError('ERR_REQUEST_INVALID', `a body must have at most ${maxBodyBytes} bytes`)
  return {
    token,
    chain: chainOf(request),
    tool,
    args: argumentsOf(contentType, body),
    audience: publicUrl,
    async verifyProof(verified) {
      progress.reading = 'proof'
      const proven = await verifyDpopProof(proof, {
        method: tool.route.method,
        url: `${publicUrl}${tool.route.path}`,
        accessToken: token,
        key: verified.key,
        ...(tool.nonces && { nonces: tool.nonces }),
        request: { query: new URL(request.url).search.slice(1), contentType, body },
        now: nowSeconds(deps.clock),
        keyring: deps.keyring,
        singleUse: deps.singleUse,
      })
      progress.reading = 'token'
      return proven
    },
  }
}

function accessTokenOf(request: Request): string {
  // The scheme's case means nothing (RFC 9110 §11.1); the token's characters are both cases anyway.
  const match = /^dpop ([a-z0-9._~+/-]+=*)$/i.exec(request.headers.get('authorization') ?? '')
  if (!match?.[1]) throw new AgenticError('ERR_TOKEN_MALFORMED', 'credentials must be "DPoP" and one token')
  return match[1]
}

function chainOf(request: Request): readonly string[] | undefined {
  const header = request.headers.get('delegation-chain')
  return header === null ? undefined : parseChainHeader(header)
}

function argumentsOf(contentType: string, body: Uint8Array): JsonObject {
  if (contentType.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    throw new AgenticError('ERR_REQUEST_INVALID', 'the content type must be application/json')
  }
  return parseJsonObject(body, { maxBytes: maxBodyBytes })
}

const noStore = { 'cache-control': 'no-store' }
const algs = 'algs="Ed25519"'

/** Puts an error on the wire: OAuth's word, our code, and our own words unless something broke. Never a cause. */
function refuse(error: unknown, reading: Credential): Response {
  const code = codeOf(error)
  const [name, status] = oauthAnswer(error, reading).resource
  // No credentials at all: a challenge without a reason (RFC 6750 §3.1).
  if (name === '') {
    return new Response(null, { status, headers: { 'www-authenticate': `DPoP ${algs}`, ...noStore } })
  }
  const text = isAgenticError(error) && status !== 500 ? error.message : 'the resource could not answer'
  // RFC 6750 §3: whatever does not enable access is answered with a challenge, 403 as well as 401.
  const isChallenge = status === 401 || status === 403
  const headers = isChallenge ? { 'www-authenticate': `DPoP error="${name}", ${algs}` } : {}
  return json(status, { error: name, error_description: text, ...(code && { code }) }, headers)
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...noStore, ...headers },
  })
}
