/**
 * The agent's side of one activation: for each tool call it gets a token, signs a proof over exactly this
 * call and attaches the chain. It verifies nothing itself; the guard does. It dies with the activation.
 */
import type { Clock } from '../clock.js'
import { decodeAssertion } from '../delegation/assertion.js'
import type { JsonObject, JsonValue } from '../encoding/canonical-json.js'
import { digestOf } from '../encoding/digest.js'
import { AgenticError } from '../errors.js'
import type { ToolDefinition } from '../identity/agent.js'
import type { SigningKey } from '../keys/signing-key.js'
import { idempotencyKey } from '../tokens/idempotency.js'
import { createInvocationProof } from '../tokens/invocation-proof.js'
import { definiteArguments } from './arguments.js'
import { callHttpTool, type HttpCallDeps } from './http-call.js'
import type { TokenIssuer } from './issuer.js'
import { createTokenCache } from './token-cache.js'
import type { ToolServer } from './tool-server.js'

/** A call that succeeded, as the receipt lists it. */
export interface LedgerCall {
  readonly tool: string
  readonly argsDigest: string
  readonly resultDigest: string
  readonly idempotencyKey: string
}

export interface ActivationClient {
  /** Calls a tool with token, proof and chain. @throws AgenticError the issuer's or the guard's reason */
  call(tool: ToolDefinition, args: JsonObject): Promise<unknown>
  /** What the receipt says of this activation: tokens by `jti`, and the calls that succeeded. */
  ledger(): { readonly tokens: readonly string[]; readonly calls: readonly LedgerCall[] }
  /** From here on every call is refused (ERR_CONTEXT_ENDED), and those under way are aborted. */
  end(): void
}

/** The activation a client acts for; the fields of the stored row that it needs. */
export interface ActivationFacts {
  readonly activationId: string
  readonly executionId: string
  readonly step: string
  readonly epoch: number
  readonly agentId?: string
  readonly agentChecksum?: string
  readonly chain: readonly string[]
}

export interface ActivationClientRequest {
  readonly activation: ActivationFacts
  readonly workflow: { readonly id: string }
  readonly agentKey: SigningKey
  /** The step's input, handed to tools of this process. */
  readonly input: unknown
  readonly signal: AbortSignal
}

export interface ActivationClientFactory {
  open(request: ActivationClientRequest): ActivationClient
}

export interface ClientDeps {
  readonly issuer: TokenIssuer
  readonly toolServer: ToolServer
  /** Base URL of a resource, which is its audience; undefined when this runtime has none of that name. */
  readonly resourceUrl: (resource: string) => string | undefined
  readonly clock: Clock
  readonly fetch: typeof fetch
}

export function createActivationClients(deps: ClientDeps): ActivationClientFactory {
  // Kept for all activations: a nonce is the resource's, not the agent's.
  const nonces = new Map<string, string>()
  return { open: (request) => openClient(request, { ...deps, nonces }) }
}

function openClient(
  request: ActivationClientRequest,
  deps: ClientDeps & Pick<HttpCallDeps, 'nonces'>,
): ActivationClient {
  const { activation } = request
  const ended = new AbortController()
  const signal = AbortSignal.any([request.signal, ended.signal])
  const calls: LedgerCall[] = []
  const ordinals = new Map<string, number>()
  const tokens = createTokenCache(
    {
      agentId: activation.agentId ?? '',
      computedChecksum: activation.agentChecksum ?? '',
      workflowId: request.workflow.id,
      workflowStep: activation.step,
      executionId: activation.executionId,
      activationId: activation.activationId,
      epoch: activation.epoch,
      chain: activation.chain,
    },
    request.agentKey,
    deps,
  )

  function nextOrdinal(tool: string, argsDigest: string): number {
    const place = `${tool} ${argsDigest}`
    const ordinal = ordinals.get(place) ?? 0
    ordinals.set(place, ordinal + 1)
    return ordinal
  }

  function requireLive(): void {
    if (ended.signal.aborted) throw new AgenticError('ERR_CONTEXT_ENDED', 'this step has ended')
  }

  async function invoke(tool: ToolDefinition, args: JsonObject, ordinal: number): Promise<unknown> {
    const audience = audienceOf(tool, deps)
    const { accessToken } = await tokens.tokenFor(tool, audience)
    requireLive()
    const carried = { accessToken, chain: activation.chain, args, ordinal, signal }
    if (tool.http)
      return callHttpTool({ ...carried, route: tool.http, baseUrl: audience }, request.agentKey, deps)
    const proof = createInvocationProof(
      { leafId: leafId(activation.chain), tool: tool.name, audience, args, accessToken, ordinal },
      request.agentKey,
      deps,
    )
    return deps.toolServer.invoke({
      token: accessToken,
      chain: activation.chain,
      proof,
      tool: tool.name,
      args,
      input: request.input,
      signal,
    })
  }

  return {
    async call(tool, args) {
      requireLive()
      const definite = definiteArguments(tool, args)
      const argsDigest = digestOf(definite)
      const ordinal = nextOrdinal(tool.name, argsDigest)
      const result = await invoke(tool, definite, ordinal)
      requireLive()
      const place = { activationId: activation.activationId, tool: tool.name, argsDigest, ordinal }
      calls.push({
        tool: tool.name,
        argsDigest,
        resultDigest: digestOf((result ?? null) as JsonValue),
        idempotencyKey: idempotencyKey(place),
      })
      return result
    },
    ledger: () => ({ tokens: tokens.issued, calls: [...calls] }),
    end: () => ended.abort(),
  }
}

/** @throws AgenticError ERR_TARGET_INVALID */
function audienceOf(tool: ToolDefinition, deps: ClientDeps): string {
  if (!tool.http) return deps.toolServer.audience
  const url = deps.resourceUrl(tool.http.resource)
  if (url === undefined) {
    throw new AgenticError(
      'ERR_TARGET_INVALID',
      `resource "${tool.http.resource}" of tool "${tool.name}" is not available`,
    )
  }
  return url
}

function leafId(chain: readonly string[]): string {
  const leaf = chain.at(-1)
  if (leaf === undefined) throw new AgenticError('ERR_CHAIN_EMPTY', 'this step holds no assertion')
  return decodeAssertion(leaf).jti
}
