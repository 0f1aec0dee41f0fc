/**
 * Remembers which prefixes of chains verified: the answer to everything that follows from the bytes and
 * the root's key alone. Time, revocation, audience and replay are never remembered (PROTOCOL 5.3).
 */
import { sha256Base64url } from '../encoding/digest.js'
import type { PublicKey } from '../keys/public-key.js'
import type { Assertion } from './assertion.js'

export interface VerifiedLink {
  readonly assertion: Assertion
  /** The delegatee's key, judged. */
  readonly key: PublicKey
  readonly hash: string
}

export interface LinkCache {
  get(key: string): VerifiedLink | undefined
  set(key: string, link: VerifiedLink): void
  readonly size: number
}

/** The running key: hash of the key before and the exact token; it starts from the trusted root key. */
export function linkKey(previous: string, token: string): string {
  return sha256Base64url(`${previous}.${token}`)
}

/** @param maxLinks oldest unused links are dropped beyond this many @throws TypeError for no positive integer */
export function createLinkCache(maxLinks = 10_000): LinkCache {
  if (!Number.isSafeInteger(maxLinks) || maxLinks < 1)
    throw new TypeError('maxLinks: expected a positive integer')
  const links = new Map<string, VerifiedLink>()
  return {
    get(key) {
      const link = links.get(key)
      if (link) {
        links.delete(key)
        links.set(key, link)
      }
      return link
    },
    set(key, link) {
      links.set(key, link)
      if (links.size > maxLinks) {
        const oldest = links.keys().next().value
        if (oldest !== undefined) links.delete(oldest)
      }
    },
    get size() {
      return links.size
    },
  }
}
