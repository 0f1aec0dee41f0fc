import { it } from 'vitest'
import { type ThreatId, threats } from '../attacks/threats.js'

/** Registers a test that attacks: its name says which threat, and what must hold against it. */
export function attack(
  id: ThreatId | readonly ThreatId[],
  fact: string,
  run: () => void | Promise<void>,
): void {
  const ids = typeof id === 'string' ? [id] : id
  for (const one of ids) {
    if (!Object.hasOwn(threats, one)) throw new TypeError(`there is no threat "${one}"`)
  }
  it(`${ids.join(' ')}: ${fact}`, run)
}
