/** One token in words: who, for whom, what, until when, and whether its signature holds. */
import { parseToolDetails } from '../delegation/assertion.js'
import { decodeJws } from '../encoding/compact-jws.js'
import { AgenticError, codeOf } from '../errors.js'
import { verifyJws } from '../keys/jws.js'
import type { PublicKey } from '../keys/public-key.js'
import { fromWire } from '../tokens/wire.js'
import { timeWords, toolWords } from './words.js'

export interface ExplainOptions {
  /** The authority's key, if it is known here. */
  readonly authorityKey?: PublicKey
  /** NumericDate, seconds. */
  readonly now: number
}

const kinds = ['at+jwt', 'delegation+jwt', 'receipt+jwt', 'approval+jwt', 'dpop+jwt', 'pop+jwt'] as const
export type TokenKind = (typeof kinds)[number]

/** Which kind of token this is, by its demanded `typ`. @throws AgenticError ERR_TOKEN_MALFORMED, or the gate's code */
export function kindOf(token: string): TokenKind {
  for (const typ of kinds) {
    try {
      decodeJws(token, { typ, ...(typ === 'dpop+jwt' && { jwk: 'required' as const }) })
      return typ
    } catch (error) {
      if (codeOf(error) !== 'ERR_TYP_MISMATCH' && codeOf(error) !== 'ERR_HEADER_REFUSED') throw error
    }
  }
  throw new AgenticError('ERR_TOKEN_MALFORMED', 'this is no token of a kind that this protocol knows')
}

export function explainToken(token: string, options: ExplainOptions): readonly string[] {
  const kind = kindOf(token)
  if (kind === 'at+jwt') return explainIntentToken(token, options)
  const decoded = decodeJws(token, { typ: kind, ...(kind === 'dpop+jwt' && { jwk: 'required' as const }) })
  return [
    headline[kind],
    ...Object.entries(decoded.claims).map(([name, value]) => `  ${name}: ${brief(value)}`),
  ]
}

const headline: Readonly<Record<TokenKind, string>> = {
  'at+jwt': 'Intent token',
  'delegation+jwt': 'Delegation assertion',
  'receipt+jwt': 'Receipt: the engine’s word that a step was done. Its claims, not verified here:',
  'approval+jwt': 'Approval: a person’s decision. Its claims, not verified here:',
  'dpop+jwt': 'DPoP proof: possession of a key, for one HTTP request. Its claims, not verified here:',
  'pop+jwt':
    'Invocation proof: possession of a key, for one tool call. It holds the arguments, which are not shown.',
}

/** Arguments and prompts are never shown; long values are cut. */
function brief(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

function explainIntentToken(token: string, options: ExplainOptions): readonly string[] {
  const claims = fromWire(decodeJws(token, { typ: 'at+jwt' }).claims)
  const { intent } = claims
  return [
    'Intent token: lets one agent call one resource, in one step of one run. It is worth nothing without its key.',
    `  who        agent "${claims.sub}", which must prove key ${claims.cnf.jkt}`,
    `             registered as ${claims.agentProof.registrationId}, checksum ${claims.agentProof.agentChecksum}`,
    `  for whom   ${intent.initiatedBy}; the intent has hash ${intent.intentHash}`,
    `  what       scope ${claims.scope.join(' ') || '(none)'}`,
    ...toolWords(parseToolDetails(claims.authorizationDetails)).map((words) => `             ${words}`),
    `  where      ${claims.aud}, and nowhere else`,
    `  in         step "${intent.workflowStep}" of workflow "${intent.workflowId}", run ${intent.executionId}`,
    `  by         delegation chain ${intent.chainHash}`,
    `  until      ${timeWords(claims.exp, options.now)}${claims.exp <= options.now ? ': EXPIRED' : ''}`,
    ...(intent.approval
      ? [
          `  once       opened by approval ${intent.approval.id}, for ${intent.approval.tool} with arguments ${intent.approval.argsDigest}`,
        ]
      : []),
    `  signature  ${signatureWords(token, 'at+jwt', options.authorityKey, `the authority ${claims.iss}`)}`,
  ]
}

/** Whether a signature holds, and under whose key. */
export function signatureWords(
  token: string,
  typ: TokenKind,
  key: PublicKey | undefined,
  whose: string,
): string {
  if (!key) return `NOT CHECKED: the key of ${whose} is not known here`
  try {
    verifyJws(token, key, { typ })
    return `holds, under the key of ${whose}`
  } catch (error) {
    return `DOES NOT HOLD under the key of ${whose} (${codeOf(error) ?? 'error'})`
  }
}
