/** One tool call as an HTTP request: token, DPoP proof over exactly these bytes, and the delegation chain. */
import type { Clock } from '../clock.js'
import { readBounded } from '../encoding/bounded-body.js'
import { canonicalize, type JsonObject, type JsonValue } from '../encoding/canonical-json.js'
import { isPlainObject, parseJson } from '../encoding/strict-json.js'
import { AgenticError, type ErrorCode, oauthAnswers } from '../errors.js'
import type { HttpRoute } from '../identity/agent.js'
import type { SigningKey } from '../keys/signing-key.js'
import { createDpopProof } from '../tokens/dpop-proof.js'

/** Larger chains are fetched by the guard from the authority (PROTOCOL 8). */
export const maxChainHeaderBytes = 8 * 1024
const maxResponseBytes = 64 * 1024 * 1024

export interface HttpToolCall {
  readonly route: HttpRoute
  readonly baseUrl: string
  readonly args: JsonObject
  readonly accessToken: string
  readonly chain: readonly string[]
  readonly ordinal: number
  readonly signal: AbortSignal
}

/**
 * @returns the JSON of the answer
 * @throws AgenticError the reason the resource gives, or ERR_TOOL_FAILED
 */
export async function callHttpTool(
  call: HttpToolCall,
  key: SigningKey,
  deps: { readonly clock: Clock; readonly fetch: typeof fetch },
): Promise<JsonValue> {
  const url = `${call.baseUrl}${call.route.path}`
  const body = new TextEncoder().encode(canonicalize(call.args))
  const contentType = 'application/json'
  const proof = createDpopProof(
    {
      method: call.route.method,
      url,
      accessToken: call.accessToken,
      request: { query: '', contentType, body },
      ordinal: call.ordinal,
    },
    key,
    deps,
  )
  const chain = call.chain.join(', ')
  const response = await send(
    url,
    call,
    deps,
    {
      authorization: `DPoP ${call.accessToken}`,
      dpop: proof,
      'content-type': contentType,
      accept: 'application/json',
      ...(chain.length <= maxChainHeaderBytes && { 'delegation-chain': chain }),
    },
    body,
  )
  const answer = await readAnswer(response)
  if (response.ok) return answer
  throw refusal(response.status, answer)
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
