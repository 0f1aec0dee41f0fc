/**
 * Adding a key to a registration, which is also how keys are rotated: the newest signs, the older ones count until
 * their overlap ends (PROTOCOL 2.3). A proof is good once: it names the epoch after the newest, and that is taken then.
 */
import { type Clock, nowSeconds } from '../clock.js'
import { AgenticError, codeOf } from '../errors.js'
import { type KeyProofSubject, signKeyProof, verifyKeyProof } from '../keys/key-proof.js'
import type { Keyring } from '../keys/keyring.js'
import type { SigningKey } from '../keys/signing-key.js'
import { requireOwner } from './owner.js'
import type { RegisteredKey, Registration, RegistrationStore } from './registration.js'
import { countingKeys, newestKey } from './registration-keys.js'

/** Most keys of one registration that count at once. */
export const maxCountingKeys = 8

/** Longest overlap, in seconds: the lifetime of a root assertion, which names a key (PROTOCOL 1). */
export const maxOverlapSeconds = 7 * 86_400

export interface AddKeyRequest {
  readonly registrationId: string
  /** The authenticated client that asks. */
  readonly clientId: string
  /** The new key, from outside. */
  readonly jwk: unknown
  readonly mode: RegisteredKey['mode']
  /** By the new key (`signKeyProof`), for the epoch after the newest. */
  readonly proof: string
  /** By a key of the registration that counts, about the new one; needed where the new or an old key is `derived`. */
  readonly oldProof?: string
  /** For how long the older keys count still; none is prolonged. */
  readonly overlapSeconds: number
}

export interface AddKeyDeps {
  readonly store: Pick<RegistrationStore, 'setKeys'>
  readonly keyring: Pick<Keyring, 'publicKey'>
  /** This authority's identifier. */
  readonly issuer: string
  readonly clock: Clock
}

/** Adds a key; decided and stored in one transaction.
 * @returns the registration with the new key, which is its newest
 * @throws TypeError for an overlap outside 0 … `maxOverlapSeconds`
 * @throws AgenticError ERR_KEY_INVALID, ERR_KEY_SMALL_ORDER, ERR_AGENT_UNKNOWN, ERR_AGENT_OWNER, ERR_AGENT_REVOKED,
 *   ERR_AGENT_SUPERSEDED, ERR_KEY_REGISTERED, ERR_KEY_LIMIT, ERR_KEY_PROOF_PREDECESSOR, and as `verifyKeyProof`
 */
export async function addKey(request: AddKeyRequest, deps: AddKeyDeps): Promise<Registration> {
  const { overlapSeconds } = request
  requireOverlap(overlapSeconds)
  const key = deps.keyring.publicKey(request.jwk)
  const now = nowSeconds(deps.clock)
  return deps.store.setKeys(request.registrationId, (current) => {
    requireMayAdd(current, request.clientId, key.thumbprint, now)
    const epoch = newestKey(current).epoch + 1
    const { agentId, agentChecksum } = current
    const subject = { issuer: deps.issuer, agentId, agentChecksum, epoch, key }
    verifyKeyProof(request.proof, { ...subject, now })
    requireOldProof(request, current, subject, now, deps.keyring)
    const added: RegisteredKey = { kid: key.thumbprint, jwk: key.jwk, epoch, mode: request.mode }
    return [...current.keys.map((older) => endingBy(older, now + overlapSeconds)), added]
  })
}

/** Rotates a `derived` key: who can derive the keys makes both proofs.
 * @param options `keyFor` as when it was registered; `record` is told of the new key before it is stored, and waited
 *   for: a key that nobody could record is none
 * @throws as `addKey`, ERR_AGENT_UNKNOWN
 */
export async function rotateKey(
  request: Pick<AddKeyRequest, 'registrationId' | 'clientId' | 'overlapSeconds'>,
  options: Omit<AddKeyDeps, 'store'> & {
    readonly store: Pick<RegistrationStore, 'setKeys' | 'byId'>
    readonly keyFor: (agentId: string, agentChecksum: string, epoch: number) => SigningKey
    readonly record?: (added: Pick<RegisteredKey, 'kid' | 'epoch'>) => Promise<void>
  },
): Promise<Registration> {
  const { store, issuer, clock, keyFor, record } = options
  const current = await store.byId(request.registrationId)
  if (current === undefined)
    throw new AgenticError('ERR_AGENT_UNKNOWN', 'there is no registration of this id')
  const { agentId, agentChecksum } = current
  const { epoch } = newestKey(current)
  const [before, after] = [epoch, epoch + 1].map((at) => keyFor(agentId, agentChecksum, at))
  if (before === undefined || after === undefined) throw new TypeError('keyFor: expected two keys')
  const subject = { issuer, agentId, agentChecksum, epoch: epoch + 1, key: after.publicKey }
  const proofs = {
    proof: signKeyProof(subject, after, { clock }),
    oldProof: signKeyProof(subject, before, { clock }),
  }
  const kid = after.publicKey.thumbprint
  // Judged again where it is stored; here, so that what is refused anyhow is not recorded as done.
  requireOverlap(request.overlapSeconds)
  requireMayAdd(current, request.clientId, kid, nowSeconds(clock))
  await record?.({ kid, epoch: epoch + 1 })
  return addKey({ ...request, ...proofs, jwk: after.publicKey.jwk, mode: 'derived' }, options)
}

function requireOverlap(overlapSeconds: number): void {
  if (!Number.isSafeInteger(overlapSeconds) || overlapSeconds < 0 || overlapSeconds > maxOverlapSeconds) {
    throw new TypeError(`overlapSeconds: expected an integer from 0 to ${maxOverlapSeconds}`)
  }
}

function requireMayAdd(current: Registration, clientId: string, kid: string, now: number): void {
  requireOwner(current, clientId)
  requireNewest(current)
  requireRoom(current, kid, now)
}

/** Keys are for what comes: a registration that was superseded or revoked gets none. */
function requireNewest({ agentId, status }: Registration): void {
  if (status === 'verified') return
  const code = status === 'updated' ? 'ERR_AGENT_SUPERSEDED' : 'ERR_AGENT_REVOKED'
  throw new AgenticError(code, `the registration of agent "${agentId}" is ${status} and gets no key`)
}

function requireRoom(current: Registration, kid: string, now: number): void {
  // One that was rotated out would come back to life.
  if (current.keys.some((key) => key.kid === kid)) {
    throw new AgenticError('ERR_KEY_REGISTERED', 'the key is or was one of this registration')
  }
  if (countingKeys(current, now).length >= maxCountingKeys) {
    throw new AgenticError('ERR_KEY_LIMIT', `a registration has at most ${maxCountingKeys} keys that count`)
  }
}

/** Whoever took over the owner's credential alone must not replace keys that the master secret vouches for: so
 * the step from `derived` to `attested` needs the old key, too. An attested key may be lost with its machine. */
function requireOldProof(
  { mode, oldProof }: AddKeyRequest,
  current: Registration,
  subject: KeyProofSubject,
  now: number,
  keyring: AddKeyDeps['keyring'],
): void {
  const counting = countingKeys(current, now)
  if (mode === 'attested' && counting.every((key) => key.mode === 'attested')) return
  const agrees = counting.some(({ jwk }) =>
    isSignedBy(oldProof, { ...subject, signer: keyring.publicKey(jwk), now }),
  )
  if (!agrees) {
    throw new AgenticError(
      'ERR_KEY_PROOF_PREDECESSOR',
      'a key of the registration that counts must agree to the new one',
    )
  }
}

function isSignedBy(proof: string | undefined, rules: Parameters<typeof verifyKeyProof>[1]): boolean {
  if (proof === undefined) return false
  try {
    verifyKeyProof(proof, rules)
    return true
  } catch (error) {
    if (codeOf(error) !== 'ERR_SIGNATURE_INVALID') throw error
    return false // another old key's, perhaps
  }
}

function endingBy(key: RegisteredKey, end: number): RegisteredKey {
  return { ...key, notAfter: Math.min(key.notAfter ?? end, end) }
}
