/**
 * What the caller of a wrapper says must hold. Compilers are not everywhere: a rule that was forgotten, or that every
 * object inherits, must not weaken what is verified.
 */
import { nowSeconds, systemClock } from '../clock.js'
import { isPlainObject } from '../encoding/strict-json.js'
import type { PublicKey } from '../keys/public-key.js'

/** A copy without a prototype: each member is read once, and a polluted `Object.prototype` says nothing.
 * @throws TypeError for what is no plain object: members that a class or a prototype holds would be left out */
export function ownMembers<T extends object>(given: T, what: 'rules' | 'options' | 'request' | 'info'): T {
  if (!isPlainObject(given)) throw new TypeError(`${what}: expected a plain object`)
  return Object.assign(Object.create(null) as T, given)
}

/** True when a rule was given, whatever it is: given and undefined is not the same as left out.
 * @param rules a copy made by `ownMembers` */
export function isGiven<T extends object>(rules: T, name: keyof T): boolean {
  return Object.hasOwn(rules, name)
}

type Text = 'issuer' | 'audience' | 'method' | 'url' | 'accessToken' | 'leafId' | 'tool' | 'nonce'

/** @throws TypeError unless it is text; an empty one is none, but for a token, which nobody checked yet */
export function requireText(text: unknown, name: Text): void {
  if (typeof text !== 'string' || (text === '' && name !== 'accessToken'))
    throw new TypeError(`${name}: expected text`)
}

/** @returns whole NumericDate seconds, by the system's clock where none are given
 * @throws TypeError */
export function secondsOf(now: number | undefined): number {
  const seconds = now === undefined ? nowSeconds(systemClock) : now
  if (!Number.isFinite(seconds)) throw new TypeError('now: expected NumericDate seconds')
  return Math.floor(seconds)
}

/** JSON holds no functions, so nothing from outside passes for a key that was read. */
export function isPublicKey(key: unknown): key is PublicKey {
  if (typeof key !== 'object' || key === null) return false
  const { alg, thumbprint, verify } = key as Partial<PublicKey>
  return typeof alg === 'string' && typeof thumbprint === 'string' && typeof verify === 'function'
}
