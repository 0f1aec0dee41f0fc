/** One tool call as an HTTP request: token, DPoP proof over exactly these bytes, and the delegation chain. */
import type { Clock } from '../clock.js'
import { chainHeader } from '../delegation/carrying.js'
import { readBounded } from '../encoding/bounded-body.js'
import { canonicalize, type JsonObject, type JsonValue } from '../encoding/canonical-json.js'
import { isPlainObject, parseJson } from '../encoding/strict-json.js'
import { AgenticError, type ErrorCode, oauthAnswers } from '../errors.js'
import type { HttpRoute } from '../identity/agent.js'
import type { SigningKey } from '../keys/signing-key.js'
import { createDpopProof } from '../tokens/dpop-proof.js'

const maxResponseBytes = 64 * 1024 * 1024
const maxNonceLength = 256

export interface HttpToolCall {
  readonly route: HttpRoute
  readonly baseUrl: string
  readonly args: JsonObject
  readonly accessToken: string
  readonly chain: readonly string[]
  readonly ordinal: number
  readonly signal: AbortSignal
}

export interface HttpCallDeps {
  readonly clock: Clock
  readonly fetch: typeof fetch
  /** The last nonce that each resource gave out, by base URL; written here. */
  readonly nonces: Map<string, string>
}

/**
 * @returns the JSON of the answer
 * @throws AgenticError the reason the resource gives, or ERR_TOOL_FAILED
 */
export async function callHttpTool(
  call: HttpToolCall,
  key: SigningKey,
  deps: HttpCallDeps,
): Promise<JsonValue> {
  const first = await request(call, key, deps)
  const response = (await asksForNonce(first, call, deps)) ? await request(call, key, deps) : first
  const answer = await readAnswer(response)
  if (response.ok) return answer
  throw refusal(response.status, answer)
}

/** Makes the request with a proof of its own. */
async function request(call: HttpToolCall, key: SigningKey, deps: HttpCallDeps): Promise<Response> {
  const url = `${call.baseUrl}${call.route.path}`
  const body = new TextEncoder().encode(canonicalize(call.args))
  const contentType = 'application/json'
  const nonce = deps.nonces.get(call.baseUrl)
  const proof = createDpopProof(
    {
      method: call.route.method,
      url,
      accessToken: call.accessToken,
      request: { query: '', contentType, body },
      ordinal: call.ordinal,
      ...(nonce !== undefined && { nonce }),
    },
    key,
    deps,
  )
  const chain = chainHeader(call.chain)
  const headers = {
    authorization: `DPoP ${call.accessToken}`,
    dpop: proof,
    'content-type': contentType,
    accept: 'application/json',
    ...(chain !== undefined && { 'delegation-chain': chain }),
  }
  return send(url, call, deps, headers, body)
}

/** Keeps the nonce of an answer. True when the call was refused for want of just that one (RFC 9449 §9): its
 * proof was not spent, so the same call may be made once more. */
async function asksForNonce(response: Response, call: HttpToolCall, deps: HttpCallDeps): Promise<boolean> {
  const nonce = response.headers.get('dpop-nonce')
  if (nonce === null || nonce.length > maxNonceLength) return false
  const isNew = deps.nonces.get(call.baseUrl) !== nonce
  deps.nonces.set(call.baseUrl, nonce)
  const challenge = response.headers.get('www-authenticate') ?? ''
  if (!isNew || response.status !== 401 || !challenge.includes('error="use_dpop_nonce"')) return false
  await response.body?.cancel()
  return true
}

async function send(
  url: string,
  call: HttpToolCall,
  deps: { readonly fetch: typeof fetch },
  headers: Record<string, string>,
  body: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  try {
    // A redirect would carry token and proof to where they were not meant to go.
    return await deps.fetch(url, {
      method: call.route.method,
      headers,
      body,
      redirect: 'error',
      signal: call.signal,
    })
  } catch (cause) {
    throw new AgenticError('ERR_TOOL_FAILED', `resource "${call.route.resource}" could not be reached`, {
      cause,
    })
  }
}

async function readAnswer(response: Response): Promise<JsonValue> {
  const bytes = await readBounded(response.body, maxResponseBytes)
  if (!bytes)
    throw new AgenticError(
      'ERR_TOOL_FAILED',
      `the resource answered with more than ${maxResponseBytes} bytes`,
    )
  try {
    return parseJson(bytes, { maxBytes: maxResponseBytes })
  } catch (cause) {
    throw new AgenticError('ERR_TOOL_FAILED', 'the resource did not answer with JSON', { cause })
  }
}

/** The resource's reason, if it is one of ours, in its words where a message may repeat them. */
function refusal(status: number, answer: JsonValue): AgenticError {
  const member = (name: string) =>
    isPlainObject(answer) && Object.hasOwn(answer, name) ? answer[name] : undefined
  const code = member('code')
  if (typeof code === 'string' && Object.hasOwn(oauthAnswers, code)) {
    const said = member('error_description')
    return new AgenticError(code as ErrorCode, isRepeatable(said) ? said : 'refused by the resource')
  }
  return new AgenticError('ERR_TOOL_FAILED', `the resource answered ${status}`)
}

/** A sentence: short, of one line, and without anything that could be a token, which a resource has seen. */
function isRepeatable(said: JsonValue | undefined): said is string {
  return typeof said === 'string' && /^[^\p{Cc}]{1,1000}$/u.test(said) && !/eyJ[\w-]*\.|[\w-]{80}/.test(said)
}
