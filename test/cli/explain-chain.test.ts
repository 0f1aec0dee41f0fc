import { describe, expect, it } from 'vitest'
import { type ExplainChainOptions, explainChain } from '../../runtime/cli/explain-chain.js'
import { attack } from '../support/attack.js'
import { agentKey, chainOf, chainTime } from '../support/chain-builder.js'
import { fixedKey, keyring } from '../support/fixed-keys.js'

const authorityKey = fixedKey('authority').publicKey

/** Registrations of which each has two keys: one that was derived, and since then an attested one. */
const known: ExplainChainOptions['known'] = (registrationId, jkt) => {
  const place = Number(registrationId.slice('registration-'.length))
  if (place > 2) return undefined
  const modes = new Map<string, 'derived' | 'attested'>([
    [agentKey(place).publicKey.thumbprint, 'derived'],
    [fixedKey(`newer ${place}`).publicKey.thumbprint, 'attested'],
  ])
  return { agent: `agent-${place}`, mode: modes.get(jkt) }
}
const options = { authorityKey, now: chainTime, keyring, known }
const linesOf = (chain: readonly string[]) => explainChain(chain, options).lines.join('\n')

describe('a chain in words', () => {
  it('names the mode of the key that each hop names, not that of the newest one', () => {
    const newer = { cnf: { jwk: { ...fixedKey('newer 1').publicKey.jwk } } }
    const text = linesOf(chainOf(2, { 1: newer }))
    expect(text).toContain('agent "agent-0" (key derived)')
    expect(text).toContain('agent "agent-1" (key attested)')
  })

  it('knows no more of a stranger’s registration than its id', () => {
    expect(linesOf(chainOf(4))).toContain('act: registration registration-3\n')
  })

  attack('T1', 'says when a hop goes to a key that the agent never registered', () => {
    const stolen = { cnf: { jwk: { ...fixedKey('thief').publicKey.jwk } } }
    const { lines, holds } = explainChain(chainOf(2, { 1: stolen }), options)
    expect(lines.join('\n')).toContain('agent "agent-1" (with a KEY THAT IS NOT REGISTERED for it)')
    // The signatures alone do not show it: that is I8, which a chain leaves open.
    expect(holds).toBe(true)
    expect(linesOf(chainOf(2))).not.toContain('NOT REGISTERED')
  })
})
