/** A delegation chain in words, hop by hop: who lets whom do what, until when, and whether each signature holds. */
import { type Assertion, decodeAssertion } from '../delegation/assertion.js'
import { verifyChain } from '../delegation/verify-chain.js'
import { codeOf, isAgenticError } from '../errors.js'
import type { Keyring } from '../keys/keyring.js'
import type { PublicKey } from '../keys/public-key.js'
import { thumbprint } from '../keys/thumbprint.js'
import { type ExplainOptions, signatureWords } from './explain-token.js'
import { timeWords, toolWords } from './words.js'

/** Who a registration is, where this place knows it. */
export interface KnownRegistration {
  readonly agent: string
  /** How the key was made that a hop names (PROTOCOL 0); undefined: it is none of this registration's. */
  readonly mode: 'derived' | 'attested' | undefined
}

export interface ExplainChainOptions extends ExplainOptions {
  readonly keyring: Keyring
  /** @param jkt thumbprint of the key that a hop names */
  readonly known: (registrationId: string, jkt: string) => KnownRegistration | undefined
}

/** @returns lines, and whether the chain as a whole verifies (undefined: no authority key to verify with) */
export function explainChain(
  tokens: readonly string[],
  options: ExplainChainOptions,
): { readonly lines: readonly string[]; readonly holds: boolean | undefined } {
  const hops = tokens.map(decodeAssertion)
  const lines = [
    'Delegation chain: authority passed on from the person who asked, hop by hop; it can only shrink.',
  ]
  for (const [index, hop] of hops.entries()) {
    const parent = hops[index - 1]
    lines.push('', ...hopLines(tokens[index] ?? '', hop, parent, options))
  }
  const verdict = wholeVerdict(tokens, hops, options)
  lines.push('', verdict.words)
  return { lines, holds: verdict.holds }
}

function hopLines(
  token: string,
  hop: Assertion,
  parent: Assertion | undefined,
  options: ExplainChainOptions,
): readonly string[] {
  const whose = parent ? `the agent of step "${parent.intent.workflowStep}"` : `the authority ${hop.iss}`
  const key = parent ? keyOf(parent, options) : options.authorityKey
  const dropped = parent?.scope.filter((scope) => !hop.scope.includes(scope)) ?? []
  return [
    parent
      ? `${hop.depth}. step "${parent.intent.workflowStep}" lets step "${hop.intent.workflowStep}" act: ${delegatee(hop, options)}`
      : `0. root: ${hop.initiatedBy ?? 'somebody'} (${hop.auth?.method ?? 'unknown method'}) lets step "${hop.intent.workflowStep}" act: ${delegatee(hop, options)}`,
    `   checksum   ${hop.agentProof.agentChecksum}`,
    `   what       scope ${hop.scope.join(' ') || '(none)'}${dropped.length > 0 ? `; no longer ${dropped.join(' ')}` : ''}`,
    ...toolWords(hop.toolGrants).map((words) => `              ${words}`),
    `   until      ${timeWords(hop.exp, options.now)}${hop.exp <= options.now ? ': EXPIRED' : ''}`,
    `   onward     ${onwardWords(hop.maxDepth - hop.depth)}`,
    `   signature  ${signatureWords(token, 'delegation+jwt', key, whose)}`,
  ]
}

function delegatee(hop: Assertion, options: ExplainChainOptions): string {
  const { registrationId } = hop.agentProof
  const known = options.known(registrationId, thumbprint(hop.jwk))
  if (!known) return `registration ${registrationId}`
  return `agent "${known.agent}" (${known.mode ? `key ${known.mode}` : 'with a KEY THAT IS NOT REGISTERED for it'})`
}

function onwardWords(hopsLeft: number): string {
  if (hopsLeft <= 0) return 'may not be passed on'
  return hopsLeft === 1 ? 'may be passed on once more' : `may be passed on, over ${hopsLeft} more hops`
}

function keyOf(parent: Assertion, options: ExplainChainOptions): PublicKey | undefined {
  try {
    return options.keyring.publicKey(parent.jwk)
  } catch {
    return undefined // a key that is none is reported as a signature that was not checked
  }
}

function wholeVerdict(tokens: readonly string[], hops: readonly Assertion[], options: ExplainChainOptions) {
  const root = hops[0]
  if (!options.authorityKey || !root) {
    return { holds: undefined, words: 'As a whole: NOT CHECKED, the authority’s key is not known here.' }
  }
  try {
    const chain = verifyChain(tokens, {
      trustedKeys: [options.authorityKey],
      issuer: root.iss,
      now: options.now,
      keyring: options.keyring,
    })
    const words = `As a whole: holds (${chain.checked.join(', ')}). Open without a proof and the authority: ${chain.open.join(', ')}.`
    return { holds: true, words }
  } catch (error) {
    const reason = isAgenticError(error) ? `${error.code}: ${error.message}` : String(codeOf(error))
    return { holds: false, words: `As a whole: DOES NOT HOLD. ${reason}` }
  }
}
