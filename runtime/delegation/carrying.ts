/**
 * How a chain, and all that proves an invocation, travels: in a header of an HTTP request, or in `_meta` of an MCP
 * request (PROTOCOL 8). Writing and reading stand side by side here; both only carry, and prove nothing.
 */
import { isPlainObject } from '../encoding/strict-json.js'
import { AgenticError } from '../errors.js'
import { maxInvocationProofBytes } from '../tokens/invocation-proof.js'
import { maxChainBytes, maxHops } from './assertion.js'

/** Larger chains are fetched by the guard from the authority (PROTOCOL 8). */
export const maxChainHeaderBytes = 8 * 1024
const separator = ', '

/** The value of `Delegation-Chain`; undefined when the chain is too long for a header.
 * @param chain compact tokens, root first */
export function chainHeader(chain: readonly string[]): string | undefined {
  const text = chain.join(separator)
  return text.length <= maxChainHeaderBytes ? text : undefined
}

/** Takes a header apart; what its parts are is for `verifyChain`, which bounds them too.
 * @param text the value of the one header of that name
 * @throws AgenticError ERR_CHAIN_MISSING when there is none, ERR_TOKEN_MALFORMED when it is no text (Node gives an array
 *   where a header of ours came several times), ERR_CHAIN_TOO_LONG
 */
export function parseChainHeader(text: string): readonly string[] {
  const given: unknown = text
  if (given === undefined || given === null)
    throw new AgenticError('ERR_CHAIN_MISSING', 'a chain must come with the token')
  if (typeof given !== 'string')
    throw new AgenticError('ERR_TOKEN_MALFORMED', 'expected the chain as one header')
  if (given.length > maxChainBytes + (maxHops - 1) * separator.length)
    throw new AgenticError('ERR_CHAIN_TOO_LONG', `a chain must have at most ${maxChainBytes} bytes`)
  return given.split(separator)
}

/** What an invocation carries beside tool and arguments. */
export interface InvocationCredentials {
  readonly token: string
  /** Compact tokens, root first. */
  readonly chain: readonly string[]
  /** `pop+jwt` */
  readonly proof: string
}

/** Members of `_meta` that are ours; others are MCP's or somebody else's. */
const members = { token: 'ajwt/token', chain: 'ajwt/chain', proof: 'ajwt/proof' } as const
/** Longest token, as at the gate (PROTOCOL 1). */
const maxTokenBytes = 16 * 1024

/** The members of `_meta` that carry an invocation's credentials. */
export function invocationMeta({ token, chain, proof }: InvocationCredentials) {
  return { [members.token]: token, [members.chain]: [...chain], [members.proof]: proof }
}

/**
 * Reads the credentials out of `_meta`: own members only, each once, within their sizes. A member that is not ours
 * says nothing here. Copies the chain.
 * @throws AgenticError ERR_CREDENTIALS_MISSING without a token, whatever else there is; ERR_CHAIN_MISSING,
 *   ERR_PROOF_MISSING; ERR_REQUEST_INVALID: `_meta` is no object; ERR_TOKEN_MALFORMED: something else than text;
 *   ERR_TOKEN_TOO_LARGE, ERR_CHAIN_EMPTY, ERR_CHAIN_TOO_LONG
 */
export function parseInvocationMeta(meta: unknown): InvocationCredentials {
  if (meta !== undefined && !isPlainObject(meta)) {
    throw new AgenticError('ERR_REQUEST_INVALID', '"_meta" must be an object')
  }
  const member = (name: keyof typeof members): unknown =>
    meta && Object.hasOwn(meta, members[name]) ? meta[members[name]] : undefined
  const token = member('token')
  if (token === undefined) {
    throw new AgenticError('ERR_CREDENTIALS_MISSING', 'a call must carry a token, its chain and a proof')
  }
  return {
    token: textOf(token, maxTokenBytes),
    chain: chainOf(member('chain')),
    proof: proofOf(member('proof')),
  }
}

function chainOf(value: unknown): readonly string[] {
  if (value === undefined) throw new AgenticError('ERR_CHAIN_MISSING', 'a chain must come with the token')
  if (!Array.isArray(value)) {
    throw new AgenticError('ERR_TOKEN_MALFORMED', 'expected the chain as an array of compact tokens')
  }
  if (value.length === 0) throw new AgenticError('ERR_CHAIN_EMPTY', 'a chain must have at least its root')
  if (value.length > maxHops) {
    throw new AgenticError('ERR_CHAIN_TOO_LONG', `a chain must have at most ${maxHops} hops`)
  }
  const chain = Array.from(value, (hop: unknown) => textOf(hop, maxTokenBytes))
  if (chain.join('').length > maxChainBytes) {
    throw new AgenticError('ERR_CHAIN_TOO_LONG', `a chain must have at most ${maxChainBytes} bytes`)
  }
  return chain
}

function proofOf(value: unknown): string {
  if (value === undefined) throw new AgenticError('ERR_PROOF_MISSING', 'a proof must come with the token')
  return textOf(value, maxInvocationProofBytes)
}

function textOf(value: unknown, maxBytes: number): string {
  if (typeof value !== 'string') throw new AgenticError('ERR_TOKEN_MALFORMED', 'expected a token as text')
  if (value.length > maxBytes) {
    throw new AgenticError('ERR_TOKEN_TOO_LARGE', `expected a token of at most ${maxBytes} characters`)
  }
  return value
}
