/** Which keys of a registration count, and which of them signs (PROTOCOL 2.3, 3). */
import { AgenticError } from '../errors.js'
import type { PublicJwk } from '../keys/public-jwk.js'
import type { RegisteredKey, Registration } from './registration.js'

type Keys = Pick<Registration, 'keys'>

/** The key that signs from now on: the one of the highest epoch.
 * @throws TypeError for a registration without keys, which is none */
export function newestKey({ keys }: Keys): RegisteredKey {
  const [first, ...rest] = keys
  if (first === undefined) throw new TypeError('the registration has no key')
  return rest.reduce((newest, key) => (key.epoch > newest.epoch ? key : newest), first)
}

/** The key with this public half: what was delegated to a key is used with that key, though a newer one signs by now.
 * @throws AgenticError ERR_KEY_INVALID when it is none of the registration's */
export function registeredKey({ agentId, keys }: Keys & { agentId: string }, jwk: PublicJwk): RegisteredKey {
  const found = keys.find((key) => key.jwk.x === jwk.x)
  if (found) return found
  throw new AgenticError('ERR_KEY_INVALID', `the key is none of the registration of agent "${agentId}"`)
}

/** The keys whose signatures count: those that were not rotated out, and those whose overlap has not ended.
 * @param now NumericDate, seconds */
export function countingKeys({ keys }: Keys, now: number): readonly RegisteredKey[] {
  return keys.filter((key) => key.notAfter === undefined || now < key.notAfter)
}
