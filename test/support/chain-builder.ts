import { nowSeconds } from '../../runtime/clock.js'
import { sha256Base64url } from '../../runtime/encoding/digest.js'
import type { SigningKey } from '../../runtime/keys/signing-key.js'
import { thumbprintUri } from '../../runtime/keys/thumbprint.js'
import { fakeClock } from './fake-clock.js'
import { fixedKey } from './fixed-keys.js'
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

/** The key of the agent at a place of a chain; 0 is the entry agent. */
export function agentKey(place: number): SigningKey {
  return fixedKey(`agent ${place}`)
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
export function rootToken(changes: Changes = {}, key: SigningKey = fixedKey('authority')): string {
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
    iss: thumbprintUri(agentKey(place - 1).publicKey.thumbprint),
    par_hash: hashOf(parent),
  }
  const withActivation = changed(claims, { 'intent.activation_id': `activation-${place}` })
  return forge({ typ: 'delegation+jwt' }, changed(withActivation, changes), key)
}

/** A chain of so many tokens; `changes` by place. Hops after a changed one are made below it. */
export function chainOf(length: number, changes: Record<number, Changes> = {}): string[] {
  const chain = [rootToken(changes[0])]
  for (let place = 1; place < length; place++) {
    chain.push(hopToken(chain[place - 1] ?? '', place, changes[place]))
  }
  return chain
}

/** base64url SHA-256 of a token's signing input. */
export function hashOf(token: string): string {
  return sha256Base64url(token.slice(0, token.lastIndexOf('.')))
}
