/** Chains of 1 to 32 hops that are wrong in one thing at one place, and the sweep over all of them. */
import { expect } from 'vitest'
import { createLinkCache } from '../../runtime/delegation/verified-links.js'
import { verifyChain } from '../../runtime/delegation/verify-chain.js'
import type { ErrorCode } from '../../runtime/errors.js'
import {
  type Changes,
  chainOf,
  chainRules,
  chainTime,
  grown,
  hopToken,
  type Profile,
} from '../support/chain-builder.js'
import { expectCode } from '../support/expect-code.js'

export const longest = 32
/** Every place but the root's. */
export const places: readonly number[] = Array.from({ length: longest - 1 }, (_, index) => index + 1)

/** What every hop of `narrowing` holds of each kind; a hop gives up one of each that its parent had. */
export const held = {
  scopes: (place: number) => namesFrom(place, 'scope:'),
  tools: (place: number) => Object.fromEntries(namesFrom(place, 'tool/').map((name) => [name, {}])),
  limit: (place: number) => ({ count: { constraint_type: 'range', min: 0, max: 1000 - place } }),
  exp: (place: number) => chainTime + 3600 - place,
  iat: (place: number) => chainTime - 600 + place,
}

function namesFrom(place: number, prefix: string): string[] {
  return Array.from({ length: longest - place }, (_, index) => `${prefix}${place + index}`)
}

export function granted(tools: object): object[] {
  return [{ type: 'attenuating_agent_token', tools }]
}

/** Each hop is narrower than its parent in scope, tools, constraint and time. */
export const narrowing: Profile = (place) => ({
  iat: held.iat(place),
  exp: held.exp(place),
  scope: held.scopes(place).join(' '),
  authorization_details: granted({ ...held.tools(place), limited: held.limit(place) }),
})

/** `narrowing`, root to the 32nd hop; its beginnings are the honest chains of every other length. */
export const honest: readonly string[] = chainOf(longest, narrowing)

/** What one dishonest agent writes, and what those below it write so that nothing else is wrong. */
export interface Forgery {
  readonly at: Profile
  /** @param wrong the place of the dishonest agent */
  readonly below?: (place: number, wrong: number) => Changes
}

/** A chain in which nothing is wrong, and what each of its hops says. */
export interface Base {
  readonly chain: readonly string[]
  readonly says: Profile
}
const narrowingBase: Base = { chain: honest, says: narrowing }

/** An honest beginning, the wrong hop with its true key, and everything below it, up to a length. */
export function forgedAt(wrong: number, forgery: Forgery, length = longest, base = narrowingBase): string[] {
  const { chain, says } = base
  const below = forgery.below ?? (() => ({}))
  const hop = hopToken(chain[wrong - 1] ?? '', wrong, { ...says(wrong), ...forgery.at(wrong) })
  const rest: Profile = (place) => ({ ...says(place), ...below(place, wrong) })
  return grown([...chain.slice(0, wrong), hop], length, rest)
}

/** A forgery that everyone below repeats. */
export function everywhere(changes: Changes): Forgery {
  return { at: () => ({ ...changes }), below: () => ({ ...changes }) }
}

/** Where a sweep also verifies whole, without remembered links: first, second, middle, last. */
const wholePlaces: readonly number[] = [0, 1, 2, 16, 31]

/** A sweep's memory of honest beginnings, so that each chain costs the hops from the wrong one on. */
const links = createLinkCache()

/** Refused with this code at every length that holds the wrong hop, and honest up to it. */
export async function expectRefused(chain: readonly string[], wrong: number, code: ErrorCode): Promise<void> {
  if (wrong > 0) verifyChain(chain.slice(0, wrong), chainRules({ cache: links }))
  for (let length = wrong + 1; length <= chain.length; length++) {
    await expectCode(() => verifyChain(chain.slice(0, length), chainRules({ cache: links })), code)
  }
  if (wholePlaces.includes(wrong)) await expectCode(() => verifyChain(chain, chainRules()), code)
}

/** A chain that is changed at a place, and right: verifies down to there, and whole where that is not costly. */
export function expectAccepted(chain: readonly string[], changed: number): void {
  const length = wholePlaces.includes(changed) ? chain.length : changed + 1
  const verified = verifyChain(chain.slice(0, length), chainRules({ cache: links }))
  expect(verified.hops).toHaveLength(length)
}

/** Sweeps a forgery over every place of chains of every length, beside the nearest that must pass. */
export async function sweep(code: ErrorCode, wrong: Forgery, near?: Forgery, base?: Base): Promise<void> {
  for (const place of places) {
    await expectRefused(forgedAt(place, wrong, longest, base), place, code)
  }
  if (near) sweepAccepted(near, base)
}

/** Tries a forgery as the leaf of chains of every length. */
export async function sweepLeaf(code: ErrorCode, wrong: Forgery, base?: Base): Promise<void> {
  for (const place of places) await expectRefused(forgedAt(place, wrong, place + 1, base), place, code)
}

/** Tries what must pass at every place of chains of every length. */
export function sweepAccepted(near: Forgery, base?: Base): void {
  for (const place of places) {
    const length = wholePlaces.includes(place) ? longest : place + 1
    expectAccepted(forgedAt(place, near, length, base), place)
  }
}
