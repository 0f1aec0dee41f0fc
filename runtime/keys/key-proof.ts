/**
 * Proof that the holder of a new agent key has it and means this registration (PROTOCOL 2.3): made where the key
 * was made, so that of an `attested` key only the public half and this leave. A proof by an *old* key about the
 * new one, which mode `derived` demands besides, has the same form; only its signer differs.
 */
import { type Clock, nowSeconds } from '../clock.js'
import type { JsonObject } from '../encoding/canonical-json.js'
import { decodeJws } from '../encoding/compact-jws.js'
import { equalConstantTime } from '../encoding/digest.js'
import { isPlainObject } from '../encoding/strict-json.js'
import { newUuid } from '../encoding/uuid.js'
import { AgenticError, type ErrorCode } from '../errors.js'
import { signJws, verifyDecoded } from './jws.js'
import type { PublicKey } from './public-key.js'
import type { SigningKey } from './signing-key.js'

/** Accepted distance of `iat` from the verifier's clock, in seconds, both ways: that of every `pop+jwt`. */
export const keyProofWindowSeconds = 30

/** The one place in the world a proof is good for. */
export interface KeyProofSubject {
  /** The authority that is asked to register the key; its identifier. */
  readonly issuer: string
  readonly agentId: string
  readonly agentChecksum: string
  /** Of the new key, from 0. */
  readonly epoch: number
  /** The new key. */
  readonly key: PublicKey
}

/** @param signer the new key itself; or an old key of the same agent, which then agrees to the new one
 * @returns compact `pop+jwt`; its claims are none of an invocation proof's, so that neither is taken for the other
 * @throws TypeError when the subject is incomplete */
export function signKeyProof(
  subject: KeyProofSubject,
  signer: SigningKey,
  options: { readonly clock: Clock },
): string {
  const { issuer, agentId, agentChecksum, epoch, key } = subject
  for (const text of [issuer, agentId, agentChecksum]) {
    if (typeof text !== 'string' || text === '') throw new TypeError('key proof: expected text, not empty')
  }
  if (!isCount(epoch)) throw new TypeError('epoch: expected an integer from 0')
  return signJws(
    { typ: 'pop+jwt' },
    {
      jti: newUuid(options.clock),
      iat: nowSeconds(options.clock),
      aud: issuer,
      sub: agentId,
      agent_checksum: agentChecksum,
      epoch,
      cnf: { jkt: key.thumbprint },
    },
    signer,
  )
}

export interface KeyProofRules extends KeyProofSubject {
  /** Whose signature is demanded; default: the new key's own. */
  readonly signer?: PublicKey
  /** NumericDate, seconds. */
  readonly now: number
}

/** What the caller needs to spend the proof: it verifies again until `expiresAt`. */
export interface VerifiedKeyProof {
  readonly jti: string
  /** NumericDate, seconds. */
  readonly expiresAt: number
}

/**
 * Verifies a proof against the registration it came with. It keeps nothing: who must not see a proof twice
 * claims (signer's thumbprint, `jti`) until `expiresAt`.
 * @throws AgenticError ERR_KEY_PROOF_KEY, ERR_KEY_PROOF_ISSUER, ERR_KEY_PROOF_AGENT, ERR_KEY_PROOF_CHECKSUM,
 *   ERR_KEY_PROOF_EPOCH, ERR_PROOF_STALE, ERR_CLAIM_INVALID, ERR_SIGNATURE_INVALID, ERR_ALG_REFUSED, or the gate's codes
 * @see PROTOCOL 2.3, 3, RFC 7800 §3
 */
export function verifyKeyProof(proof: string, rules: KeyProofRules): VerifiedKeyProof {
  const decoded = decodeJws(proof, { typ: 'pop+jwt' })
  verifyDecoded(decoded, rules.signer ?? rules.key)
  const { jti, iat, aud, sub, checksum, epoch, jkt } = readClaims(decoded.claims)
  demand(equalConstantTime(jkt, rules.key.thumbprint), 'ERR_KEY_PROOF_KEY', '"cnf" must name the new key')
  demand(aud === rules.issuer, 'ERR_KEY_PROOF_ISSUER', '"aud" must be this authority')
  demand(sub === rules.agentId, 'ERR_KEY_PROOF_AGENT', '"sub" must be the agent that is registered')
  demand(
    equalConstantTime(checksum, rules.agentChecksum),
    'ERR_KEY_PROOF_CHECKSUM',
    '"agent_checksum" must be the one that is registered',
  )
  demand(epoch === rules.epoch, 'ERR_KEY_PROOF_EPOCH', '"epoch" must be the one that is registered')
  // Not `>`: were `now` missing, no difference would be greater than anything.
  if (!(Math.abs(iat - rules.now) <= keyProofWindowSeconds)) {
    throw new AgenticError('ERR_PROOF_STALE', '"iat" of the proof lies outside the accepted window')
  }
  return { jti, expiresAt: iat + keyProofWindowSeconds + 1 }
}

function demand(isRight: boolean, code: ErrorCode, message: string): void {
  if (!isRight) throw new AgenticError(code, message)
}

const members: ReadonlySet<string> = new Set(['jti', 'iat', 'aud', 'sub', 'agent_checksum', 'epoch', 'cnf'])

/** These members and no others: what says more was made for something else. */
function readClaims(claims: JsonObject) {
  for (const name of Object.keys(claims)) {
    if (!members.has(name)) throw invalid('no members but those of a key proof')
  }
  const { jti, iat, aud, sub, agent_checksum: checksum, epoch, cnf } = claims
  if (typeof jti !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(jti))
    throw invalid('"jti" of at most 128 printable characters')
  if (typeof aud !== 'string' || typeof sub !== 'string' || typeof checksum !== 'string')
    throw invalid('"aud", "sub" and "agent_checksum" as text')
  if (!isCount(iat) || !isCount(epoch)) throw invalid('"iat" and "epoch" as integers from 0')
  if (!isPlainObject(cnf) || Object.keys(cnf).length !== 1) throw invalid('"cnf" with "jkt" alone')
  const { jkt } = cnf
  if (typeof jkt !== 'string') throw invalid('"cnf" with "jkt" alone')
  return { jti, iat, aud, sub, checksum, epoch, jkt }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function invalid(expected: string): AgenticError {
  return new AgenticError('ERR_CLAIM_INVALID', `key proof: expected ${expected}`)
}
