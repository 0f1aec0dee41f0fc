import { nowSeconds } from '../../runtime/clock.js'
import type { ChainRules } from '../../runtime/delegation/verify-chain.js'
import { sha256Base64url } from '../../runtime/encoding/digest.js'
import type { SigningKey } from '../../runtime/keys/signing-key.js'
import { thumbprintUri } from '../../runtime/keys/thumbprint.js'
import { fakeClock } from './fake-clock.js'
import { fixedKey, keyring } from './fixed-keys.js'
import { changed, forge } from './forger.js'
import { issuer } from './intent-claims.js'

/** The second in which every chain of these tests is made. */
export const chainTime = nowSeconds(fakeClock())

export const chainTools = {
  'repo/read': { path: { constraint_type: 'path_containment', root: '/src' } },
  'repo/write': {
    path: { constraint_type: 'path_containment', root: '/src' },
    size: { constraint_type: 'range', min: 0, max: 1000 },
  },
}

export type Changes = Record<string, unknown>
/** What a hop at a place says that others do not. */
export type Profile = (place: number) => Changes

const agentKeys = new Map<number, SigningKey>()

/** The key of the agent at a place of a chain; 0 is the entry agent. */
export function agentKey(place: number): SigningKey {
  const key = agentKeys.get(place) ?? fixedKey(`agent ${place}`)
  agentKeys.set(place, key)
  return key
}

/** `iss` of what the agent at a place signs. */
export function agentUri(place: number): string {
  return thumbprintUri(agentKey(place).publicKey.thumbprint)
}

const authority = fixedKey('authority')

/** The rules under which an unchanged chain verifies. */
export function chainRules(changes: Partial<ChainRules> = {}): ChainRules {
  return { trustedKeys: [authority.publicKey], issuer, now: chainTime, keyring, ...changes }
}

function commonClaims(place: number): Changes {
  return {
    jti: `hop-${place}`,
    iat: chainTime,
    exp: chainTime + 3600,
    cnf: { jwk: { ...agentKey(place).publicKey.jwk } },
    del_depth: place,
    del_max_depth: 31,
    authorization_details: [{ type: 'attenuating_agent_token', tools: chainTools }],
    scope: 'repo:read repo:write',
    agent_proof: { agent_checksum: `sha256:${'3'.repeat(64)}`, registration_id: `registration-${place}` },
    intent: {
      execution_id: 'execution-1',
      workflow_id: 'patching',
      workflow_step: `step-${place}`,
      intent_hash: `sha256:${'2'.repeat(64)}`,
    },
  }
}

/** A root, wrong in nothing but what is changed. */
export function rootToken(changes: Changes = {}, key: SigningKey = authority): string {
  const claims = {
    ...commonClaims(0),
    iss: issuer,
    initiated_by: 'os:1000',
    auth: { method: 'local', time: chainTime },
  }
  return forge({ typ: 'delegation+jwt', kid: key.publicKey.thumbprint }, changed(claims, changes), key)
}

/** A hop below a parent, wrong in nothing but what is changed.
 * @param key who signs; the agent before by default */
export function hopToken(
  parent: string,
  place: number,
  changes: Changes = {},
  key: SigningKey = agentKey(place - 1),
): string {
  const claims = {
    ...commonClaims(place),
    iss: agentUri(place - 1),
    par_hash: hashOf(parent),
  }
  const withActivation = changed(claims, { 'intent.activation_id': `activation-${place}` })
  return forge({ typ: 'delegation+jwt' }, changed(withActivation, changes), key)
}

/** A chain of so many tokens; `changes` by place. Hops after a changed one are made below it. */
export function chainOf(length: number, changes: Record<number, Changes> | Profile = {}): string[] {
  const at: Profile = typeof changes === 'function' ? changes : (place) => changes[place] ?? {}
  return grown([rootToken(at(0))], length, at)
}

/** A chain with more hops below its last, up to a length. */
export function grown(chain: readonly string[], length: number, at: Profile): string[] {
  const longer = [...chain]
  for (let place = chain.length; place < length; place++) {
    longer.push(hopToken(longer[place - 1] ?? '', place, at(place)))
  }
  return longer
}

/** base64url SHA-256 of a token's signing input. */
export function hashOf(token: string): string {
  return sha256Base64url(token.slice(0, token.lastIndexOf('.')))
}
